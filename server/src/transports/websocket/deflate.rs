//! permessage-deflate of one connection: what was agreed on, and what the connection keeps for it.
//!
//! Without context the server keeps nothing for a connection and deflates a message once for all subscribers. With
//! context each connection has a compressor of its own, for which there is a lease before it is promised: without one
//! the server answers that it keeps no context. Source: RFC 7692.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use http::header::SEC_WEBSOCKET_EXTENSIONS;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::compression::{Agreed, Context, Deflater, Form, InflateError, Inflater, Keeper, Kept, aside};
use crate::framing::websocket;
use crate::http::{Head, Response};
use crate::hub::Batch;
use crate::memory::{self, Budget, Buffer};
use crate::state::Server;

/// The shortest message that is deflated without context. Chosen here: JSON of about 100 bytes loses 5 % of them.
const SHORTEST: usize = 64;

/// Both directions of one connection.
#[derive(Debug)]
pub(crate) struct Deflate {
    pub(super) outgoing: Outgoing,
    pub(super) incoming: Incoming,
}

/// What the server deflates messages with.
#[derive(Debug)]
pub(crate) struct Outgoing {
    bits: u8,
    /// Absent without context.
    own: Option<(Deflater, Kept)>,
}

/// What the server inflates messages with.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// Absent without context.
    own: Option<(Inflater, Kept)>,
}

/// The response to a handshake with the answer to the client's offers, where the server compresses and accepts one.
/// `wanted` is the context that is worth its memory to the server.
pub(super) fn agree(
    head: &Head<'_>,
    response: Response,
    server: &Server,
    wanted: Context,
) -> (Response, Option<Box<Deflate>>) {
    let Some(compressors) = &server.compressors else { return (response, None) };
    let Some(mut agreed) = Agreed::of(head.every(&SEC_WEBSOCKET_EXTENSIONS)) else { return (response, None) };
    if wanted == Context::None {
        agreed.server = Context::None;
    }
    let bits = agreed.server_bits;
    let keep = |context: &mut Context, keeper| {
        let kept = Some(*context).filter(|it| *it == Context::Kept).and_then(|_| compressors.keep(keeper));
        *context = if kept.is_some() { Context::Kept } else { Context::None };
        kept
    };
    let own = keep(&mut agreed.server, Keeper::Deflate(bits)).map(|kept| (Deflater::new(bits, Context::Kept), kept));
    let outgoing = Outgoing { bits, own };
    let own = keep(&mut agreed.client, Keeper::Inflate).map(|kept| (Inflater::new(), kept));
    let deflate = Deflate { outgoing, incoming: Incoming { own } };
    match HeaderValue::try_from(agreed.to_string()) {
        Ok(answer) => (response.with(SEC_WEBSOCKET_EXTENSIONS, answer), Some(Box::new(deflate))),
        Err(_) => (response, None),
    }
}

impl Deflate {
    /// Without context either way.
    #[cfg(any(test, fuzzing))]
    pub(crate) const fn alone() -> Self {
        Self { outgoing: Outgoing { bits: 15, own: None }, incoming: Incoming { own: None } }
    }
}

impl Outgoing {
    /// The frames of a batch, deflated; as they are where there is no memory for others.
    ///
    /// # Errors
    /// When the compressor is broken.
    pub(super) fn batch(&mut self, batch: &Batch, room: &Arc<Budget>) -> io::Result<Bytes> {
        let clear = || batch.bytes.content();
        let Some((deflater, _)) = &mut self.own else {
            let bits = self.bits;
            let make = || memory::shared(alone(&batch.bytes, bits).ok()?, room);
            let made = aside(batch.bytes.len(), || match &batch.forms {
                Some(forms) => forms.of(Form::Deflated(bits), make),
                None => make(),
            });
            return Ok(made.unwrap_or_else(clear));
        };
        let longest = batch.bytes.len() + batch.bytes.len() / 4 + 1024;
        let Some(lease) = room.lease(longest) else { return Ok(clear()) };
        let mut out = Vec::with_capacity(longest);
        aside(batch.bytes.len(), || frames(&batch.bytes, deflater, Context::Kept, &mut out))?;
        out.shrink_to_fit();
        Ok(memory::leased(out, lease))
    }

    /// A few frames, deflated.
    ///
    /// # Errors
    /// When the compressor is broken.
    pub(super) fn frames(&mut self, clear: &[u8]) -> io::Result<Vec<u8>> {
        let Some((deflater, _)) = &mut self.own else { return alone(clear, self.bits) };
        let mut out = Vec::new();
        frames(clear, deflater, Context::Kept, &mut out)?;
        Ok(out)
    }

