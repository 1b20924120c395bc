//! Messages as bytes on the wire, by pure functions.
//!
//! Four framings carry six transports: both kinds of polling and HTTP streaming send the same NDJSON. A
//! framing knows no connection, and no HTTP chunks: the batches of the hub have room for those.

pub(crate) mod envelope;
pub mod event_stream;
pub mod length_prefixed;
pub mod ndjson;
pub mod websocket;

use pushoff_model::{Cursor, Transport};

/// The bytes around each message, by which a reader tells messages apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A JSON text a line.
    Ndjson,
    /// Fields and a blank line (WHATWG HTML §9.2).
    EventStream,
    /// Text frames of a server (RFC 6455).
    WebSocket,
    /// A length and so many bytes.
    LengthPrefixed,
}

impl Framing {
    /// Every framing.
    pub const ALL: [Self; 4] = [Self::Ndjson, Self::EventStream, Self::WebSocket, Self::LengthPrefixed];

    /// The framing of a transport.
    #[must_use]
    pub const fn of(transport: Transport) -> Self {
        match transport {
            Transport::ShortPolling | Transport::LongPolling | Transport::HttpStreaming => Self::Ndjson,
            Transport::Sse => Self::EventStream,
            Transport::WebSocket => Self::WebSocket,
            Transport::RawTcp => Self::LengthPrefixed,
        }
    }

    /// Its place in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Appends a message. `payload` is one JSON text.
    pub fn message(self, out: &mut Vec<u8>, cursor: Cursor, payload: &[u8]) {
        match self {
            Self::Ndjson => ndjson::message(out, cursor, payload),
            Self::EventStream => event_stream::message(out, cursor, payload),
            Self::WebSocket => websocket::message(out, cursor, payload),
            Self::LengthPrefixed => length_prefixed::message(out, cursor, payload),
        }
    }

    /// Appends the notice that `count` messages up to `cursor` were missed; `None` is an unknown number. A
    /// client that resumes after `cursor` gets no second notice.
    pub fn missed(self, out: &mut Vec<u8>, count: Option<u64>, cursor: Cursor) {
        match self {
            Self::Ndjson => ndjson::missed(out, count, cursor),
            Self::EventStream => event_stream::missed(out, count, cursor),
            Self::WebSocket => websocket::missed(out, count, cursor),
            Self::LengthPrefixed => length_prefixed::missed(out, count, cursor),
        }
    }

    /// The most bytes around a payload without line breaks, for reserving memory.
    pub(crate) const OVERHEAD: usize = 64;
}

#[cfg(test)]
mod tests {
    use pushoff_model::Epoch;

    use super::*;

    #[test]
    fn every_framing_stands_at_its_index() {
        for (index, framing) in Framing::ALL.into_iter().enumerate() {
            assert_eq!(framing.index(), index);
        }
    }

    #[test]
    fn the_overhead_is_never_exceeded_without_line_breaks() {
        let cursor = Cursor { epoch: Epoch(u32::MAX), sequence: u64::MAX };
        for framing in Framing::ALL {
            let payload = vec![b'1'; 70_000];
            let mut out = Vec::new();
            framing.message(&mut out, cursor, &payload);
            assert!(out.len() <= payload.len() + Framing::OVERHEAD, "{framing:?}");
        }
    }
}
