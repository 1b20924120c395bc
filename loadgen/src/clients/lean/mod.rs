//! Lean clients: as little code a technique as will do.
//!
//! They ask for the same as the libraries do, and end, break and resume in the same way. What they
//! leave out is what a subscriber that is one of ten thousand need not pay for: connection pools,
//! tasks of their own, channels, a buffer a connection, and checking again what the server has
//! checked.

pub(crate) mod http_streaming;
mod poll;
pub(crate) mod sse;
pub(crate) mod websocket;

pub(crate) use poll::Poller;
