//! The sink of a probe's subscription: turns its events into a queue.

use std::ops::ControlFlow;

use pushoff_model::{RunInstant, Transport};
use tokio::sync::mpsc::Sender;

use crate::clients::{ConnectionError, Incoming, Sink};
use crate::failure::chain;
use crate::message::stamp::{self, Received};

/// How many bytes of unknown content are kept.
const SHOWN_BYTES: usize = 80;

/// An event of a probe's subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ProbeEvent {
    /// The subscription is in place.
    Present,
    /// A message of the probe, and the connection and answer that brought it.
    Message(u64, RunInstant, Origin),
    /// A binary frame.
    Binary,
    /// A long poll was answered without a message.
    Empty,
    /// The connection broke; why.
    Broke(String),
    /// Content without a message; its first bytes.
    Strange(Vec<u8>),
}

/// One connection and, for a poll, one answer. A message that arrives twice within it was sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    connection: u32,
    asked: Option<RunInstant>,
}

/// The sink of a probe's subscription.
#[derive(Debug)]
pub(super) struct ProbeSink {
    heard: Sender<ProbeEvent>,
    transport: Transport,
    connection: u32,
}

impl ProbeSink {
    pub(super) const fn new(heard: Sender<ProbeEvent>, transport: Transport) -> Self {
        Self { heard, transport, connection: 0 }
    }

    pub(super) const fn transport(&self) -> Transport {
        self.transport
    }

    fn hear(&self, heard: ProbeEvent) {
        // A full queue holds enough events already, and a finished probe no longer reads it.
        drop(self.heard.try_send(heard));
    }
}

impl Sink for ProbeSink {
    fn connecting(&mut self, _: RunInstant) {
        self.connection += 1;
    }

    fn opened(&mut self, _: RunInstant) {
        self.hear(ProbeEvent::Present);
    }

    fn requested(&mut self, _: RunInstant) {
        if self.transport == Transport::LongPolling {
            self.hear(ProbeEvent::Present);
        }
    }

    fn message(&mut self, message: Incoming<'_>) {
        match stamp::read(message.payload) {
            Some(Received { stamp, is_whole: true }) => {
                let asked = message.polled.map(|polled| polled.sent);
                let origin = Origin { connection: self.connection, asked };
                self.hear(ProbeEvent::Message(stamp.index, message.received, origin));
            }
            Some(Received { is_whole: false, .. }) | None => self.strange(message.payload),
        }
    }

    fn missed(&mut self, _: Option<u64>) {}

    fn strange(&mut self, unit: &[u8]) {
        let unit = unit.trim_ascii();
        if !unit.is_empty() {
            self.hear(ProbeEvent::Strange(unit[..unit.len().min(SHOWN_BYTES)].to_vec()));
        }
    }

    fn binary(&mut self) {
        self.hear(ProbeEvent::Binary);
    }

    fn polled_empty(&mut self) {
        if self.transport == Transport::LongPolling {
            self.hear(ProbeEvent::Empty);
        }
    }

    fn broke(&mut self, error: &ConnectionError) -> ControlFlow<()> {
        self.hear(ProbeEvent::Broke(chain(error)));
        ControlFlow::Continue(())
    }

    fn completed(&mut self) {}
}
