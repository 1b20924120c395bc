//! What one subscriber asks for, and what it sends on its own connection.

use std::net::IpAddr;
use std::time::Duration;

use pushoff_model::workload::Polling;
use pushoff_model::{Client, RunClock, RunInstant, Topic};
use tokio::sync::{mpsc, oneshot, watch};

use crate::server::Server;
use crate::watch::wire::WireCounters;

/// What one subscriber wants.
#[derive(Debug)]
pub struct Subscription {
    /// The server.
    pub server: Server,
    /// The topic.
    pub topic: Topic,
    /// How it polls, where it polls.
    pub polling: Polling,
    /// When it polls, where it polls on a timer.
    pub pace: Pace,
    /// Whether the topic will be completed: a stream that ends cleanly then is at its end, and is
    /// taken for a broken connection otherwise.
    pub completes: bool,
    /// Messages to publish on the subscriber's own connection, where the transport can.
    pub outbox: Option<mpsc::Receiver<Outbound>>,
    /// Who receives.
    pub client: Client,
    /// Where connections count what crosses them.
    pub wire: WireCounters,
    /// The address that connections are made from; `None` leaves it to the kernel.
    pub source: Option<IpAddr>,
    /// What stamps are taken from.
    pub clock: RunClock,
    /// Seed of the jitter in waits before connecting again.
    pub seed: u64,
}

impl Subscription {
    /// A subscription for a reader of `topic`, polling from now on.
    #[must_use]
    pub fn new(server: Server, topic: Topic, polling: Polling, clock: RunClock) -> Self {
        let pace = Pace::AtOnce;
        Self {
            server,
            topic,
            polling,
            pace,
            completes: false,
            outbox: None,
            client: Client::default(),
            wire: WireCounters::default(),
            source: None,
            clock,
            seed: 0,
        }
    }
}

/// When a timer that polls begins.
#[derive(Debug)]
pub enum Pace {
    /// With the subscription.
    AtOnce,
    /// At an offset from a moment that is yet to be said.
    From {
        /// The moment, once it is known.
        start: watch::Receiver<Option<RunInstant>>,
        /// How long after it the first poll of the timer is due.
        offset: Duration,
    },
}

/// Payloads to be sent as one write, and where to say that they were written. An answer that never
/// comes means that the connection broke and their fate is unknown.
#[derive(Debug)]
pub struct Outbound {
    /// One payload a message.
    pub payloads: Vec<String>,
    /// Told when the last byte was handed to the socket.
    pub written: oneshot::Sender<()>,
}

impl Outbound {
    /// How many messages it holds, and how many bytes of payload.
    pub(crate) fn size(&self) -> (u64, u64) {
        (self.payloads.len() as u64, self.payloads.iter().map(|payload| payload.len() as u64).sum())
    }
}

/// The next messages to send; never, for a subscriber that only reads.
pub(crate) async fn next_outbound(outbox: &mut Option<mpsc::Receiver<Outbound>>) -> Option<Outbound> {
    match outbox {
        Some(outbox) => outbox.recv().await,
        None => std::future::pending().await,
    }
}
