//! Small clients, written straight on sockets from the standards.
//!
//! They share no line of framing with the server or the load generator, so that a mistake cannot
//! agree with itself.

pub(crate) mod event_stream;
pub(crate) mod frames;
pub(crate) mod http;
pub(crate) mod subscriber;
