//! The length of a response's body, and the data inside its coding. Source: RFC 9112 §6 and §7.

use http::StatusCode;

use crate::clients::error::ConnectionError;

/// The longest total of a chunk's extensions, or of all trailers. Chosen here.
const MOST_SPARE: u16 = 16 * 1024;

/// The rest of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// This many bytes.
    Sized(u64),
    /// Chunks, up to the last.
    Chunked(Chunks),
    /// Everything until the connection closes.
    UntilClosed,
}

/// The position inside a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunks {
    at: At,
    /// How many more bytes of extensions or trailers are accepted.
    spare: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Before the first digit of a size.
    Begin,
    Size(u64),
    /// After the digits, inside an extension.
    Extension(u64),
    /// Before the LF that ends the size line.
    Sized(u64),
    Data(u64),
    /// Before the CR, and before the LF, after a chunk's data.
    DataCr,
    DataLf,
    /// At the start of a trailer line, and inside one.
    Trailer,
    InTrailer,
    TrailerLf,
    /// Before the very last LF.
    LastLf,
    Over,
}

impl Body {
    /// The body after a head (RFC 9112 §6.3).
    pub(crate) fn of(
        status: StatusCode,
        is_http_11: bool,
        fields: &[httparse::Header<'_>],
    ) -> Result<Self, &'static str> {
        let values = |name: &'static str| {
            let named = fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name));
            named.map(|field| field.value.trim_ascii())
        };
        if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::SWITCHING_PROTOCOLS) {
            return Ok(Self::Sized(0));
        }
        let mut codings = values("transfer-encoding");
        let mut lengths = values("content-length");
        match (codings.next(), lengths.next()) {
            (None, None) => Ok(Self::UntilClosed),
            (None, Some(length)) if lengths.all(|other| other == length) => {
                decimal(length).map(Self::Sized).ok_or("its Content-Length is no number")
            }
            (None, Some(_)) => Err("it has two lengths"),
            (Some(_), Some(_)) => Err("it has both a Transfer-Encoding and a Content-Length"),
            (Some(coding), None)
                if coding.eq_ignore_ascii_case(b"chunked") && codings.next().is_none() && is_http_11 =>
            {
                Ok(Self::chunked())
            }
            (Some(_), None) => Err("its Transfer-Encoding is not just chunked"),
        }
    }

    pub(crate) const fn chunked() -> Self {
        Self::Chunked(Chunks { at: At::Begin, spare: MOST_SPARE })
    }

    /// Takes the next piece of data out of these bytes, with the coding before it; `None` where the body is over or
    /// needs more bytes.
    fn next_piece<'b>(&mut self, bytes: &mut &'b [u8]) -> Result<Option<&'b [u8]>, &'static str> {
        let piece = match self {
            Self::Sized(left) => take(left, bytes),
            Self::UntilClosed => std::mem::take(bytes),
            Self::Chunked(chunks) => chunks.next_piece(bytes)?,
        };
        Ok(Some(piece).filter(|piece| !piece.is_empty()))
    }

    /// The same for a response that nothing may follow, because no further request was sent.
    pub(crate) fn piece<'b>(&mut self, bytes: &mut &'b [u8]) -> Result<Option<&'b [u8]>, ConnectionError> {
        let piece = self.next_piece(bytes).map_err(ConnectionError::Response)?;
        if piece.is_none() && !bytes.is_empty() {
            return Err(ConnectionError::Response("more bytes follow its body"));
        }
        Ok(piece)
    }

    /// Whether the body is complete.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self, Self::Sized(0) | Self::Chunked(Chunks { at: At::Over, .. }))
    }

    /// Whether the body may end here by the end of the connection.
    pub(crate) fn may_end(&self) -> bool {
        self.is_over() || *self == Self::UntilClosed
    }
}

impl Chunks {
    fn next_piece<'b>(&mut self, bytes: &mut &'b [u8]) -> Result<&'b [u8], &'static str> {
        while let Some((&byte, rest)) = bytes.split_first() {
            self.at = match (self.at, byte) {
                (At::Data(left), _) => {
                    let mut left = left;
                    let piece = take(&mut left, bytes);
                    self.at = if left == 0 { At::DataCr } else { At::Data(left) };
                    return Ok(piece);
                }
                (At::Over, _) => return Ok(&[]),
                (At::Begin, _) => At::Size(hex(byte).ok_or("a chunk has no size")?),
                (At::Size(size), b'\r') | (At::Extension(size), b'\r') => At::Sized(size),
                (At::Size(size), b';' | b' ' | b'\t') => At::Extension(size),
                (At::Size(size), _) => {
                    let digit = hex(byte).ok_or("a chunk's size is no number")?;
                    At::Size(size.checked_mul(16).ok_or("a chunk is too long")? + digit)
                }
                (At::Extension(size), 0x21..=0x7e | 0x80.. | b' ' | b'\t') => {
                    self.spend()?;
                    At::Extension(size)
                }
                (At::Sized(0), b'\n') => At::Trailer,
                (At::Sized(size), b'\n') => At::Data(size),
                (At::DataCr, b'\r') => At::DataLf,
                (At::DataLf, b'\n') => {
                    self.spare = MOST_SPARE;
                    At::Begin
                }
                (At::Trailer, b'\r') => At::LastLf,
                (At::InTrailer, b'\r') => At::TrailerLf,
                (At::Trailer | At::InTrailer, byte) if byte != b'\n' => {
                    self.spend()?;
                    At::InTrailer
                }
                (At::TrailerLf, b'\n') => At::Trailer,
                (At::LastLf, b'\n') => At::Over,
                (
                    At::Extension(_)
                    | At::Sized(_)
                    | At::DataCr
                    | At::DataLf
                    | At::Trailer
                    | At::InTrailer
                    | At::TrailerLf
                    | At::LastLf,
                    _,
                ) => return Err("its chunks are malformed"),
            };
            *bytes = rest;
        }
        Ok(&[])
    }

    fn spend(&mut self) -> Result<(), &'static str> {
        self.spare = self.spare.checked_sub(1).ok_or("a chunk's extensions or its trailers are too long")?;
        Ok(())
    }
}

