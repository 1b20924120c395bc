//! What a message looks like on the wire, as pure functions from bytes to bytes.
//!
//! Four framings carry six transports: what the two kinds of polling and HTTP streaming send is
//! the same NDJSON. Two of them also come as chunks of a response that stays open, so that a batch
//! is what is written, to the byte, to every subscriber. A framing knows nothing of connections,
//! and nothing here is said twice.

pub mod chunk;
pub mod event_stream;
pub mod length_prefixed;
pub mod ndjson;
pub mod websocket;

use std::sync::Arc;

use bytes::{Buf, Bytes};
use pushoff_model::{Cursor, Transport};

use crate::memory::{self, Budget};

/// How messages are told apart in a run of bytes.
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
    /// [`Self::Ndjson`], a batch a chunk (RFC 9112 §7.1).
    ChunkedNdjson,
    /// [`Self::EventStream`], a batch a chunk.
    ChunkedEventStream,
}

impl Framing {
    /// Every framing.
    pub const ALL: [Self; 6] = [
        Self::Ndjson,
        Self::EventStream,
        Self::WebSocket,
        Self::LengthPrefixed,
        Self::ChunkedNdjson,
        Self::ChunkedEventStream,
    ];

    /// How a transport's messages look, whatever is around a batch of them.
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
            Self::Ndjson | Self::ChunkedNdjson => ndjson::message(out, cursor, payload),
            Self::EventStream | Self::ChunkedEventStream => event_stream::message(out, cursor, payload),
            Self::WebSocket => websocket::message(out, cursor, payload),
            Self::LengthPrefixed => length_prefixed::message(out, cursor, payload),
        }
    }

    /// Appends the notice that `count` messages up to `cursor` were missed, `None` where it cannot be
    /// known. A client that resumes after `cursor` is not told again.
    pub fn missed(self, out: &mut Vec<u8>, count: Option<u64>, cursor: Cursor) {
        match self {
            Self::Ndjson | Self::ChunkedNdjson => ndjson::missed(out, count, cursor),
            Self::EventStream | Self::ChunkedEventStream => event_stream::missed(out, count, cursor),
            Self::WebSocket => websocket::missed(out, count, cursor),
            Self::LengthPrefixed => length_prefixed::missed(out, count, cursor),
        }
    }

    /// A batch: what `fill` appends, about `length` bytes, and what the framing puts around it all.
    pub fn batch(self, length: usize, fill: impl FnOnce(&mut Vec<u8>)) -> Encoded {
        if self.is_chunked() {
            return chunk::encode(length, fill);
        }
        let mut bytes = Vec::with_capacity(length);
        fill(&mut bytes);
        Encoded { bytes, start: 0 }
    }

    /// What was put into a batch, without what is around it.
    pub(crate) fn content(self, batch: &[u8]) -> &[u8] {
        if self.is_chunked() { chunk::content(batch) } else { batch }
    }

    /// What ends a body of such batches.
    pub(crate) const fn ending(self) -> &'static [u8] {
        if self.is_chunked() { chunk::LAST } else { &[] }
    }

    const fn is_chunked(self) -> bool {
        matches!(self, Self::ChunkedNdjson | Self::ChunkedEventStream)
    }

    /// What a message costs at most beyond its payload, where that has no line break: to reserve.
    pub(crate) const OVERHEAD: usize = 64;
}

/// Bytes as they are to be written, from `start` on.
#[derive(Debug)]
pub struct Encoded {
    bytes: Vec<u8>,
    start: usize,
}

impl Encoded {
    /// The bytes.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        let mut bytes = Bytes::from(self.bytes);
        bytes.advance(self.start);
        bytes
    }

    /// The same, held in a budget; `None` where that has no room for them.
    pub(crate) fn held(self, budget: &Arc<Budget>) -> Option<Bytes> {
        let mut bytes = memory::shared(self.bytes, budget)?;
        bytes.advance(self.start);
        Some(bytes)
    }
}

/// `{"id":"CURSOR","data":PAYLOAD}`, what every framing but the event stream carries.
fn envelope(out: &mut Vec<u8>, cursor: CursorText, payload: &[u8]) {
    out.extend_from_slice(b"{\"id\":\"");
    out.extend_from_slice(cursor.as_bytes());
    out.extend_from_slice(b"\",\"data\":");
    out.extend_from_slice(payload);
    out.push(b'}');
}

/// How many bytes [`envelope`] appends.
const fn envelope_length(cursor: CursorText, payload: &[u8]) -> usize {
    "{\"id\":\"\",\"data\":}".len() + cursor.length + payload.len()
}

/// `{"missed":N,"id":"CURSOR"}`.
fn missed_object(count: Option<u64>, cursor: Cursor) -> String {
    format!("{{\"missed\":{},\"id\":\"{cursor}\"}}", number_or_null(count))
}

fn number_or_null(count: Option<u64>) -> String {
    count.map_or_else(|| "null".to_owned(), |count| count.to_string())
}

/// `{"open":"CURSOR"}`.
fn open_object(cursor: Cursor) -> String {
    format!("{{\"open\":\"{cursor}\"}}")
}

/// A cursor in its wire form, on the stack: the encoders make one a message.
#[derive(Clone, Copy)]
pub(crate) struct CursorText {
    bytes: [u8; Self::LONGEST],
    length: usize,
}

impl CursorText {
    /// Eight hex digits, a dash and the 20 digits of the largest sequence number.
    const LONGEST: usize = 29;

    pub(crate) fn new(cursor: Cursor) -> Self {
        let mut bytes = [b'-'; Self::LONGEST];
        for (digit, shift) in bytes.iter_mut().zip((0..8).rev()) {
            *digit = b"0123456789abcdef"[(cursor.epoch.0 >> (4 * shift) & 0xf) as usize];
        }
        let mut buffer = itoa::Buffer::new();
        let sequence = buffer.format(cursor.sequence).as_bytes();
        bytes[9..9 + sequence.len()].copy_from_slice(sequence);
        Self { bytes, length: 9 + sequence.len() }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The parts of a JSON text between its line breaks: LF, CR LF and CR alike, as an event stream
/// counts them (WHATWG HTML §9.2.5). In JSON these are white space (RFC 8259 §2).
fn lines(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(payload);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            rest = None;
            return Some(text);
        };
        let after = if text[end..].starts_with(b"\r\n") { end + 2 } else { end + 1 };
        rest = Some(&text[after..]);
        Some(&text[..end])
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pushoff_model::Epoch;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_is_written_as_the_model_writes_it(epoch: u32, sequence: u64) {
            let cursor = Cursor { epoch: Epoch(epoch), sequence };
            let text = CursorText::new(cursor);
            prop_assert_eq!(std::str::from_utf8(text.as_bytes()).unwrap(), cursor.to_string());
        }
    }

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

    #[test]
    fn all_three_line_breaks_part_lines() {
        let parts: Vec<_> = lines(b"a\nb\r\nc\rd\r\n").collect();
        assert_eq!(parts, [b"a" as &[u8], b"b", b"c", b"d", b""]);
    }
}
