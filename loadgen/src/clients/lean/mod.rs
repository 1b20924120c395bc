//! Lean clients: as little code for each transport as possible.
//!
//! They send the same requests as the library clients, and end, break and resume in the same way. They have no
//! connection pool, no extra tasks or channels, no buffer for each connection, and no second check of what the server
//! has checked, because ten thousand subscribers cannot afford them.

pub(crate) mod http_streaming;
mod poll;
pub(crate) mod sse;
pub(crate) mod websocket;

pub(crate) use poll::Poller;
