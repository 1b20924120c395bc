//! Frames and messages of a client, from the bytes that arrive.
//!
//! tungstenite parses the heads of frames. Partial frames and fragments are held here, counted as memory;
//! between two messages nothing is held. An error is the close frame that answers it: no frame after the
//! error can be understood. Source: RFC 6455 §5 to §8.

use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader, Utf8Bytes};

use super::close::{broken, close, no_memory};
use super::deflate::Deflate;
use crate::compression::{InflateError, longest_deflated};
use crate::memory::{Budget, Buffer};

/// The longest control frame (RFC 6455 §5.5), which fits whatever the limit on messages.
const LONGEST_CONTROL: usize = 125;

/// A message or control frame of a client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Text(String),
    Binary(Vec<u8>),
    Ping(Bytes),
    Pong,
    /// With the close that answers it (RFC 6455 §5.5.1).
    Close(Option<CloseFrame>),
}

/// The reader of one connection's frames.
#[derive(Debug)]
pub(crate) struct Frames {
    limit: usize,
    budget: Arc<Budget>,
    /// The beginning of a frame.
    partial: Buffer,
    /// The beginning of a message, boxed because hardly any client fragments.
    unfinished: Option<Box<Unfinished>>,
    /// Permessage-deflate, where it was agreed on. The frames that are sent need it as well: it is here because one
    /// pointer is all that a connection without it has.
    pub(crate) deflate: Option<Box<Deflate>>,
}

/// A message whose last fragment has not arrived.
#[derive(Debug)]
struct Unfinished {
    kind: Data,
    is_deflated: bool,
    bytes: Buffer,
    /// How many bytes are known to be UTF-8, in a text message.
    valid: usize,
}

impl Frames {
    /// A reader of messages of at most `limit` bytes. Partial messages are held in `budget`.
    pub(crate) fn new(limit: usize, budget: &Arc<Budget>) -> Self {
        Self { limit, budget: Arc::clone(budget), partial: Buffer::new(budget), unfinished: None, deflate: None }
    }

    /// Appends bytes that were read from the socket.
    pub(crate) fn extend(&mut self, bytes: &[u8]) -> Result<(), CloseFrame> {
        self.partial.extend(bytes).map_err(no_memory)
    }

    /// The next message or control frame; `None` where its end has not arrived.
    pub(crate) fn next(&mut self) -> Result<Option<Received>, CloseFrame> {
        let mut taken = 0;
        let received = loop {
            match self.frame(taken)? {
                Some((frame, end)) => {
                    taken = end;
                    if let received @ Some(_) = self.receive(frame)? {
                        break received;
                    }
                }
                None => break None,
            }
        };
        self.partial.consume(taken);
        Ok(received)
    }

    /// The frame that begins at `start`, unmasked, and its end.
    fn frame(&self, start: usize) -> Result<Option<(Frame, usize)>, CloseFrame> {
        let mut reader = Cursor::new(&self.partial[start..]);
        let parsed = FrameHeader::parse(&mut reader);
        let header = parsed.map_err(|error| close(CloseCode::Protocol, &error.to_string()))?;
        let Some((mut header, length)) = header else { return Ok(None) };
        let max_size = self.longest(header.rsv1).max(LONGEST_CONTROL);
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        if size > max_size {
            return Err(too_long(size, max_size));
        }
        // The first frame of a message says whether the message is deflated (RFC 7692 §6.2).
        let may_be_deflated =
            self.deflate.is_some() && matches!(header.opcode, OpCode::Data(Data::Text | Data::Binary));
        if header.rsv1 && !may_be_deflated || header.rsv2 || header.rsv3 {
            return Err(broken(ProtocolError::NonZeroReservedBits));
        }
        let Some(mask) = header.mask.take() else { return Err(broken(ProtocolError::UnmaskedFrameFromClient)) };
        let begin = start + usize::try_from(reader.position()).unwrap_or(usize::MAX);
        let Some(masked) = self.partial.get(begin..begin + size) else { return Ok(None) };
        let payload: Vec<u8> = masked.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        Ok(Some((Frame::from_payload(header, payload.into()), begin + size)))
    }

