//! The reports of a subscription to its owner.

use std::ops::ControlFlow;

use pushoff_model::{Cursor, RunInstant};

use super::error::ConnectionError;

/// A message as the client handed it over.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// Its cursor, where the server is pushoff.
    pub cursor: Option<Cursor>,
    /// The published JSON text.
    pub payload: &'a [u8],
    /// When the client received it.
    pub received: RunInstant,
    /// The poll that brought it; `None` for a transport that does not poll.
    pub polled: Option<Polled>,
}

/// When a poll was due, and when it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Polled {
    /// The timer's tick; for a long poll, when the previous answer was handed over.
    pub due: RunInstant,
    /// When the request was sent.
    pub sent: RunInstant,
}

/// The receiver of a subscription's events. Its methods run on the receiving path and must not block.
pub trait Sink: Send {
    /// A connection is about to be made.
    fn connecting(&mut self, at: RunInstant);
    /// The stream is open, or the first poll is answered.
    fn opened(&mut self, at: RunInstant);
    /// An HTTP request or WebSocket handshake was sent.
    fn requested(&mut self, at: RunInstant);
    /// A message was received.
    fn message(&mut self, message: Incoming<'_>);
    /// All messages of one read are handed over.
    fn settled(&mut self) {}
    /// The server reported missed messages; `None` where it could not tell how many.
    fn missed(&mut self, count: Option<u64>);
    /// Content without a message was received.
    fn strange(&mut self, _unit: &[u8]) {}
    /// A binary frame was received, where messages are text.
    fn binary(&mut self) {}
    /// A poll was answered without a message.
    fn polled_empty(&mut self);
    /// Messages of the outbox were written. Reported before any other event of the connection, so that a break shows
    /// whose fate is unknown.
    fn wrote(&mut self, _messages: u64) {}
    /// The connection broke. It is made again unless the sink breaks.
    fn broke(&mut self, error: &ConnectionError) -> ControlFlow<()>;
    /// The topic is complete: no more will come.
    fn completed(&mut self);
}
