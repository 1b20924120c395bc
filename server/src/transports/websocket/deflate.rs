//! permessage-deflate of one connection: what was agreed on, and what the connection keeps for it.
//!
//! Without context the server keeps nothing for a connection and deflates a message once for all subscribers. With
//! context each connection has a compressor of its own, for which there is a lease before it is promised: without one
//! the server answers that it keeps no context. Source: RFC 7692.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use http::header::SEC_WEBSOCKET_EXTENSIONS;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::compression::{Agreed, Context, Deflater, Form, InflateError, Inflater, Keeper, Kept};
use crate::framing::websocket;
use crate::http::{Head, Response};
use crate::hub::Batch;
use crate::memory::{self, Budget, Buffer};
use crate::state::Server;

/// Both directions of one connection.
#[derive(Debug)]
pub(crate) struct Deflate {
    pub(super) outgoing: Outgoing,
    pub(super) incoming: Incoming,
}

/// What the server deflates messages with.
#[derive(Debug)]
pub(super) struct Outgoing {
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
pub(super) fn agree(head: &Head<'_>, response: Response, server: &Server) -> (Response, Option<Box<Deflate>>) {
    let Some(compressors) = &server.compressors else { return (response, None) };
    let Some(mut agreed) = Agreed::of(head.every(&SEC_WEBSOCKET_EXTENSIONS)) else { return (response, None) };
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
            let made = match &batch.forms {
                Some(forms) => forms.of(Form::Deflated(bits), make),
                None => make(),
            };
            return Ok(made.unwrap_or_else(clear));
        };
        let longest = batch.bytes.len() + batch.bytes.len() / 4 + 1024;
        let Some(lease) = room.lease(longest) else { return Ok(clear()) };
        let mut out = Vec::with_capacity(longest);
        frames(&batch.bytes, deflater, Context::Kept, &mut out)?;
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
        match &mut self.own {
            Some((deflater, _)) => deflater.message(&message, &mut deflated)?,
            None => Deflater::new(self.bits, Context::None).message(&message, &mut deflated)?,
        }
        let is_deflated = self.own.is_some() || deflated.len() < message.len();
        let payload = if is_deflated { deflated } else { message };
        let mut frame = Frame::message(payload, OpCode::Data(kind), true);
        frame.header_mut().rsv1 = is_deflated;
        Ok(frame)
    }
}

/// Frames with payloads that need no context.
fn alone(clear: &[u8], bits: u8) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(clear.len());
    frames(clear, &mut Deflater::new(bits, Context::None), Context::None, &mut out)?;
    out.shrink_to_fit();
    Ok(out)
}

/// Appends frames with deflated payloads. Without context, a message that would not become shorter stays as it is; with
/// it the client's decompressor has to see every message that the compressor saw.
fn frames(clear: &[u8], deflater: &mut Deflater, context: Context, out: &mut Vec<u8>) -> io::Result<()> {
    let mut deflated = Vec::new();
    for (frame, payload) in websocket::frames(clear) {
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
        match &mut self.own {
            Some((inflater, _)) => inflater.message(deflated, limit, &mut message)?,
            None => Inflater::new().message(deflated, limit, &mut message)?,
        }
        Ok(message.to_vec())
    }
}
