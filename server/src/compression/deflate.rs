//! Messages deflated and inflated as permessage-deflate has it. Source: RFC 7692 §7.2.
//!
//! A message is compressed, flushed to a byte boundary, and loses the four bytes of the empty block that the flush ends
//! with; the reader puts them back.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::compressor::run_deflate;
use super::{Context, DEFLATE_LEVEL};
use crate::memory::{Buffer, OutOfMemory};

/// The end of an empty block, which a flush adds and a message leaves out.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// How much is inflated at a time.
const PIECE: usize = 4 << 10;

/// The window that any sender keeps within.
const WIDEST: u8 = 15;

/// The most bytes that a message of so many may take deflated. Chosen here: deflate itself adds less than a hundredth to
/// what cannot be compressed.
pub(crate) const fn longest_deflated(length: usize) -> usize {
    length.saturating_add(length / 8).saturating_add(64)
}

/// A compressor of messages.
#[derive(Debug)]
pub(crate) struct Deflater {
    compress: Compress,
    context: Context,
}

impl Deflater {
    /// With a window of `bits`, 9 to 15.
    pub(crate) fn new(bits: u8, context: Context) -> Self {
        Self { compress: Compress::new_with_window_bits(Compression::new(DEFLATE_LEVEL), false, bits), context }
    }

    /// Appends a message, deflated.
    ///
    /// # Errors
    /// When the compressor is broken: the connection cannot go on.
    pub(crate) fn message(&mut self, message: &[u8], out: &mut Vec<u8>) -> std::io::Result<()> {
        if message.is_empty() {
            // The first byte of an empty block (§7.2.3.6); a flush without input gives no bytes.
            out.push(0);
            return Ok(());
        }
        if self.context == Context::None {
            self.compress.reset();
        }
        run_deflate(&mut self.compress, message, out, FlushCompress::Sync)?;
        out.truncate(out.len() - if out.ends_with(&TAIL) { TAIL.len() } else { 0 });
        Ok(())
    }
}

/// A decompressor of messages.
#[derive(Debug)]
pub(crate) struct Inflater {
    decompress: Decompress,
}

/// Why a message cannot be inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InflateError {
    /// The bytes are not deflated.
    #[error("a compressed message is deflated (RFC 7692 §7.2.2)")]
    Malformed,
    /// The message has more bytes than allowed. No more than those were made.
    #[error("the message is too long")]
    TooLong,
    /// There is no memory for the message.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
}

impl Inflater {
    /// A decompressor without any context yet. It reads what any window made: zlib-rs keeps the same memory for each.
    pub(crate) fn new() -> Self {
        Self { decompress: Decompress::new_with_window_bits(false, WIDEST) }
    }

