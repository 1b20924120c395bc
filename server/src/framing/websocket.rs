//! Frames as a server sends them: unmasked, each message in one. Source: RFC 6455 §5.2.
//!
//! Because a server's frames are not masked, one encoding serves every subscriber.

use pushoff_model::Cursor;

use super::envelope::{CursorText, envelope, envelope_length, missed_object, open_object};

/// FIN and opcode 1, a whole text message.
const TEXT: u8 = 0x81;

/// The same with RSV1, which says that the message is deflated (RFC 7692 §7.2.1).
const DEFLATED_TEXT: u8 = 0xc1;

/// The heartbeat of an idle connection: a ping without data.
pub const PING: &[u8] = &[0x89, 0x00];

/// Appends a text frame with `{"id":"CURSOR","data":PAYLOAD}`.
pub fn message(out: &mut Vec<u8>, cursor: Cursor, payload: &[u8]) {
    let cursor = CursorText::new(cursor);
    header(out, TEXT, envelope_length(cursor, payload));
    envelope(out, cursor, payload);
}

/// Appends a text frame with `{"missed":N}`.
pub fn missed(out: &mut Vec<u8>, count: Option<u64>, cursor: Cursor) {
    text(out, missed_object(count, cursor).as_bytes());
}

/// The first frame of a connection: its first cursor.
#[must_use]
pub fn opening(cursor: Cursor) -> Vec<u8> {
    let mut out = Vec::new();
    text(&mut out, open_object(cursor).as_bytes());
    out
}

/// Appends a text frame with a deflated payload.
pub(crate) fn deflated(out: &mut Vec<u8>, payload: &[u8]) {
    header(out, DEFLATED_TEXT, payload.len());
    out.extend_from_slice(payload);
}

/// The frames that this module wrote, each with its payload.
pub(crate) fn frames(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let (header, length) = match *bytes.get(1)? {
            126 => (4, usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?))),
            127 => (10, usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).ok()?),
            length => (2, usize::from(length)),
        };
        let (frame, rest) = bytes.split_at_checked(header + length)?;
        bytes = rest;
        Some((frame, &frame[header..]))
    })
}

fn text(out: &mut Vec<u8>, payload: &[u8]) {
    header(out, TEXT, payload.len());
    out.extend_from_slice(payload);
}

/// A header with its first byte and the length in 7 bits, in 16 or in 64: the shortest that holds it.
fn header(out: &mut Vec<u8>, first: u8, length: usize) {
    out.push(first);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ ..=125), _) => out.push(length),
        (_, Ok(length)) => {
            out.push(126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        (_, Err(_)) => {
            out.push(127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::Epoch;

    use super::*;

    const CURSOR: Cursor = Cursor { epoch: Epoch(0x5f3a_9c21), sequence: 42 };
    /// `{"id":"5f3a9c21-42","data":}`
    const ENVELOPE: usize = 28;

    fn encoded(payload_length: usize) -> Vec<u8> {
        let mut out = Vec::new();
        message(&mut out, CURSOR, &vec![b'1'; payload_length]);
        out
    }

    #[test]
    fn the_specifications_own_example_is_written_byte_for_byte() {
        let mut out = Vec::new();
        text(&mut out, b"Hello");
        // RFC 6455 §5.7, "a single-frame unmasked text message".
        assert_eq!(out, [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
    }

    #[test]
    fn a_message_is_one_text_frame() {
        let mut out = Vec::new();
        message(&mut out, CURSOR, b"[1]");
        assert_eq!(out, b"\x81\x1f{\"id\":\"5f3a9c21-42\",\"data\":[1]}");
    }

    #[test]
    fn the_length_takes_the_fewest_bytes() {
        assert_eq!(encoded(125 - ENVELOPE)[..3], [0x81, 125, b'{']);
        assert_eq!(encoded(126 - ENVELOPE)[..5], [0x81, 126, 0, 126, b'{']);
        assert_eq!(encoded(0xffff - ENVELOPE)[..5], [0x81, 126, 0xff, 0xff, b'{']);
        assert_eq!(encoded(0x1_0000 - ENVELOPE)[..11], [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0, b'{']);
        assert_eq!(encoded(0x1_0000 - ENVELOPE).len(), 10 + 0x1_0000);
    }

    #[test]
    fn the_frames_of_a_batch_are_found_again() {
        let lengths = [0, 3, 125 - ENVELOPE, 126 - ENVELOPE, 0xffff - ENVELOPE, 0x1_0000 - ENVELOPE, 1];
        let batch: Vec<u8> = lengths.into_iter().flat_map(encoded).collect();
        let found: Vec<_> = frames(&batch).map(|(frame, payload)| (frame.to_vec(), payload.len() - ENVELOPE)).collect();
        assert_eq!(found, lengths.map(|length| (encoded(length), length)));
    }

    #[test]
    fn notices_are_text_frames_too() {
        let mut out = Vec::new();
        missed(&mut out, Some(7), CURSOR);
        assert_eq!(out, b"\x81\x1f{\"missed\":7,\"id\":\"5f3a9c21-42\"}");
        assert_eq!(opening(CURSOR), b"\x81\x16{\"open\":\"5f3a9c21-42\"}");
    }
}
