//! A batch as one chunk of an HTTP/1.1 body: its length in hexadecimal, a line break, the batch,
//! a line break. Source: RFC 9112 §7.1.
//!
//! The length is only known when the batch is made, so room is left for the longest before it. What
//! is written of it is the shortest, and the batch is not copied.

use super::Encoded;

/// The digits of the longest length and the line break after them.
const ROOM: usize = 2 * size_of::<usize>() + LINE_BREAK.len();

const LINE_BREAK: &[u8] = b"\r\n";

/// The chunk that ends a body.
pub const LAST: &[u8] = b"0\r\n\r\n";

/// What `fill` appends, about `length` bytes, as a chunk. Nothing stays nothing: an empty chunk
/// would end the body.
pub(super) fn encode(length: usize, fill: impl FnOnce(&mut Vec<u8>)) -> Encoded {
    let mut out = Vec::with_capacity(ROOM + length + LINE_BREAK.len());
    out.resize(ROOM, b'0');
    fill(&mut out);
    let length = out.len() - ROOM;
    if length == 0 {
        return Encoded { bytes: Vec::new(), start: 0 };
    }
    let head = format!("{length:x}\r\n");
    let start = ROOM - head.len();
    out[start..ROOM].copy_from_slice(head.as_bytes());
    out.extend_from_slice(LINE_BREAK);
    Encoded { bytes: out, start }
}

/// What [`encode`] made a chunk of.
pub(super) fn content(chunk: &[u8]) -> &[u8] {
    let Some(end_of_length) = chunk.iter().position(|&byte| byte == b'\n') else { return &[] };
    let content = &chunk[end_of_length + 1..];
    content.strip_suffix(LINE_BREAK).unwrap_or(content)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn chunk(content: &[u8]) -> Bytes {
        encode(content.len(), |out| out.extend_from_slice(content)).into_bytes()
    }

    #[test]
    fn a_chunk_is_its_length_in_hexadecimal_its_bytes_and_a_line_break() {
        assert_eq!(chunk(b"hello, chunked"), b"e\r\nhello, chunked\r\n"[..]);
        assert!(chunk(&vec![b'a'; 65_536]).starts_with(b"10000\r\naaa"));
    }

    #[test]
    fn an_empty_batch_does_not_end_the_body() {
        assert_eq!(chunk(b""), b""[..]);
        assert_eq!(content(b""), b"");
    }

    #[test]
    fn the_content_is_what_was_put_in_line_breaks_and_all() {
        for bytes in [&b"a"[..], b"\r\n", b"\n\n", b"e\r\nx\r\n"] {
            assert_eq!(content(&chunk(bytes)), bytes);
        }
    }
}