    /// The longest payload of a frame, and of a message before it is inflated.
    fn longest(&self, is_deflated: bool) -> usize {
        let is_deflated = is_deflated || self.unfinished.as_ref().is_some_and(|it| it.is_deflated);
        if is_deflated { longest_deflated(self.limit) } else { self.limit }
    }

    fn receive(&mut self, frame: Frame) -> Result<Option<Received>, CloseFrame> {
        let (is_final, is_deflated) = (frame.header().is_final, frame.header().rsv1);
        match frame.header().opcode {
            OpCode::Control(_) if !is_final => Err(broken(ProtocolError::FragmentedControlFrame)),
            OpCode::Control(_) if frame.payload().len() > LONGEST_CONTROL => {
                Err(broken(ProtocolError::ControlFrameTooBig))
            }
            OpCode::Control(Control::Close) => Ok(Some(Received::Close(answer(&frame.into_payload())?))),
            OpCode::Control(Control::Ping) => Ok(Some(Received::Ping(frame.into_payload()))),
            OpCode::Control(Control::Pong) => Ok(Some(Received::Pong)),
            OpCode::Control(Control::Reserved(code)) => Err(broken(ProtocolError::UnknownControlFrameType(code))),
            OpCode::Data(Data::Reserved(code)) => Err(broken(ProtocolError::UnknownDataFrameType(code))),
            OpCode::Data(kind) => self.fragment(kind, is_final, is_deflated, &frame.into_payload()),
        }
    }

    /// Adds a data frame to its message, and gives the message back once it is whole.
    fn fragment(
        &mut self,
        kind: Data,
        is_final: bool,
        is_deflated: bool,
        payload: &Bytes,
    ) -> Result<Option<Received>, CloseFrame> {
        let longest = self.longest(is_deflated);
        let mut message = match (kind, self.unfinished.take()) {
            (Data::Continue, Some(unfinished)) => unfinished,
            (Data::Continue, None) => return Err(broken(ProtocolError::UnexpectedContinueFrame)),
            (kind, Some(_)) => return Err(broken(ProtocolError::ExpectedFragment(kind))),
            (kind, None) if is_final => return self.whole(kind, is_deflated, payload).map(Some),
            (kind, None) => Box::new(Unfinished { kind, is_deflated, bytes: Buffer::new(&self.budget), valid: 0 }),
        };
        let size = message.bytes.len() + payload.len();
        if size > longest {
            return Err(too_long(size, longest));
        }
        message.bytes.extend(payload).map_err(no_memory)?;
        if message.kind == Data::Text && !message.is_deflated {
            message.check(is_final)?;
        }
        if !is_final {
            self.unfinished = Some(message);
            return Ok(None);
        }
        self.whole(message.kind, message.is_deflated, &message.bytes).map(Some)
    }

    /// A whole message.
    fn whole(&mut self, kind: Data, is_deflated: bool, payload: &[u8]) -> Result<Received, CloseFrame> {
        let bytes = match &mut self.deflate {
            Some(deflate) if is_deflated => {
                deflate.incoming.inflate(payload, self.limit, &self.budget).map_err(not_inflated)?
            }
            Some(_) | None => payload.to_vec(),
        };
        Ok(match kind {
            Data::Text => Received::Text(String::from_utf8(bytes).map_err(|error| not_utf8(&error))?),
            Data::Binary | Data::Continue | Data::Reserved(_) => Received::Binary(bytes),
        })
    }
}

fn not_inflated(error: InflateError) -> CloseFrame {
    match error {
        InflateError::Malformed => close(CloseCode::Invalid, &error.to_string()),
        InflateError::TooLong => close(CloseCode::Size, &error.to_string()),
        InflateError::OutOfMemory(error) => no_memory(error),
    }
}

fn too_long(size: usize, max_size: usize) -> CloseFrame {
    close(CloseCode::Size, &Error::from(CapacityError::MessageTooLong { size, max_size }).to_string())
}

impl Unfinished {
    /// Fails as soon as no further fragment can make the text UTF-8 (RFC 6455 §8.1).
    fn check(&mut self, is_final: bool) -> Result<(), CloseFrame> {
        match std::str::from_utf8(&self.bytes[self.valid..]) {
            Ok(_) => self.valid = self.bytes.len(),
            Err(error) if error.error_len().is_none() && !is_final => self.valid += error.valid_up_to(),
            Err(error) => return Err(not_utf8(&error)),
        }
        Ok(())
    }
}

