//! What a probe hears, as it comes.

use std::ops::ControlFlow;

use pushoff_model::{RunInstant, Transport};
use tokio::sync::mpsc::Sender;

use crate::clients::{ConnectionError, Incoming, Sink};
use crate::failure::chain;
use crate::message::stamp::{self, Received};

/// How much of what is no message is kept: enough to recognise it.
const SHOWN_BYTES: usize = 80;

/// What happened to a probe's subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It is there for all that is known.
    Present,
    /// A message of the probe's, and the answer or connection that brought it.
    Message(u64, RunInstant, Occasion),
    /// A binary frame.
    Binary,
    /// A long poll that brought nothing.
    Empty,
    /// The connection broke; why.
    Broke(String),
    /// Something that is none; how it begins.
    Strange(Vec<u8>),
}

/// One connection and, where it polls, one answer: what comes twice there was sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Occasion {
    connection: u32,
    asked: Option<RunInstant>,
}

/// Hands on what comes.
#[derive(Debug)]
pub(super) struct Ears {
    heard: Sender<Heard>,
    transport: Transport,
    connection: u32,
}

impl Ears {
    pub(super) const fn new(heard: Sender<Heard>, transport: Transport) -> Self {
        Self { heard, transport, connection: 0 }
    }

    fn hear(&self, heard: Heard) {
        // What finds no room is more of what is there already; and a probe that has found what it
        // looked for listens no more.
        drop(self.heard.try_send(heard));
    }
}

impl Sink for Ears {
    fn connecting(&mut self, _: RunInstant) {
        self.connection += 1;
    }

    fn opened(&mut self, _: RunInstant) {
        self.hear(Heard::Present);
    }

    fn requested(&mut self, _: RunInstant) {
        if self.transport == Transport::LongPolling {
            self.hear(Heard::Present);
        }
    }

    fn message(&mut self, message: Incoming<'_>) {
        match stamp::read(message.payload) {
            Some(Received { stamp, is_whole: true }) => {
                let asked = message.polled.map(|polled| polled.sent);
                let occasion = Occasion { connection: self.connection, asked };
                self.hear(Heard::Message(stamp.index, message.received, occasion));
            }
            Some(Received { is_whole: false, .. }) | None => self.strange(message.payload),
        }
    }

    fn missed(&mut self, _: Option<u64>) {}

    fn strange(&mut self, unit: &[u8]) {
        let unit = unit.trim_ascii();
        if !unit.is_empty() {
            self.hear(Heard::Strange(unit[..unit.len().min(SHOWN_BYTES)].to_vec()));
        }
    }

    fn binary(&mut self) {
        self.hear(Heard::Binary);
    }

    fn polled_empty(&mut self) {
        if self.transport == Transport::LongPolling {
            self.hear(Heard::Empty);
        }
    }

    fn broke(&mut self, error: &ConnectionError) -> ControlFlow<()> {
        self.hear(Heard::Broke(chain(error)));
        ControlFlow::Continue(())
    }

    fn completed(&mut self) {}
}
