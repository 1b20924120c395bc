//! Lean clients: hyper's connection level, and one parser a framing.
//!
//! They ask for the same as the libraries do, and end, break and resume in the same way. What they
//! leave out is what a subscriber that is one of ten thousand need not pay for: connection pools,
//! tasks of their own, channels, and checking again what the server has checked.

mod event_stream;
mod frames;
mod http;
pub(super) mod http_streaming;
mod poll;
#[cfg(test)]
mod properties;
pub(super) mod sse;
pub(super) mod websocket;

pub(super) use poll::Poller;