    /// Appends a message of at most `limit` bytes to `out`, inflated.
    pub(crate) fn message(&mut self, deflated: &[u8], limit: usize, out: &mut Buffer) -> Result<(), InflateError> {
        for mut rest in [deflated, &TAIL] {
            loop {
                let mut piece = [0; PIECE];
                let (read, made) = (self.decompress.total_in(), self.decompress.total_out());
                let status = self.decompress.decompress(rest, &mut piece, FlushDecompress::None);
                let status = status.ok().ok_or(InflateError::Malformed)?;
                let read = usize::try_from(self.decompress.total_in() - read).unwrap_or(usize::MAX);
                let made = usize::try_from(self.decompress.total_out() - made).unwrap_or(usize::MAX);
                rest = &rest[read..];
                if out.len() + made > limit {
                    return Err(InflateError::TooLong);
                }
                out.extend(&piece[..made])?;
                match status {
                    // A block may say that it is the last (§7.2.3.4): what follows begins anew.
                    Status::StreamEnd => self.decompress.reset(false),
                    Status::Ok | Status::BufError if read == 0 && made == 0 && !rest.is_empty() => {
                        return Err(InflateError::Malformed);
                    }
                    Status::Ok | Status::BufError if made < PIECE && rest.is_empty() => break,
                    Status::Ok | Status::BufError => {}
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
    use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
    use proptest::prelude::*;

    use super::*;
    use crate::memory::Memory;

    fn inflate_within(inflater: &mut Inflater, bytes: &[u8], limit: usize) -> Result<Vec<u8>, InflateError> {
        let mut out = Buffer::new(&Memory::new(64 << 20).incoming);
        inflater.message(bytes, limit, &mut out).map(|()| out.to_vec())
    }

    fn inflate(inflater: &mut Inflater, bytes: &[u8]) -> Vec<u8> {
        inflate_within(inflater, bytes, 1 << 20).unwrap()
    }

    fn deflate(deflater: &mut Deflater, message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        deflater.message(message, &mut out).unwrap();
        out
    }

    const HELLO: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

    #[test]
    fn the_specifications_own_examples_are_read() {
        // RFC 7692 §7.2.3.1, in one block; §7.2.3.2, with the context of a first message.
        let mut inflater = Inflater::new();
        assert_eq!(inflate(&mut inflater, HELLO), b"Hello");
        assert_eq!(inflate(&mut inflater, &[0xf2, 0x00, 0x11, 0x00, 0x00]), b"Hello");
        // §7.2.3.3, a block without compression.
        let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
        assert_eq!(inflate(&mut inflater, &stored), b"Hello");
        // §7.2.3.4, a block that says it is the last; and another message after it.
        assert_eq!(inflate(&mut inflater, &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]), b"Hello");
        assert_eq!(inflate(&mut inflater, HELLO), b"Hello");
        // §7.2.3.5, two blocks; §7.2.3.6, an empty message.
        let two = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflate(&mut inflater, &two), b"Hello");
        assert_eq!(inflate(&mut inflater, &[0x00]), b"");
        assert_eq!(inflate(&mut inflater, HELLO), b"Hello");
    }

    #[test]
    fn the_specifications_own_examples_are_written_byte_for_byte() {
        let mut deflater = Deflater::new(15, Context::Kept);
        assert_eq!(deflate(&mut deflater, b"Hello"), HELLO);
        assert_eq!(deflate(&mut deflater, b"Hello"), [0xf2, 0x00, 0x11, 0x00, 0x00]);
        assert_eq!(deflate(&mut deflater, b""), [0x00]);
        let mut deflater = Deflater::new(12, Context::None);
        assert_eq!([deflate(&mut deflater, b"Hello"), deflate(&mut deflater, b"Hello")], [HELLO, HELLO]);
    }

    #[test]
    fn a_bomb_is_refused_at_the_limit_and_counted_up_to_it() {
        let bomb = deflate(&mut Deflater::new(15, Context::None), &vec![b'1'; 16 << 20]);
        assert!(bomb.len() < 20_000);
        assert_eq!(inflate_within(&mut Inflater::new(), &bomb, 64 << 10), Err(InflateError::TooLong));
        assert!(inflate_within(&mut Inflater::new(), &bomb, 16 << 20).is_err(), "no memory: {}", bomb.len());
        let memory = Memory::new(8 * (32 << 10));
        let mut out = Buffer::new(&memory.incoming);
        let error = Inflater::new().message(&bomb, 64 << 10, &mut out).unwrap_err();
        assert_eq!(error, InflateError::OutOfMemory(OutOfMemory));
        assert!(out.len() <= 32 << 10);
        drop(out);
        assert_eq!(memory.held(), 0);
    }

    #[test]
    fn bytes_that_are_not_deflated_are_refused() {
        for bytes in [&[0x06_u8][..], &[0x00, 0x01, 0x00, 0xff, 0xff, 0x00], &[0xf2, 0x00, 0x11, 0x00, 0x00]] {
            assert_eq!(inflate_within(&mut Inflater::new(), bytes, 100), Err(InflateError::Malformed), "{bytes:?}");
        }
    }

    /// Inflates with another implementation, whose window has just so many bytes.
    fn by_miniz(bits: u8, messages: &[Vec<u8>]) -> Vec<u8> {
        let (mut inflater, mut window, mut at) = (Box::new(DecompressorOxide::new()), vec![0; 1 << bits], 0);
        let mut out = Vec::new();
        for message in messages {
            let whole = [message, &TAIL[..]].concat();
            let mut rest = &whole[..];
            loop {
                let (_, read, made) = decompress(&mut inflater, rest, &mut window, at, TINFL_FLAG_HAS_MORE_INPUT);
                out.extend_from_slice(&window[at..at + made]);
                (rest, at) = (&rest[read..], (at + made) % window.len());
                if rest.is_empty() && made == 0 {
                    break;
                }
                assert!(read > 0 || made > 0, "no progress");
            }
        }
        out
    }

    proptest! {
        #[test]
        fn another_implementation_reads_what_is_written_within_the_window(
            messages in proptest::collection::vec(
                prop_oneof!["[a-f]{0,3000}".prop_map(String::into_bytes), proptest::collection::vec(any::<u8>(), 0..3000)],
                1..8,
            ),
            bits in 9_u8..=15,
        ) {
            let mut deflater = Deflater::new(bits, Context::Kept);
            let deflated: Vec<_> = messages.iter().map(|message| deflate(&mut deflater, message)).collect();
            prop_assert!(by_miniz(bits, &deflated) == messages.concat());
            let mut inflater = Inflater::new();
            for (message, deflated) in messages.iter().zip(&deflated) {
                prop_assert!(&inflate(&mut inflater, deflated) == message);
            }
            let mut alone = Deflater::new(bits, Context::None);
            for message in &messages {
                let deflated = deflate(&mut alone, message);
                prop_assert!(deflated.len() <= longest_deflated(message.len()));
                prop_assert!(&inflate(&mut Inflater::new(), &deflated) == message);
            }
        }

        #[test]
        fn no_bytes_make_the_decompressor_panic_or_exceed_the_limit(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut inflater = Inflater::new();
            for _ in 0..2 {
                if let Ok(message) = inflate_within(&mut inflater, &bytes, 1000) {
                    prop_assert!(message.len() <= 1000);
                }
            }
        }
    }
}
