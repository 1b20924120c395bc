//! Bodies in chunks: made without copying their content, and decoded as they arrive. Source: RFC 9112 §7.1.
//!
//! Extensions and trailers of a received body are discarded. Any other deviation from the standard ends the
//! connection: the bytes after a broken chunk have no certain meaning.

use std::io::Cursor;

use bytes::buf::Chain;
use bytes::{Buf, Bytes};
use httparse::{EMPTY_HEADER, Status};

use super::head::has_bare_line_feed;
use crate::limits;
use crate::memory::{Buffer, OutOfMemory};

/// The digits of the longest length, and the line break after them.
const SIZE_LINE: usize = 2 * size_of::<usize>() + LINE_BREAK.len();

const LINE_BREAK: &[u8] = b"\r\n";

/// The chunk that ends a body.
pub(crate) const LAST: &[u8] = b"0\r\n\r\n";

/// A size line, content, and a line break: three parts of one write.
pub(crate) type Chunk = Chain<Chain<Cursor<[u8; SIZE_LINE]>, Bytes>, &'static [u8]>;

/// `content` as a chunk. Empty content gives no bytes: an empty chunk would end the body.
pub(crate) fn chunk(content: Bytes) -> Chunk {
    if content.is_empty() { plain(content) } else { size_line(content.len()).chain(content).chain(LINE_BREAK) }
}

/// `content` alone, for a body that ends with its connection.
pub(crate) fn plain(content: Bytes) -> Chunk {
    let mut nothing = Cursor::new([0; SIZE_LINE]);
    nothing.set_position(SIZE_LINE as u64);
    nothing.chain(content).chain(&[])
}

fn size_line(mut length: usize) -> Cursor<[u8; SIZE_LINE]> {
    let mut line = [b'\r'; SIZE_LINE];
    line[SIZE_LINE - 1] = b'\n';
    let mut start = SIZE_LINE - LINE_BREAK.len();
    while length > 0 {
        start -= 1;
        line[start] = b"0123456789abcdef"[length & 0xf];
        length >>= 4;
    }
    let mut line = Cursor::new(line);
    line.set_position(start as u64);
    line
}

/// The decoder of a chunked body, and its place in the body.
#[derive(Debug)]
pub(crate) struct Chunks {
    part: Part,
    /// How many more bytes may be anything but content.
    slack: usize,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Size,
    Data(usize),
    /// The line break after the data.
    End,
    Trailers,
}

/// Why a chunked body is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChunkError {
    #[error("these are no chunks (RFC 9112, section 7.1)")]
    Malformed,
    #[error("the body is too long")]
    TooLong,
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
}

impl Chunks {
    /// The decoder of a body of at most `limit` bytes.
    ///
    /// A chunk of one byte takes six bytes on the wire. A body of more than eight times its content abuses
    /// extensions.
    pub(crate) const fn new(limit: usize) -> Self {
        Self { part: Part::Size, slack: limit.saturating_mul(8).saturating_add(limits::HEAD_BYTES) }
    }

    /// Moves content from `raw` to `body`; whether the body has ended. Bytes after its end stay in `raw`.
    pub(crate) fn decode(&mut self, raw: &mut Buffer, body: &mut Buffer, limit: usize) -> Result<bool, ChunkError> {
        loop {
            match self.part {
                // httparse takes a line without a digit for the last chunk.
                Part::Size if raw.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) => {
                    return Err(ChunkError::Malformed);
                }
                Part::Size => match httparse::parse_chunk_size(raw).or(Err(ChunkError::Malformed))? {
                    // httparse accepts any byte in an extension.
                    Status::Complete((length, _)) if has_bare_line_feed(&raw[..length]) => {
                        return Err(ChunkError::Malformed);
                    }
                    Status::Complete((length, size)) => {
                        let size = usize::try_from(size).unwrap_or(usize::MAX);
                        if size > limit - body.len() {
                            return Err(ChunkError::TooLong);
                        }
                        self.forget(raw, length)?;
                        self.part = if size == 0 { Part::Trailers } else { Part::Data(size) };
                    }
                    Status::Partial => return wait(raw),
                },
                Part::Data(left) => {
                    let length = left.min(raw.len());
                    body.extend(&raw[..length])?;
                    raw.consume(length);
                    if length < left {
                        self.part = Part::Data(left - length);
                        return Ok(false);
                    }
                    self.part = Part::End;
                }
                Part::End => match raw.get(..2) {
                    Some(b"\r\n") => {
                        self.forget(raw, 2)?;
                        self.part = Part::Size;
                    }
                    Some(_) => return Err(ChunkError::Malformed),
                    None => return Ok(false),
                },
                Part::Trailers => {
                    let mut fields = [EMPTY_HEADER; limits::HEAD_FIELDS];
                    match httparse::parse_headers(raw, &mut fields).or(Err(ChunkError::Malformed))? {
                        Status::Complete((length, _)) if !has_bare_line_feed(&raw[..length]) => {
                            self.forget(raw, length)?;
                            return Ok(true);
                        }
                        Status::Complete(_) => return Err(ChunkError::Malformed),
                        Status::Partial => return wait(raw),
                    }
                }
            }
        }
    }

    fn forget(&mut self, raw: &mut Buffer, length: usize) -> Result<(), ChunkError> {
        raw.consume(length);
        self.slack = self.slack.checked_sub(length).ok_or(ChunkError::Malformed)?;
        Ok(())
    }
}

