//! WebSocket frames, as a client reads and writes them. Source: RFC 6455 §5.

use super::deflate::Deflate;
use crate::clients::error::{LONGEST_MESSAGE, MASKED as MASKED_BY_A_SERVER};
use crate::clients::io::Input;

const FINAL: u8 = 0x80;
const COMPRESSED: u8 = 0x40;
const RESERVED: u8 = 0x30;
const MASKED: u8 = 0x80;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xa;

/// The longest payload of a control frame (§5.5).
const LONGEST_CONTROL: usize = 125;

/// A message from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message<'a> {
    Text(&'a [u8]),
    Binary,
    Ping(&'a [u8]),
    Pong,
    /// With its code, if it has one.
    Close(Option<u16>),
}

/// Cuts the input into messages.
#[derive(Debug, Default)]
pub(crate) struct FrameReader {
    /// An incomplete message that comes in fragments.
    fragments: Option<Fragments>,
    /// The content of the last message that came in fragments or compressed.
    joined: Vec<u8>,
    /// Present where compression was agreed on.
    deflate: Option<Deflate>,
}

/// The beginning of a message: its kind, whether it is compressed, and its content so far.
#[derive(Debug)]
struct Fragments {
    kind: u8,
    is_compressed: bool,
    content: Vec<u8>,
}

struct Head {
    is_final: bool,
    is_compressed: bool,
    kind: u8,
    head: usize,
    payload: usize,
}

/// The error for a message that is longer than [`LONGEST_MESSAGE`].
pub(crate) const TOO_LONG: &str = "a message is too long";

impl FrameReader {
    /// A reader of compressed messages, too, where that was agreed on.
    pub(crate) fn new(deflate: Option<Deflate>) -> Self {
        Self { deflate, ..Self::default() }
    }

    /// Takes the next whole message.
    pub(crate) fn next<'i>(&'i mut self, input: &'i mut Input) -> Result<Option<Message<'i>>, &'static str> {
        self.joined = Vec::new();
        while let Some(Head { is_final, is_compressed, kind, head, payload }) = head_of(input.bytes())? {
            if input.bytes().len() < head + payload {
                break;
            }
            if is_compressed && (self.deflate.is_none() || !matches!(kind, TEXT | BINARY)) {
                return Err("a reserved bit is set and no extension was agreed on");
            }
            input.take(head);
            match (kind, &mut self.fragments) {
                (TEXT | BINARY, None) if is_final && !is_compressed => {
                    return Ok(Some(whole(kind, input.take(payload))));
                }
                (TEXT | BINARY, None) if is_final => {
                    self.joined = inflated(self.deflate.as_mut(), input.take(payload))?;
                    return Ok(Some(whole(kind, &self.joined)));
                }
                (TEXT | BINARY, fragments @ None) => {
                    *fragments = Some(Fragments { kind, is_compressed, content: input.take(payload).to_vec() });
                }
                (TEXT | BINARY, Some(_)) => return Err("a message begins inside another"),
                (CONTINUATION, None) => return Err("a continuation without a message"),
                (CONTINUATION, Some(begun)) if begun.content.len() + payload > LONGEST_MESSAGE => return Err(TOO_LONG),
                (CONTINUATION, Some(begun)) => {
                    begun.content.extend_from_slice(input.take(payload));
                    if is_final && let Some(Fragments { kind, is_compressed, content }) = self.fragments.take() {
                        self.joined = if is_compressed { inflated(self.deflate.as_mut(), &content)? } else { content };
                        return Ok(Some(whole(kind, &self.joined)));
                    }
                }
                (PING, _) => return Ok(Some(Message::Ping(input.take(payload)))),
                (PONG, _) => {
                    input.take(payload);
                    return Ok(Some(Message::Pong));
                }
                (CLOSE, _) => return close_of(input.take(payload)).map(Some),
                (_unknown, _) => return Err("an unknown kind of frame"),
            }
        }
        Ok(None)
    }

    /// Appends a text message, as one masked frame, compressed where that was agreed on.
    pub(crate) fn write_text(&mut self, out: &mut Vec<u8>, text: &str, key: [u8; 4]) {
        match self.deflate.as_mut().and_then(|deflate| deflate.deflate(text.as_bytes())) {
            Some(payload) => write(out, COMPRESSED | TEXT, &payload, key),
            None => write(out, TEXT, text.as_bytes(), key),
        }
    }
}

fn inflated(deflate: Option<&mut Deflate>, payload: &[u8]) -> Result<Vec<u8>, &'static str> {
    deflate.and_then(|deflate| deflate.inflate(payload)).ok_or("a message cannot be decompressed, or is too long")
}

fn whole(kind: u8, payload: &[u8]) -> Message<'_> {
    if kind == TEXT { Message::Text(payload) } else { Message::Binary }
}

fn close_of(payload: &[u8]) -> Result<Message<'static>, &'static str> {
    match payload {
        [] => Ok(Message::Close(None)),
        [_] => Err("a close with half a code"),
        [high, low, ..] => Ok(Message::Close(Some(u16::from_be_bytes([*high, *low])))),
    }
}

