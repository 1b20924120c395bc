//! Frames and messages of a client, from the bytes that arrive.
//!
//! tungstenite parses the heads of frames. Partial frames and fragments are held here, counted as memory, with the
//! time of their first byte; between two messages nothing is held. An error is the close frame that answers it: no
//! frame after the error can be understood. Source: RFC 6455 §5 to §8.

use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;
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
    /// Present while a frame or a message has begun and is not whole, boxed because that is rare.
    begun: Option<Box<Begun>>,
    /// Permessage-deflate, where it was agreed on. The frames that are sent need it as well: it is here because one
    /// pointer is all that a connection without it has.
    pub(crate) deflate: Option<Box<Deflate>>,
}

/// A frame or a message that has begun and is not whole.
#[derive(Debug)]
struct Begun {
    /// When its first byte came.
    since: Instant,
    /// The message, once one of its fragments is whole.
    message: Option<Unfinished>,
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
        Self { limit, budget: Arc::clone(budget), partial: Buffer::new(budget), begun: None, deflate: None }
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
        if taken > 0 && self.unfinished().is_none() {
            self.begun = None;
        }
        if received.is_none() && self.begun.is_none() && !self.partial.is_empty() {
            self.begun = Some(Box::new(Begun { since: Instant::now(), message: None }));
        }
        Ok(received)
    }

    /// When the first byte came of the frame or the message that is not whole, and the kind of the message as far as
    /// it is known.
    pub(crate) fn begun(&self) -> Option<(Instant, Option<Data>)> {
        let begun = self.begun.as_ref()?;
        let kind = match (&begun.message, self.partial.first()) {
            (Some(message), _) => Some(message.kind),
            (None, Some(first)) => match OpCode::from(first & 0x0f) {
                OpCode::Data(kind @ (Data::Text | Data::Binary)) => Some(kind),
                OpCode::Data(Data::Continue | Data::Reserved(_)) | OpCode::Control(_) => None,
            },
            (None, None) => None,
        };
        Some((begun.since, kind))
    }

    /// The message of which a fragment is whole.
    fn unfinished(&self) -> Option<&Unfinished> {
        self.begun.as_ref()?.message.as_ref()
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
        let is_deflated = is_deflated || self.unfinished().is_some_and(|it| it.is_deflated);
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
        let (since, unfinished) = match self.begun.take() {
            Some(begun) => (Some(begun.since), begun.message),
            None => (None, None),
        };
        let mut message = match (kind, unfinished) {
            (Data::Continue, Some(unfinished)) => unfinished,
            (Data::Continue, None) => return Err(broken(ProtocolError::UnexpectedContinueFrame)),
            (kind, Some(_)) => return Err(broken(ProtocolError::ExpectedFragment(kind))),
            (kind, None) if is_final => return self.whole(kind, is_deflated, payload).map(Some),
            (kind, None) => Unfinished { kind, is_deflated, bytes: Buffer::new(&self.budget), valid: 0 },
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
            let since = since.unwrap_or_else(Instant::now);
            self.begun = Some(Box::new(Begun { since, message: Some(message) }));
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
mod tests;