fn not_utf8(error: &impl ToString) -> CloseFrame {
    close(CloseCode::Invalid, &Error::Utf8(error.to_string()).to_string())
}

/// The close that answers a client's close: the same, unless no endpoint may send its code.
fn answer(payload: &Bytes) -> Result<Option<CloseFrame>, CloseFrame> {
    let (code, reason) = match payload.split_first_chunk() {
        Some((&code, _)) => (CloseCode::from(u16::from_be_bytes(code)), payload.slice(2..)),
        None if payload.is_empty() => return Ok(None),
        None => return Err(broken(ProtocolError::InvalidCloseSequence)),
    };
    let reason = Utf8Bytes::try_from(reason).map_err(|error| not_utf8(&error))?;
    Ok(Some(if code.is_allowed() {
        CloseFrame { code, reason }
    } else {
        CloseFrame { code: CloseCode::Protocol, reason: Utf8Bytes::from_static("Protocol violation") }
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::memory::Memory;

    const LIMIT: usize = 300;

    /// A frame as a client sends it; `first` is its first byte.
    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        let mut frame = vec![first];
        match u8::try_from(payload.len()) {
            Ok(length @ ..126) => frame.push(0x80 | length),
            _ => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
            }
        }
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    fn frames(limit: usize) -> Frames {
        Frames::new(limit, &Memory::new(1 << 20).incoming)
    }

    fn all(bytes: &[u8]) -> Result<Vec<Received>, CloseFrame> {
        let mut frames = frames(LIMIT);
        frames.extend(bytes).unwrap();
        std::iter::from_fn(|| frames.next().transpose()).collect()
    }

    fn text(text: &str) -> Received {
        Received::Text(text.to_owned())
    }

    #[test]
    fn the_specifications_own_examples_are_read() {
        // RFC 6455 §5.7: a masked text message; a fragmented one, masked; a masked pong.
        let hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        assert_eq!(all(&hello).unwrap(), [text("Hello")]);
        let fragments = [masked(0x01, b"Hel"), masked(0x80, b"lo")].concat();
        assert_eq!(all(&fragments).unwrap(), [text("Hello")]);
        let pong = [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        assert_eq!(all(&pong).unwrap(), [Received::Pong]);
    }

    #[test]
    fn control_frames_may_stand_between_fragments() {
        let bytes = [masked(0x01, b"1"), masked(0x89, b"sign"), masked(0x80, b"2")].concat();
        assert_eq!(all(&bytes).unwrap(), [Received::Ping(Bytes::from_static(b"sign")), text("12")]);
    }

    #[test]
    fn every_protocol_error_has_its_own_reason() {
        let broken = |bytes: &[u8]| all(bytes).unwrap_err().reason.to_string();
        let protocol = |error: ProtocolError| Error::Protocol(error).to_string();
        assert_eq!(broken(&[0x81, 0x01, b'1']), protocol(ProtocolError::UnmaskedFrameFromClient));
        assert_eq!(broken(&masked(0xc1, b"1")), protocol(ProtocolError::NonZeroReservedBits));
        assert_eq!(broken(&masked(0x83, b"1")), protocol(ProtocolError::InvalidOpcode(3)));
        assert_eq!(broken(&masked(0x80, b"1")), protocol(ProtocolError::UnexpectedContinueFrame));
        assert_eq!(broken(&masked(0x09, b"")), protocol(ProtocolError::FragmentedControlFrame));
        assert_eq!(broken(&masked(0x89, &[0; 126])), protocol(ProtocolError::ControlFrameTooBig));
        assert_eq!(broken(&masked(0x88, b"1")), protocol(ProtocolError::InvalidCloseSequence));
        let two_begun = [masked(0x01, b"1"), masked(0x81, b"2")].concat();
        assert_eq!(broken(&two_begun), protocol(ProtocolError::ExpectedFragment(Data::Text)));
    }

    #[test]
    fn a_message_is_too_long_by_its_head_or_by_the_sum_of_its_fragments() {
        let too_long = |bytes: &[u8]| all(bytes).is_err_and(|error| error.code == CloseCode::Size);
        assert!(too_long(&masked(0x81, &[b'1'; LIMIT + 1])[..8]));
        assert!(too_long(&[masked(0x01, &[b'1'; LIMIT]), masked(0x80, b"1")].concat()));
        assert!(!too_long(&[masked(0x01, &[b'1'; LIMIT - 1]), masked(0x80, b"1")].concat()));
        assert!(too_long(&[0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]));
    }

    #[test]
    fn text_fails_at_the_first_fragment_that_cannot_be_utf8() {
        let not_utf8 = |bytes: &[u8]| all(bytes).is_err_and(|error| error.code == CloseCode::Invalid);
        assert_eq!(all(&[masked(0x01, b"\xc3"), masked(0x80, b"\xa9")].concat()).unwrap(), [text("é")]);
        assert!(not_utf8(&masked(0x01, b"a\xff")));
        assert!(not_utf8(&[masked(0x01, b"\xc3"), masked(0x00, b"a")].concat()));
        assert!(not_utf8(&masked(0x81, b"\xc3")));
        assert!(not_utf8(&masked(0x88, b"\x03\xe8\xff")));
    }

    #[test]
    fn a_close_is_answered_with_its_own_code_if_endpoints_may_send_it() {
        let close = |code: u16| all(&masked(0x88, &[&code.to_be_bytes()[..], b"bye"].concat())).unwrap();
        let echo = CloseFrame { code: CloseCode::Library(4001), reason: "bye".into() };
        assert_eq!(close(4001), [Received::Close(Some(echo))]);
        let [Received::Close(Some(violation))] = &close(1005)[..] else { panic!("a close") };
        assert_eq!(violation.code, CloseCode::Protocol);
        assert_eq!(all(&masked(0x88, b"")).unwrap(), [Received::Close(None)]);
    }

    #[test]
    fn between_frames_nothing_is_held() {
        let memory = Memory::new(8 * 50);
        let mut frames = Frames::new(LIMIT, &memory.incoming);
        let frame = masked(0x81, b"1");
        frames.extend(&frame).unwrap();
        assert_eq!(memory.held(), frame.len());
        assert_eq!(frames.next().unwrap(), Some(text("1")));
        assert_eq!(memory.held(), 0);
    }

    #[test]
    fn fragments_are_held_and_refused_where_there_is_no_room() {
        let memory = Memory::new(8 * 140);
        let mut frames = Frames::new(LIMIT, &memory.incoming);
        frames.extend(&masked(0x01, &[b'1'; 60])).unwrap();
        assert_eq!(frames.next().unwrap(), None);
        assert_eq!(memory.held(), 60);
        assert_eq!(frames.extend(&[0; 81]).unwrap_err().code, CloseCode::Again);
        frames.extend(&masked(0x00, &[b'1'; 30])).unwrap();
        assert_eq!(frames.next().unwrap_err().code, CloseCode::Again);
    }

    proptest! {
        #[test]
        fn how_the_bytes_arrive_changes_nothing(
            messages in proptest::collection::vec((proptest::collection::vec("[a-zé€]{0,60}", 1..4), any::<bool>()), 1..5),
            cuts in proptest::collection::vec(1_usize..40, 1..20),
        ) {
            let mut bytes = Vec::new();
            let mut expected = Vec::new();
            for (fragments, is_pinged) in &messages {
                for (index, fragment) in fragments.iter().enumerate() {
                    let fin = if index + 1 == fragments.len() { 0x80 } else { 0 };
                    if *is_pinged {
                        bytes.extend(masked(0x89, b"p"));
                        expected.push(Received::Ping(Bytes::from_static(b"p")));
                    }
                    bytes.extend(masked(fin | u8::from(index == 0), fragment.as_bytes()));
                }
                expected.push(Received::Text(fragments.concat()));
            }
            let mut frames = frames(1000);
            let mut received = Vec::new();
            let mut rest = &bytes[..];
            for cut in cuts.iter().cycle() {
                let (now, later) = rest.split_at(rest.len().min(*cut));
                frames.extend(now).unwrap();
                while let Some(message) = frames.next().unwrap() {
                    received.push(message);
                }
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(received, expected);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut frames = frames(LIMIT);
            for byte in bytes {
                frames.extend(&[byte]).unwrap();
                if frames.next().is_err() {
                    break;
                }
                prop_assert!(frames.partial.len() <= LIMIT + 14);
            }
        }
    }
}
