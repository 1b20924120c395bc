//! A compressor of one response: what was written can be read by the client once it is flushed.

use std::io::{self, Write};

use brotli::CompressorWriter;
use flate2::{Compress, Compression, FlushCompress, Status};
use zstd::zstd_safe::zstd_sys::ZSTD_EndDirective::{self, ZSTD_e_end, ZSTD_e_flush};
use zstd::zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer, get_error_name};

use super::{BROTLI_BITS, BROTLI_QUALITY, Coding, DEFLATE_BITS, DEFLATE_LEVEL, ZSTD_BITS, ZSTD_LEVEL, ZSTD_TABLE_BITS};

/// How much room for output there is at least at a time. Chosen here: more than any of the three needs to flush nothing.
const SPARE: usize = 256;

/// The output buffer of brotli.
const BROTLI_BUFFER: usize = 4 << 10;

/// A compressor with its context.
pub(crate) enum Compressor {
    Zstd(CCtx<'static>),
    Gzip(Box<Compress>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
}

impl Compressor {
    /// # Errors
    /// When zstd has no memory.
    pub(crate) fn new(coding: Coding) -> io::Result<Self> {
        Ok(match coding {
            Coding::Zstd => Self::Zstd(zstd_context().map_err(zstd_error)?),
            Coding::Gzip => Self::Gzip(Box::new(Compress::new_gzip(Compression::new(DEFLATE_LEVEL), DEFLATE_BITS))),
            Coding::Brotli => {
                Self::Brotli(Box::new(CompressorWriter::new(Vec::new(), BROTLI_BUFFER, BROTLI_QUALITY, BROTLI_BITS)))
            }
        })
    }

    /// Appends `content`, compressed and flushed.
    ///
    /// # Errors
    /// When the compressor is broken: its content cannot go on.
    pub(crate) fn write(&mut self, content: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Zstd(context) => run_zstd(context, content, out, ZSTD_e_flush),
            Self::Gzip(compress) => run_deflate(compress, content, out, FlushCompress::Sync),
            Self::Brotli(writer) => {
                writer.write_all(content)?;
                writer.flush()?;
                out.append(writer.get_mut());
                Ok(())
            }
        }
    }

    /// Appends `content` and the end of the coding.
    ///
    /// # Errors
    /// When the compressor is broken.
    pub(crate) fn finish(self, content: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Zstd(mut context) => run_zstd(&mut context, content, out, ZSTD_e_end),
            Self::Gzip(mut compress) => run_deflate(&mut compress, content, out, FlushCompress::Finish),
            Self::Brotli(mut writer) => {
                writer.write_all(content)?;
                out.append(&mut writer.into_inner());
                Ok(())
            }
        }
    }
}

/// A body in a coding.
///
/// # Errors
/// When there is no memory for a compressor.
pub(crate) fn whole(coding: Coding, content: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(content.len() / 2 + SPARE);
    Compressor::new(coding)?.finish(content, &mut out)?;
    out.shrink_to_fit();
    Ok(out)
}

/// Compresses all of `content`, and then as `flush` says.
pub(super) fn run_deflate(
    compress: &mut Compress,
    mut content: &[u8],
    out: &mut Vec<u8>,
    flush: FlushCompress,
) -> io::Result<()> {
    loop {
        out.reserve(SPARE + content.len() / 4);
        let taken = compress.total_in();
        let status = compress.compress_vec(content, out, flush)?;
        content = &content[usize::try_from(compress.total_in() - taken).unwrap_or(usize::MAX)..];
        // Where room is left, all was written.
        if status == Status::StreamEnd || content.is_empty() && out.len() < out.capacity() {
            return Ok(());
        }
    }
}

fn zstd_context() -> Result<CCtx<'static>, usize> {
    let mut context = CCtx::try_create().unwrap_or_default();
    for parameter in [
        CParameter::CompressionLevel(ZSTD_LEVEL),
        CParameter::WindowLog(ZSTD_BITS),
        CParameter::HashLog(ZSTD_TABLE_BITS),
        CParameter::ChainLog(ZSTD_TABLE_BITS),
    ] {
        context.set_parameter(parameter)?;
    }
    Ok(context)
}

fn run_zstd(context: &mut CCtx<'_>, content: &[u8], out: &mut Vec<u8>, end: ZSTD_EndDirective) -> io::Result<()> {
    let mut input = InBuffer::around(content);
    loop {
        out.reserve(SPARE + (content.len() - input.pos()) / 4);
        let start = out.len();
        let mut output = OutBuffer::around_pos(out, start);
        let left = context.compress_stream2(&mut output, &mut input, end).map_err(zstd_error)?;
        if left == 0 && input.pos() == content.len() {
            return Ok(());
        }
    }
}

fn zstd_error(code: usize) -> io::Error {
    io::Error::other(get_error_name(code))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::super::Keeper;
    use super::*;

    /// Reads what was written so far, or all of it, with the decoder of each coding.
    fn read(coding: Coding, bytes: &[u8], wanted: usize) -> Vec<u8> {
        let mut content = vec![0; wanted];
        match coding {
            Coding::Zstd => zstd::Decoder::new(bytes).unwrap().read_exact(&mut content),
            Coding::Gzip => flate2::read::GzDecoder::new(bytes).read_exact(&mut content),
            Coding::Brotli => brotli::Decompressor::new(bytes, 64).read_exact(&mut content),
        }
        .unwrap();
        content
    }

    fn messages() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let text = "[a-e\"{}:, ]{0,300}".prop_map(String::into_bytes);
        let noise = proptest::collection::vec(any::<u8>(), 0..5000);
        proptest::collection::vec(prop_oneof![text, noise], 1..12)
    }

    proptest! {
        #[test]
        fn each_message_can_be_read_once_it_is_written_and_the_end_is_the_end(messages in messages()) {
            for coding in Coding::ALL {
                let (mut compressor, mut out) = (Compressor::new(coding).unwrap(), Vec::new());
                let mut content = Vec::new();
                for message in &messages {
                    compressor.write(message, &mut out).unwrap();
                    content.extend_from_slice(message);
                    prop_assert!(read(coding, &out, content.len()) == content, "{coding:?}");
                }
                compressor.finish(b"", &mut out).unwrap();
                prop_assert!(all(coding, &out) == content, "{coding:?}");
                prop_assert!(all(coding, &whole(coding, &content).unwrap()) == content, "{coding:?}");
            }
        }
    }

    fn all(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        let mut content = Vec::new();
        match coding {
            Coding::Zstd => zstd::Decoder::new(bytes).unwrap().read_to_end(&mut content),
            Coding::Gzip => flate2::read::GzDecoder::new(bytes).read_to_end(&mut content),
            Coding::Brotli => brotli::Decompressor::new(bytes, 64).read_to_end(&mut content),
        }
        .unwrap();
        content
    }

    #[test]
    fn zstd_keeps_no_more_than_is_counted_for_it() {
        let Compressor::Zstd(mut context) = Compressor::new(Coding::Zstd).unwrap() else { unreachable!() };
        let noise: Vec<u8> =
            (0..1_u32 << 18).flat_map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
        for length in [1, 4000, 1 << 16, 1 << 20] {
            run_zstd(&mut context, &noise[..length], &mut Vec::new(), ZSTD_e_flush).unwrap();
        }
        assert!(context.sizeof() <= Keeper::Coding(Coding::Zstd).bytes(), "{}", context.sizeof());
    }
}