/// The head of the frame that begins here; `None` until it is complete.
fn head_of(bytes: &[u8]) -> Result<Option<Head>, &'static str> {
    let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
    if first & RESERVED != 0 {
        return Err("a reserved bit is set and no extension was agreed on");
    }
    if second & MASKED != 0 {
        return Err(MASKED_BY_A_SERVER);
    }
    let (is_final, is_compressed, kind) = (first & FINAL != 0, first & COMPRESSED != 0, first & 0x0f);
    let (payload, head) = match (second, rest) {
        (126, &[a, b, ..]) => (u64::from(u16::from_be_bytes([a, b])), 4),
        (127, &[a, b, c, d, e, f, g, h, ..]) => (u64::from_be_bytes([a, b, c, d, e, f, g, h]), 10),
        (126 | 127, _) => return Ok(None),
        (short, _) => (u64::from(short), 2),
    };
    let payload = usize::try_from(payload).unwrap_or(usize::MAX);
    if payload > LONGEST_MESSAGE {
        return Err(TOO_LONG);
    }
    if kind >= CLOSE && (!is_final || payload > LONGEST_CONTROL) {
        return Err("a control frame is fragmented or too long");
    }
    Ok(Some(Head { is_final, is_compressed, kind, head, payload }))
}

/// Appends a final frame, masked as a client must do (§5.3).
pub(crate) fn write(out: &mut Vec<u8>, kind: u8, payload: &[u8], key: [u8; 4]) {
    out.push(FINAL | kind);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ ..126), _) => out.push(MASKED | length),
        (_, Ok(length)) => {
            out.push(MASKED | 126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        (_, Err(_)) => {
            out.push(MASKED | 127);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&key);
    out.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use proptest::prelude::*;

    use super::*;

    /// The messages of these bytes, read piece by piece.
    fn read_pieces<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> Result<Vec<String>, &'static str> {
        let (mut reader, mut input, mut out) = (FrameReader::default(), Input::default(), Vec::new());
        for mut piece in pieces {
            while !piece.is_empty() {
                input.fill(&mut piece).now_or_never().unwrap().unwrap();
                while let Some(message) = reader.next(&mut input)? {
                    out.push(format!("{message:?}"));
                }
            }
        }
        Ok(out)
    }

    fn read(bytes: &[u8]) -> Result<Vec<String>, &'static str> {
        read_pieces([bytes])
    }

    fn told(message: Message<'_>) -> Result<Vec<String>, &'static str> {
        Ok(vec![format!("{message:?}")])
    }

    /// The examples of RFC 6455 §5.7.
    #[test]
    fn the_specifications_frames_are_read() {
        assert_eq!(read(b"\x81\x05Hello"), told(Message::Text(b"Hello")));
        assert_eq!(read(b"\x01\x03Hel\x80\x02lo"), told(Message::Text(b"Hello")));
        assert_eq!(read(b"\x89\x05Hello"), told(Message::Ping(b"Hello")));
        let (mut medium, mut long) = (b"\x82\x7e\x01\x00".to_vec(), b"\x82\x7f\0\0\0\0\0\x01\0\0".to_vec());
        medium.resize(4 + 256, 0);
        long.resize(10 + 65_536, 0);
        assert_eq!((read(&medium), read(&long)), (told(Message::Binary), told(Message::Binary)));
        assert_eq!((read(&medium[..259]), read(&long[..65_545])), (Ok(vec![]), Ok(vec![])));
        assert_eq!(read(b"\x88\x02\x03\xe8"), told(Message::Close(Some(1000))));
        assert_eq!(read(b"\x88\x00"), told(Message::Close(None)));
    }

    #[test]
    fn the_specifications_masked_frame_is_written() {
        let mut out = Vec::new();
        FrameReader::default().write_text(&mut out, "Hello", [0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(out, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
        for (length, head) in [(125, 6), (126, 8), (65_535, 8), (65_536, 14)] {
            let mut out = Vec::new();
            write(&mut out, PONG, &vec![1; length], [0; 4]);
            assert_eq!(out.len(), head + length);
        }
    }

    #[test]
    fn a_control_frame_may_come_between_parts() {
        let read = read(b"\x01\x01a\x89\x01p\x00\x01b\x80\x01c\x81\x01d").unwrap();
        let said = [Message::Ping(b"p"), Message::Text(b"abc"), Message::Text(b"d")];
        assert_eq!(read, said.map(|message| format!("{message:?}")));
    }

    #[test]
    fn frames_that_no_server_may_send_are_refused() {
        let mut long_ping = b"\x89\x7e\x00\x7e".to_vec();
        long_ping.resize(130, 0);
        let masked = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
        let wrong: [&[u8]; 9] = [
            masked,
            &long_ping,
            b"\xc1\x00",
            b"\x09\x00",
            b"\x80\x00",
            b"\x83\x00",
            b"\x88\x01x",
            b"\x01\x00\x81\x00",
            b"\x81\x7f\xff\0\0\0\0\0\0\0",
        ];
        for bytes in wrong {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn messages_come_out_whole_however_they_were_cut(
            texts in proptest::collection::vec("[a-z]{0,300}", 0..6),
            cuts in proptest::collection::vec(1_usize..200, 1..12),
        ) {
            let mut bytes = Vec::new();
            for text in &texts {
                // A server's frame is a client's frame without mask and key.
                let at = bytes.len();
                FrameReader::default().write_text(&mut bytes, text, [0; 4]);
                bytes[at + 1] ^= MASKED;
                let head = if text.len() < 126 { 2 } else { 4 };
                bytes.drain(at + head..at + head + 4);
            }
            let (mut pieces, mut rest) = (Vec::new(), &bytes[..]);
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            let said: Vec<_> = texts.iter().map(|text| format!("{:?}", Message::Text(text.as_bytes()))).collect();
            prop_assert_eq!(read_pieces(pieces), Ok(said));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            drop(read(&bytes));
        }
    }
}
