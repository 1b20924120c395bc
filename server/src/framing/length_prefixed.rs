//! The floor's framing: a big-endian `u32` length, then so many bytes. Chosen here: the least framing that
//! separates messages.

use pushoff_model::Cursor;

use super::envelope::{CursorText, envelope, envelope_length, missed_object};

/// Appends a length and `{"id":"CURSOR","data":PAYLOAD}`.
pub fn message(out: &mut Vec<u8>, cursor: Cursor, payload: &[u8]) {
    let cursor = CursorText::new(cursor);
    prefix(out, envelope_length(cursor, payload));
    envelope(out, cursor, payload);
}

/// Appends a length and `{"missed":N}`.
pub fn missed(out: &mut Vec<u8>, count: Option<u64>, cursor: Cursor) {
    let notice = missed_object(count, cursor);
    prefix(out, notice.len());
    out.extend_from_slice(notice.as_bytes());
}

/// Appends a length. Payloads are far shorter than 4 GiB; a longer one would end the stream, since no reader
/// accepts such a message.
fn prefix(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use pushoff_model::Epoch;

    use super::*;

    #[test]
    fn a_message_is_its_length_and_its_bytes() {
        let mut out = Vec::new();
        message(&mut out, Cursor { epoch: Epoch(0x5f3a_9c21), sequence: 42 }, b"[1]");
        assert_eq!(out, b"\0\0\0\x1f{\"id\":\"5f3a9c21-42\",\"data\":[1]}");
    }

    #[test]
    fn a_missed_notice_is_framed_the_same() {
        let mut out = Vec::new();
        missed(&mut out, None, Cursor { epoch: Epoch(0x5f3a_9c21), sequence: 42 });
        assert_eq!(out, b"\0\0\0\x22{\"missed\":null,\"id\":\"5f3a9c21-42\"}");
    }
}
