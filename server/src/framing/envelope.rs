//! The parts that several framings have in common: cursors, the JSON around a payload, and lines.

use pushoff_model::Cursor;

/// Appends `{"id":"CURSOR","data":PAYLOAD}`, the content of every framing but the event stream.
pub(super) fn envelope(out: &mut Vec<u8>, cursor: CursorText, payload: &[u8]) {
    out.extend_from_slice(b"{\"id\":\"");
    out.extend_from_slice(cursor.as_bytes());
    out.extend_from_slice(b"\",\"data\":");
    out.extend_from_slice(payload);
    out.push(b'}');
}

/// How many bytes [`envelope`] appends.
pub(super) const fn envelope_length(cursor: CursorText, payload: &[u8]) -> usize {
    "{\"id\":\"\",\"data\":}".len() + cursor.length + payload.len()
}

/// `{"missed":N,"id":"CURSOR"}`.
pub(super) fn missed_object(count: Option<u64>, cursor: Cursor) -> String {
    format!("{{\"missed\":{},\"id\":\"{cursor}\"}}", number_or_null(count))
}

pub(super) fn number_or_null(count: Option<u64>) -> String {
    count.map_or_else(|| "null".to_owned(), |count| count.to_string())
}

/// `{"open":"CURSOR"}`.
pub(super) fn open_object(cursor: Cursor) -> String {
    format!("{{\"open\":\"{cursor}\"}}")
}

/// A cursor in its wire form, on the stack: every message has one.
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

/// The lines of a JSON text, which LF, CR LF or CR end, as in an event stream (WHATWG HTML §9.2.5). In JSON
/// line breaks are white space (RFC 8259 §2).
pub(super) fn lines(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
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
    fn all_three_line_breaks_part_lines() {
        let parts: Vec<_> = lines(b"a\nb\r\nc\rd\r\n").collect();
        assert_eq!(parts, [b"a" as &[u8], b"b", b"c", b"d", b""]);
    }
}