/// Waits for the rest of a line, which may be as long as a head.
fn wait(raw: &Buffer) -> Result<bool, ChunkError> {
    if raw.len() < limits::HEAD_BYTES { Ok(false) } else { Err(ChunkError::Malformed) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::memory::Memory;

    const LIMIT: usize = 100;

    type Decoded = (Vec<u8>, Vec<u8>);

    /// Decodes pieces one after the other; gives the body and the bytes after it.
    fn decoded<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<Decoded>, ChunkError> {
        let memory = Memory::new(1 << 20);
        let (mut raw, mut body) = (Buffer::new(&memory.incoming), Buffer::new(&memory.incoming));
        let (mut chunks, mut is_whole) = (Chunks::new(LIMIT), false);
        for piece in pieces {
            raw.extend(piece).unwrap();
            is_whole = is_whole || chunks.decode(&mut raw, &mut body, LIMIT)?;
        }
        Ok(is_whole.then(|| (body.to_vec(), raw.to_vec())))
    }

    #[test]
    fn a_chunk_is_its_length_in_hexadecimal_its_bytes_and_a_line_break() {
        let chunk = |content: &'static [u8]| {
            let mut chunk = chunk(Bytes::from_static(content));
            chunk.copy_to_bytes(chunk.remaining())
        };
        assert_eq!(chunk(b"hello, chunked"), b"e\r\nhello, chunked\r\n"[..]);
        assert!(chunk(&[b'a'; 65_536]).starts_with(b"10000\r\naaa"));
        assert_eq!(chunk(b""), b""[..], "an empty chunk would end the body");
        assert_eq!(plain(Bytes::from_static(b"a")).chunk(), b"a");
    }

    #[test]
    fn chunks_are_joined_and_extensions_and_trailers_discarded() {
        let whole = b"3;a=b\r\n{\"a\r\n04\r\n\":1}\r\n0;x\r\nTrailer: t\r\n\r\nGET";
        let (body, rest) = (b"{\"a\":1}".to_vec(), b"GET".to_vec());
        assert_eq!(decoded([&whole[..]]), Ok(Some((body.clone(), rest.clone()))));
        for cut in 0..whole.len() {
            assert_eq!(decoded([&whole[..cut], &whole[cut..]]), Ok(Some((body.clone(), rest.clone()))), "{cut}");
        }
        assert_eq!(decoded(whole.chunks(1)), Ok(Some((body, rest))));
    }

    #[test]
    fn a_malformed_chunk_is_refused() {
        for broken in [
            &b"g\r\n"[..],
            b"-7\r\n",
            b"\r\n",
            b"1\na\n0\n\n",
            b"ffffffffffffffff1\r\n",
            b"1\r\naxx",
            b"1 1\r\n",
            b"1;a\nb\r\n",
            b"0\r\n\n",
            b"0\r\nX: y\n\r\n",
            b"0\r\nno field\r\n\r\n",
        ] {
            assert_eq!(decoded([broken]), Err(ChunkError::Malformed), "{broken:?}");
        }
        assert_eq!(decoded([&b"65\r\n"[..]]), Err(ChunkError::TooLong));
        assert_eq!(decoded([&b"60\r\n"[..], &[b'1'; 0x60], b"\r\n5\r\n"]), Err(ChunkError::TooLong));
    }

    #[test]
    fn a_line_without_an_end_and_a_body_of_extensions_are_refused() {
        let endless = [b"1;".to_vec(), vec![b'x'; limits::HEAD_BYTES]].concat();
        assert_eq!(decoded([&endless[..]]), Err(ChunkError::Malformed));
        let extended = [b"1;".to_vec(), vec![b'x'; 1000], b"\r\na\r\n".to_vec()].concat();
        assert_eq!(decoded(vec![&extended[..]; 50]), Err(ChunkError::Malformed));
    }

    proptest! {
        #[test]
        fn no_input_makes_the_decoder_panic_or_exceed_its_limit(pieces in proptest::collection::vec(
            prop_oneof![any::<Vec<u8>>(), Just(b"5\r\nabcde\r\n".to_vec()), Just(b"0\r\n\r\n".to_vec())], 0..8,
        )) {
            if let Ok(Some((body, _))) = decoded(pieces.iter().map(Vec::as_slice)) {
                prop_assert!(body.len() <= LIMIT);
            }
        }
    }
}