    /// A message in one frame.
    ///
    /// # Errors
    /// When the compressor is broken.
    pub(super) fn message(&mut self, kind: Data, message: Vec<u8>) -> io::Result<Frame> {
        let mut deflated = Vec::new();
        aside(message.len(), || match &mut self.own {
            Some((deflater, _)) => deflater.message(&message, &mut deflated),
            None => with_alone(self.bits, |deflater| deflater.message(&message, &mut deflated)),
        })?;
        let is_deflated = self.own.is_some() || deflated.len() < message.len();
        let payload = if is_deflated { deflated } else { message };
        let mut frame = Frame::message(payload, OpCode::Data(kind), true);
        frame.header_mut().rsv1 = is_deflated;
        Ok(frame)
    }
}

thread_local! {
    /// The compressor for messages without context, with its window: one a processor, as its current work is.
    static ALONE: RefCell<Option<(u8, Deflater)>> = const { RefCell::new(None) };
}

/// Does work with a compressor without context.
fn with_alone<T>(bits: u8, work: impl FnOnce(&mut Deflater) -> T) -> T {
    let kept = ALONE.take().filter(|(kept, _)| *kept == bits);
    let mut deflater = kept.map_or_else(|| Deflater::new(bits, Context::None), |(_, deflater)| deflater);
    let done = work(&mut deflater);
    ALONE.set(Some((bits, deflater)));
    done
}

/// Frames with payloads that need no context.
fn alone(clear: &[u8], bits: u8) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(clear.len());
    with_alone(bits, |deflater| frames(clear, deflater, Context::None, &mut out))?;
    out.shrink_to_fit();
    Ok(out)
}

/// Appends frames with deflated payloads. Without context, a message that would not become shorter stays as it is; with
/// it the client's decompressor has to see every message that the compressor saw.
fn frames(clear: &[u8], deflater: &mut Deflater, context: Context, out: &mut Vec<u8>) -> io::Result<()> {
    let mut deflated = Vec::new();
    for (frame, payload) in websocket::frames(clear) {
        if context == Context::None && payload.len() < SHORTEST {
            out.extend_from_slice(frame);
            continue;
        }
        deflated.clear();
        deflater.message(payload, &mut deflated)?;
        if context == Context::None && deflated.len() >= payload.len() {
            out.extend_from_slice(frame);
        } else {
            websocket::deflated(out, &deflated);
        }
    }
    Ok(())
}

impl Incoming {
    /// Inflates a message of at most `limit` bytes.
    pub(super) fn inflate(
        &mut self,
        deflated: &[u8],
        limit: usize,
        budget: &Arc<Budget>,
    ) -> Result<Vec<u8>, InflateError> {
        let mut message = Buffer::new(budget);
        // Inflating is quicker, and text has some eight times the bytes.
        aside(deflated.len(), || match &mut self.own {
            Some((inflater, _)) => inflater.message(deflated, limit, &mut message),
            None => Inflater::new().message(deflated, limit, &mut message),
        })?;
        Ok(message.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::{Start, Topic};
    use tokio_tungstenite::tungstenite::protocol::CloseFrame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

    use super::super::frames::{Frames, Received};
    use super::*;
    use crate::config::Config;
    use crate::framing::Framing;
    use crate::http::head;
    use crate::hub::{Bounds, Payload, Reading};
    use crate::memory::Memory;
    use crate::state::LOOPBACK;

    const LIMIT: usize = 300;

    fn server(memory: usize) -> Server {
        Server::new(Config { compress: true, memory, ..Config::default() }, LOOPBACK)
    }

    fn agreed(offer: &str, server: &Server) -> Option<(String, Box<Deflate>)> {
        let request = format!("GET / HTTP/1.1\r\nHost: t\r\nSec-WebSocket-Extensions: {offer}\r\n\r\n");
        let (response, deflate) = head::with(&request, |head| {
            agree(head, Response::bare(http::StatusCode::SWITCHING_PROTOCOLS), server, Context::Kept)
        });
        let answer = response.fields.iter().find(|(name, _)| *name == SEC_WEBSOCKET_EXTENSIONS);
        assert_eq!(answer.is_some(), deflate.is_some());
        Some((answer?.1.to_str().unwrap().to_owned(), deflate?))
    }

    #[test]
    fn context_is_promised_only_where_there_is_memory_for_it() {
        let enough = server(1 << 24);
        let (answer, one) = agreed("permessage-deflate", &enough).unwrap();
        assert_eq!(answer, "permessage-deflate; server_max_window_bits=12");
        assert_eq!(enough.memory.held(), (260 + 48) << 10);
        drop(one);
        assert_eq!(enough.memory.held(), 0);
        let little = server(4 * (100 << 10));
        let (answer, _one) = agreed("permessage-deflate", &little).unwrap();
        assert_eq!(answer, "permessage-deflate; server_no_context_takeover; server_max_window_bits=12");
        let (_, other) = agreed("permessage-deflate; client_no_context_takeover", &little).unwrap();
        assert!(other.outgoing.own.is_none() && other.incoming.own.is_none());
        let off = Server::new(Config::default(), LOOPBACK);
        assert!(agreed("permessage-deflate", &off).is_none());
    }

    #[test]
    fn subscribers_without_context_share_the_bytes_and_those_with_context_do_not() {
        let server = server(1 << 24);
        let topic: Topic = "t".parse().unwrap();
        let mut readers = [(); 3].map(|()| server.hub.subscribe(&topic, Start::Now));
        let payload = format!("\"{}\"", "1".repeat(200));
        server.hub.publish(&topic, vec![Payload::parse(payload.as_bytes(), 1000).unwrap()]).unwrap();
        let batches = readers.each_mut().map(|reader| match reader.read(Framing::WebSocket, Bounds::STREAM) {
            Reading::Batch(batch) => batch,
            other @ (Reading::CaughtUp | Reading::Complete | Reading::Closing | Reading::NoRoom) => panic!("{other:?}"),
        });
        let offers = ["permessage-deflate; server_no_context_takeover"; 2];
        let [mut one, mut other] = offers.map(|offer| agreed(offer, &server).unwrap().1);
        let mut own = agreed("permessage-deflate", &server).unwrap().1;
        let room = &server.memory.batches;
        let one = one.outgoing.batch(&batches[0], room).unwrap();
        let other = other.outgoing.batch(&batches[1], room).unwrap();
        assert_eq!(one.as_ptr(), other.as_ptr());
        assert!(one[0] == 0xc1 && one.len() < batches[0].bytes.len() / 2, "{one:?}");
        let first = own.outgoing.batch(&batches[2], room).unwrap();
        let again = own.outgoing.batch(&batches[2], room).unwrap();
        assert!(again.len() < first.len(), "the second message refers to the first");
        // Without memory a message goes as it is, and the context does not change.
        let taken = room.lease((4 << 20) - 1024).unwrap();
        assert_eq!(own.outgoing.batch(&batches[2], room).unwrap()[0], 0x81);
        drop(taken);
        assert_eq!(own.outgoing.batch(&batches[2], room).unwrap()[0], 0xc1);
    }

    #[test]
    fn a_short_message_is_not_made_longer_unless_the_context_needs_it() {
        let server = server(1 << 24);
        let mut alone = agreed("permessage-deflate; server_no_context_takeover", &server).unwrap().1;
        let frame = alone.outgoing.message(Data::Binary, b"1".to_vec()).unwrap();
        assert!(!frame.header().rsv1 && frame.payload() == &b"1"[..]);
        let mut own = agreed("permessage-deflate", &server).unwrap().1;
        assert!(own.outgoing.message(Data::Binary, b"1".to_vec()).unwrap().header().rsv1);
    }

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0];
        frame.extend_from_slice(payload);
        frame
    }

