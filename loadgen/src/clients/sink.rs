//! What a subscription tells whoever listens.

use std::ops::ControlFlow;

use pushoff_model::{Cursor, RunInstant};

use super::error::ConnectionError;

/// A message as the client library handed it over.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// Its place in the log, where the server's ids are our own cursors.
    pub cursor: Option<Cursor>,
    /// The published JSON text.
    pub payload: &'a [u8],
    /// When it was handed over: read once a message.
    pub received: RunInstant,
    /// The poll that brought it; `None` where it was not polled for.
    pub polled: Option<Polled>,
}

/// When a poll was to be sent, and when it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Polled {
    /// The beat of a timer; for a long poll, when the answer before it was handed over.
    pub due: RunInstant,
    /// When the request was sent.
    pub sent: RunInstant,
}

/// Whoever a subscription's events are for. Called on the receiving path: must not block.
pub trait Sink: Send {
    /// A connection is about to be made.
    fn connecting(&mut self, at: RunInstant);
    /// The stream is open, or the first poll answered.
    fn opened(&mut self, at: RunInstant);
    /// An HTTP request or WebSocket handshake was sent.
    fn requested(&mut self, at: RunInstant);
    /// A message arrived.
    fn message(&mut self, message: Incoming<'_>);
    /// All that one read brought is handed over: a good moment to tell others.
    fn settled(&mut self) {}
    /// The server said that messages were missed; `None` where it could not know how many.
    fn missed(&mut self, count: Option<u64>);
    /// Something came that holds no message.
    fn strange(&mut self, _unit: &[u8]) {}
    /// A binary frame came, where messages are text.
    fn binary(&mut self) {}
    /// A poll brought nothing.
    fn polled_empty(&mut self);
    /// So many messages of the outbox were handed to the socket. Told before anything else happens
    /// to the connection, so that a break tells which of them are in doubt.
    fn wrote(&mut self, _messages: u64) {}
    /// The connection broke and will be made again, unless the sink has had enough.
    fn broke(&mut self, error: &ConnectionError) -> ControlFlow<()>;
    /// The topic is complete: no more will come.
    fn completed(&mut self);
}
