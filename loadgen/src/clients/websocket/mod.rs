//! What both WebSocket clients share. Source: RFC 6455.

mod frames;
mod handshake;

pub(crate) use frames::{CLOSE, FrameReader, Message, PONG, TOO_LONG, write, write_text};
pub(crate) use handshake::handshake;
