//! The close frames that the server sends. Source: RFC 6455 §5.5.1 and §7.4.1.

use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::memory::OutOfMemory;

/// A close with a reason, cut to 123 bytes: a control frame has no room for more beside the code (§5.5).
pub(super) fn close(code: CloseCode, reason: &str) -> CloseFrame {
    CloseFrame { code, reason: reason[..reason.floor_char_boundary(123)].into() }
}

/// The close of a server that shuts down.
pub(super) fn going_away() -> CloseFrame {
    CloseFrame { code: CloseCode::Away, reason: Utf8Bytes::from_static("the server is going away") }
}

/// The close for a frame or a message whose end did not come in time.
pub(super) fn late() -> CloseFrame {
    CloseFrame { code: CloseCode::Policy, reason: Utf8Bytes::from_static("the message did not come in time") }
}

/// The close for frames that break the protocol.
pub(super) fn broken(error: ProtocolError) -> CloseFrame {
    close(CloseCode::Protocol, &Error::Protocol(error).to_string())
}

/// The close where the server has no memory left for input.
pub(super) fn no_memory(error: OutOfMemory) -> CloseFrame {
    close(CloseCode::Again, &error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_fits_in_a_control_frame() {
        assert_eq!(close(CloseCode::Normal, &"é".repeat(100)).reason.len(), 122);
        assert_eq!(close(CloseCode::Normal, "short").reason.as_str(), "short");
    }
}
