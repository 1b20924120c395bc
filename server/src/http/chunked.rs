//! Bodies in chunks: made once for all connections that send them, and decoded as they arrive. Source: RFC 9112
//! §7.1.
//!
//! Extensions and trailers of a received body are discarded. Any other deviation from the standard ends the
//! connection: the bytes after a broken chunk have no certain meaning.

use std::ops::Deref;

use bytes::Bytes;
use httparse::{EMPTY_HEADER, Status};

use super::head::has_bare_line_feed;
use crate::limits;
use crate::memory::{self, Buffer, Lease, OutOfMemory};

/// The digits of the longest length, and the line break after them.
const SIZE_LINE: usize = 2 * size_of::<usize>() + LINE_BREAK.len();

const LINE_BREAK: &[u8] = b"\r\n";

/// The chunk that ends a body.
pub(crate) const LAST: &[u8] = b"0\r\n\r\n";

/// Content between the bytes that make it a chunk: one buffer, shared by the connections that send chunks and by
/// those that do not. Each writes it with one plain write, which costs less than a vectored write of the parts.
#[derive(Clone, Debug)]
pub(crate) struct Chunkable {
    buffer: Bytes,
    /// The place of the chunk in the buffer, up to the end. The content stands at [`SIZE_LINE`].
    chunk: usize,
}

impl Chunkable {
    /// A buffer to which content is appended: it has room for the size line in front.
    pub(crate) fn buffer(capacity: usize) -> Vec<u8> {
        let mut buffer = Vec::with_capacity(Self::room(capacity));
        buffer.resize(SIZE_LINE, 0);
        buffer
    }

    /// How many bytes a [`Self::buffer`] of that capacity takes.
    pub(crate) const fn room(capacity: usize) -> usize {
        SIZE_LINE + capacity + LINE_BREAK.len()
    }

    /// How many bytes of content a [`Self::buffer`] has.
    pub(crate) const fn length(buffer: &[u8]) -> usize {
        buffer.len() - SIZE_LINE
    }

    /// The content of a [`Self::buffer`], with the memory that was leased for it before it was made; `None` where it
    /// takes more, and no more is left.
    pub(crate) fn finish(mut buffer: Vec<u8>, mut lease: Lease) -> Option<Self> {
        let chunk = Self::frame(&mut buffer);
        lease.reach(buffer.capacity()).then(|| Self { buffer: memory::leased(buffer, lease), chunk })
    }

    /// The content of a [`Self::buffer`] for which memory was leased before it was made.
    pub(crate) fn leased(mut buffer: Vec<u8>, lease: Lease) -> Self {
        let chunk = Self::frame(&mut buffer);
        buffer.shrink_to_fit();
        Self { buffer: memory::leased(buffer, lease), chunk }
    }

    /// Puts the size line and the line break around the content; gives the place of the chunk.
    fn frame(buffer: &mut Vec<u8>) -> usize {
        let (line, start) = size_line(Self::length(buffer));
        buffer[..SIZE_LINE].copy_from_slice(&line);
        buffer.extend_from_slice(LINE_BREAK);
        start
    }

    /// The content alone, for a body that ends with its connection or is as long as its head says.
    pub(crate) fn content(&self) -> Bytes {
        self.buffer.slice(SIZE_LINE..self.buffer.len() - LINE_BREAK.len())
    }

    /// The content as a chunk. Empty content gives no bytes, as in [`write_chunk`].
    pub(crate) fn chunk(&self) -> Bytes {
        if self.is_empty() { Bytes::new() } else { self.buffer.slice(self.chunk..) }
    }
}

impl Deref for Chunkable {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.buffer[SIZE_LINE..self.buffer.len() - LINE_BREAK.len()]
    }
}

/// Appends `content` as a chunk. Empty content gives no bytes: an empty chunk would end the body.
pub(crate) fn write_chunk(out: &mut Vec<u8>, content: &[u8]) {
    if !content.is_empty() {
        let (line, start) = size_line(content.len());
        out.extend_from_slice(&line[start..]);
        out.extend_from_slice(content);
        out.extend_from_slice(LINE_BREAK);
    }
}

/// The line of a chunk's length, and its first byte.
fn size_line(mut length: usize) -> ([u8; SIZE_LINE], usize) {
    let mut line = [b'\r'; SIZE_LINE];
    line[SIZE_LINE - 1] = b'\n';
    let mut start = SIZE_LINE - LINE_BREAK.len();
    while length > 0 {
        start -= 1;
        line[start] = b"0123456789abcdef"[length & 0xf];
        length >>= 4;
    }
    (line, start)
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
        let budget = Memory::new(1 << 20).batches;
        let chunk = |content: &[u8]| {
            let (mut written, mut buffer) = (Vec::new(), Chunkable::buffer(content.len()));
            write_chunk(&mut written, content);
            buffer.extend_from_slice(content);
            let shared = Chunkable::finish(buffer, budget.none()).unwrap();
            assert_eq!((&shared[..], &shared.content()[..]), (content, content));
            assert_eq!(shared.chunk(), written);
            written
        };
        assert_eq!(chunk(b"hello, chunked"), b"e\r\nhello, chunked\r\n");
        assert!(chunk(&[b'a'; 65_536]).starts_with(b"10000\r\naaa"));
        assert_eq!(chunk(b""), b"", "an empty chunk would end the body");
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
