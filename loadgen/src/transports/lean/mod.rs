//! Lean clients: HTTP/1.1 of our own, and one parser a framing.
//!
//! They ask for the same as the libraries do, and end, break and resume in the same way. What they
//! leave out is what a subscriber that is one of ten thousand need not pay for: connection pools,
//! tasks of their own, channels, a buffer a connection, and checking again what the server has
//! checked.

mod body;
mod event_stream;
mod frames;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzz;
mod http;
pub(super) mod http_streaming;
mod poll;
#[cfg(test)]
mod properties;
mod reading;
mod request;
mod response;
pub(super) mod sse;
pub(super) mod websocket;

pub(super) use poll::Poller;
pub(crate) use reading::ROOM_BYTES;
pub(super) use reading::{Leftover, read};
pub(super) use websocket::handshake;