/// Takes up to `left` bytes.
fn take<'b>(left: &mut u64, bytes: &mut &'b [u8]) -> &'b [u8] {
    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
    let (piece, rest) = bytes.split_at(length);
    *bytes = rest;
    *left -= length as u64;
    piece
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let value = |sum: u64, digit: &u8| sum.checked_mul(10)?.checked_add(u64::from((*digit as char).to_digit(10)?));
    (!digits.is_empty()).then_some(())?;
    digits.iter().try_fold(0, value)
}

fn hex(digit: u8) -> Option<u64> {
    (digit as char).to_digit(16).map(u64::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The data of a body that comes in pieces of these lengths, how many bytes follow it, and its state.
    fn data(mut body: Body, text: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, usize, Body), &'static str> {
        let (mut out, mut rest) = (Vec::new(), text);
        for cut in cuts.iter().cycle() {
            let (mut now, after) = rest.split_at((*cut).min(rest.len()));
            while let Some(piece) = body.next_piece(&mut now)? {
                out.extend_from_slice(piece);
            }
            let left = now.len() + after.len();
            if body.is_over() || after.is_empty() {
                return Ok((out, left, body));
            }
            rest = after;
        }
        unreachable!("cuts are not empty");
    }

    #[test]
    fn the_standards_coding_is_read() {
        let text =
            b"4\r\nWiki\r\n5;a=\"b;\xe9\"\r\npedia\r\n0B \r\n in\r\nchunks\r\n0;last\r\nExpires: x\r\n\r\nHTTP/1.1";
        for cuts in [&[usize::MAX][..], &[1], &[3, 2]] {
            let (out, left, body) = data(Body::chunked(), text, cuts).unwrap();
            assert_eq!((&out[..], left, body.is_over()), (&b"Wikipedia in\r\nchunks"[..], 8, true));
        }
    }

    #[test]
    fn a_body_has_its_length_and_no_byte_more() {
        for (length, out, left, is_over) in [(0, "", 5, true), (3, "abc", 2, true), (9, "abcde", 0, false)] {
            let (data, rest, body) = data(Body::Sized(length), b"abcde", &[2]).unwrap();
            assert_eq!((&data[..], rest, body.is_over(), body.may_end()), (out.as_bytes(), left, is_over, is_over));
        }
        let (all, 0, body) = data(Body::UntilClosed, b"abcde", &[2]).unwrap() else { panic!("all of it") };
        assert_eq!((&all[..], body.is_over(), body.may_end()), (&b"abcde"[..], false, true));
    }

    #[test]
    fn a_coding_that_could_be_misread_is_refused() {
        let long = format!("1;{}\r\n", "x".repeat(20_000));
        for text in [
            "\r\n",
            "x\r\n",
            "-1\r\n",
            "1\n",
            "1\r\na\n",
            "1\r\nab\r\n",
            "10000000000000000\r\n",
            "0\r\n\n",
            "0\r\nX: y\n",
            "1 \x01\r\n",
            &long,
        ] {
            assert!(data(Body::chunked(), text.as_bytes(), &[usize::MAX]).is_err(), "{text:?}");
            assert!(data(Body::chunked(), text.as_bytes(), &[1]).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn chunked_data_is_read_wherever_it_was_cut(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 0..6),
            cuts in proptest::collection::vec(1_usize..50, 1..9),
        ) {
            let mut text = Vec::new();
            for piece in &pieces {
                text.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                text.extend_from_slice(piece);
                text.extend_from_slice(b"\r\n");
            }
            text.extend_from_slice(b"0\r\n\r\n");
            let (out, left, body) = data(Body::chunked(), &text, &cuts).unwrap();
            prop_assert_eq!((out, left, body.is_over()), (pieces.concat(), 0, true));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>, cuts in proptest::collection::vec(1_usize..9, 1..4)) {
            drop(data(Body::chunked(), &bytes, &cuts));
        }
    }
}
