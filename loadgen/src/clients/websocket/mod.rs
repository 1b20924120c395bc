//! The common part of both WebSocket clients. Source: RFC 6455.

mod deflate;
mod frames;
mod handshake;

pub(crate) use frames::{CLOSE, FrameReader, Message, PONG, TOO_LONG, write};
pub(crate) use handshake::{Upgraded, handshake};