    fn all(frames: &[Vec<u8>]) -> Result<Vec<Received>, CloseFrame> {
        let mut reader = Frames::new(LIMIT, &Memory::new(1 << 24).incoming);
        reader.deflate = Some(Box::new(Deflate::alone()));
        reader.extend(&frames.concat()).unwrap();
        std::iter::from_fn(|| reader.next().transpose()).collect()
    }

    fn deflated(message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Deflater::new(15, Context::None).message(message, &mut out).unwrap();
        out
    }

    #[test]
    fn a_deflated_message_may_be_whole_in_fragments_and_among_others() {
        let hello = deflated(b"Hello");
        let text = |text: &str| Received::Text(text.to_owned());
        let ping = Received::Ping(Bytes::from_static(b"p"));
        assert_eq!(
            all(&[masked(0xc1, &hello), masked(0x81, b"clear"), masked(0xc2, &hello)]).unwrap(),
            [text("Hello"), text("clear"), Received::Binary(b"Hello".to_vec())]
        );
        let parts = [masked(0x41, &hello[..3]), masked(0x89, b"p"), masked(0x00, &hello[3..]), masked(0x80, b"")];
        assert_eq!(all(&parts).unwrap(), [ping, text("Hello")]);
        assert_eq!(all(&[masked(0xc1, &[0])]).unwrap(), [text("")]);
    }

    #[test]
    fn only_the_first_frame_of_a_message_may_say_that_it_is_deflated() {
        let hello = deflated(b"Hello");
        let code = |frames: &[Vec<u8>]| all(frames).unwrap_err().code;
        for wrong in [
            vec![masked(0x41, &hello[..3]), masked(0xc0, &hello[3..])],
            vec![masked(0xc9, b"p")],
            vec![masked(0xc8, &[])],
            vec![masked(0xa1, &hello)],
            vec![masked(0xe1, &hello)],
        ] {
            assert_eq!(code(&wrong), CloseCode::Protocol, "{wrong:?}");
        }
        assert_eq!(code(&[masked(0xc1, &[0xff; 9])]), CloseCode::Invalid);
        assert_eq!(code(&[masked(0xc1, &deflated(b"\xff"))]), CloseCode::Invalid);
        assert_eq!(code(&[masked(0xc2, &deflated(&[b'1'; LIMIT + 1]))]), CloseCode::Size);
        assert_eq!(all(&[masked(0xc2, &deflated(&[b'1'; LIMIT]))]).unwrap().len(), 1);
    }
}
