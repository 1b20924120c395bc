//! Content codings of answers, decoded as their pieces arrive. Sources: RFC 9110 §8.4, RFC 1952, RFC 7932, RFC 8878.

use std::io::{self, Write};

use http::HeaderValue;
use pushoff_model::foreign::{NAME, shown};

use super::error::{ConnectionError, LONGEST_ANSWER};

/// What is asked for where the wire is compressed: what browsers ask for, without `deflate`, which servers understand in
/// two ways (RFC 9110 §8.4.1.2).
pub(crate) const OFFERED: HeaderValue = HeaderValue::from_static("gzip, br, zstd");

/// The decoder of one answer.
pub(crate) enum Decoder {
    Identity,
    Gzip(Box<flate2::write::GzDecoder<Room>>),
    Brotli(Box<brotli::DecompressorWriter<Room>>),
    Zstd(Box<zstd::stream::write::Decoder<'static, Room>>),
}

/// Decoded bytes, fewer than an answer may have: a short piece can decode into very many.
#[derive(Default)]
pub(crate) struct Room(Vec<u8>);

impl Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST_ANSWER {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Decoder {
    /// The decoder for a coding that was asked for; any other is refused.
    pub(crate) fn of(coding: Option<&str>, is_asked: bool) -> Result<Self, ConnectionError> {
        let refused = |coding: &str| Err(ConnectionError::Compressed(shown(coding, NAME)));
        match coding.map(|coding| coding.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "identity") => Ok(Self::Identity),
            Some(coding) if !is_asked => refused(coding),
            Some("gzip" | "x-gzip") => Ok(Self::Gzip(Box::new(flate2::write::GzDecoder::new(Room::default())))),
            Some("br") => Ok(Self::Brotli(Box::new(brotli::DecompressorWriter::new(Room::default(), PIECE)))),
            Some("zstd") => Ok(Self::Zstd(Box::new(zstd::stream::write::Decoder::new(Room::default())?))),
            Some(coding) => refused(coding),
        }
    }

    pub(crate) const fn is_identity(&self) -> bool {
        matches!(self, Self::Identity)
    }

    /// Decodes a piece in place of the one before. Without a coding, nothing is decoded.
    pub(crate) fn decode(&mut self, piece: &[u8]) -> Result<(), ConnectionError> {
        if let Some(room) = self.room() {
            room.0.clear();
        }
        let decoded = match self {
            Self::Identity => Ok(()),
            Self::Gzip(decoder) => decoder.write_all(piece).and_then(|()| decoder.flush()),
            Self::Brotli(decoder) => decoder.write_all(piece).and_then(|()| drain(decoder)),
            Self::Zstd(decoder) => decoder.write_all(piece).and_then(|()| decoder.flush()),
        };
        decoded.map_err(|error| {
            if error.kind() == io::ErrorKind::FileTooLarge {
                ConnectionError::long_answer()
            } else {
                ConnectionError::Response("its coding cannot be decoded")
            }
        })
    }

    /// The decoded bytes of the last piece.
    pub(crate) fn decoded(&mut self) -> &[u8] {
        self.room().map_or(&[], |room| &room.0)
    }

    fn room(&mut self) -> Option<&mut Room> {
        match self {
            Self::Identity => None,
            Self::Gzip(decoder) => Some(decoder.get_mut()),
            Self::Brotli(decoder) => Some(decoder.get_mut()),
            Self::Zstd(decoder) => Some(decoder.get_mut()),
        }
    }
}

/// Takes out all that brotli's decoder has made: with its buffer full and its input read, it keeps the rest to itself.
fn drain(decoder: &mut brotli::DecompressorWriter<Room>) -> io::Result<()> {
    let mut before = None;
    while before != Some(decoder.get_ref().0.len()) {
        before = Some(decoder.get_ref().0.len());
        // Without input, it writes what it holds; `write_all` would not call it.
        let _read = decoder.write(&[])?;
    }
    Ok(())
}

/// How much brotli decodes at a time. Chosen here.
const PIECE: usize = 4 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// The same text in each coding, flushed after every line.
    fn coded(coding: &str, lines: &[&str]) -> Vec<Vec<u8>> {
        fn flushed<W: Write>(mut out: W, lines: &[&str], take: impl Fn(&mut W) -> Vec<u8>) -> Vec<Vec<u8>> {
            let line = |line: &&str| {
                out.write_all(line.as_bytes()).unwrap();
                out.flush().unwrap();
                take(&mut out)
            };
            lines.iter().map(line).collect()
        }
        match coding {
            "gzip" => flushed(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(4)), lines, |out| {
                std::mem::take(out.get_mut())
            }),
            "br" => flushed(brotli::CompressorWriter::new(Vec::new(), 4096, 4, 16), lines, |out| {
                std::mem::take(out.get_mut())
            }),
            _zstd => flushed(zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap(), lines, |out| {
                std::mem::take(out.get_mut())
            }),
        }
    }

    #[test]
    fn what_was_flushed_is_decoded_at_once_wherever_the_pieces_end() {
        let lines = ["{\"a\":1}\n", "{\"a\":2}\n", "a line that is quite a bit longer\n"];
        for coding in ["gzip", "br", "zstd"] {
            for cut in [1, 7, 1_000] {
                let mut decoder = Decoder::of(Some(coding), true).unwrap();
                for (line, bytes) in lines.iter().zip(coded(coding, &lines)) {
                    let mut read = Vec::new();
                    for piece in bytes.chunks(cut) {
                        decoder.decode(piece).unwrap();
                        read.extend_from_slice(decoder.decoded());
                    }
                    assert_eq!(String::from_utf8(read).unwrap(), *line, "{coding} in pieces of {cut}");
                }
            }
        }
    }

    #[test]
    fn a_piece_is_decoded_to_its_end_whatever_the_size_of_buffers() {
        for size in [PIECE - 1, PIECE, PIECE + 1, 3 * PIECE - 5, 1 << 16, (1 << 18) + 1, 1 << 20] {
            let lines = ["x".repeat(size), "y".repeat(size)];
            let lines = lines.each_ref().map(String::as_str);
            for coding in ["gzip", "br", "zstd"] {
                let mut decoder = Decoder::of(Some(coding), true).unwrap();
                for (line, bytes) in lines.iter().zip(coded(coding, &lines)) {
                    decoder.decode(&bytes).unwrap();
                    assert_eq!(decoder.decoded().len(), line.len(), "{coding}");
                    assert!(decoder.decoded() == line.as_bytes(), "{coding}, {size} bytes");
                }
            }
        }
    }

    #[test]
    fn what_was_not_asked_for_is_refused_and_so_is_what_nobody_can_hold() {
        assert!(matches!(Decoder::of(Some("gzip"), false), Err(ConnectionError::Compressed(_))));
        assert!(matches!(Decoder::of(Some("deflate"), true), Err(ConnectionError::Compressed(_))));
        assert!(Decoder::of(Some("identity"), false).unwrap().is_identity());
        let long = "x".repeat(LONGEST_ANSWER + 1);
        for coding in ["gzip", "br", "zstd"] {
            let mut decoder = Decoder::of(Some(coding), true).unwrap();
            let bombs = coded(coding, &[&long]);
            assert!(bombs[0].len() < LONGEST_ANSWER / 100, "{coding}");
            assert!(matches!(decoder.decode(&bombs[0]), Err(ConnectionError::TooLong { .. })), "{coding}");
            let mut decoder = Decoder::of(Some(coding), true).unwrap();
            assert!(decoder.decode(&[0xff; 100]).is_err(), "{coding}");
        }
    }
}
