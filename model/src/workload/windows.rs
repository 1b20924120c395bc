//! The windows of HTTP/2's flow control, as a client sets them.

use serde::{Deserialize, Serialize};

/// How much a client lets be under way to it over HTTP/2, in bytes (RFC 9113 §6.9.2). Chosen here: Chromium's. With the
/// standard's 64 KiB for both, a stream that is not read takes the connection's window from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    /// On each stream.
    pub stream: u32,
    /// On a connection, all streams together.
    pub connection: u32,
}

impl Windows {
    /// The least: what the standard begins with.
    pub const LEAST: u32 = 65_535;
    /// The most that the standard allows.
    pub const MOST: u32 = i32::MAX.unsigned_abs();

    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Windows {
    fn default() -> Self {
        Self { stream: 6 << 20, connection: 15 << 20 }
    }
}
