//! One subscriber's request, and the messages that it sends on its own connection.

use std::sync::Arc;
use std::time::Duration;

use pushoff_model::workload::Polling;
use pushoff_model::{Client, RunClock, RunInstant, Topic};
use tokio::sync::{mpsc, oneshot, watch};

use super::http2::Group;
use crate::origin::Origin;
use crate::server::Server;
use crate::wire::WireCounters;

/// One subscriber's request.
#[derive(Debug)]
pub struct Subscription {
    /// The server.
    pub server: Server,
    /// The topic.
    pub topic: Topic,
    /// Interval and wait, for a transport that polls.
    pub polling: Polling,
    /// When a timer that polls begins.
    pub pace: Pace,
    /// Whether the topic will be completed. If so, a stream that ends cleanly is complete; otherwise it is a broken
    /// connection.
    pub completes: bool,
    /// Messages to publish on the subscriber's own connection.
    pub outbox: Option<mpsc::Receiver<Outbound>>,
    /// The client that subscribes.
    pub client: Client,
    /// The counters of the trial's connections.
    pub wire: WireCounters,
    /// The origin of its connections.
    pub origin: Origin,
    /// The subscribers that share its connection over HTTP/2.
    pub group: Arc<Group>,
    /// The clock of all times.
    pub clock: RunClock,
    /// Seed of the back-off's jitter.
    pub seed: u64,
}

impl Subscription {
    /// A subscription to `topic` whose timer polls from now on.
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
            origin: Origin::default(),
            group: Arc::default(),
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
    /// After an offset from a moment that is announced later.
    From {
        /// The moment, once it is known.
        start: watch::Receiver<Option<RunInstant>>,
        /// The offset of the first poll.
        offset: Duration,
    },
}

/// Payloads to send in one write, and a channel that reports the write. If the report never comes, the connection
/// broke and the messages' fate is unknown.
#[derive(Debug)]
pub struct Outbound {
    /// One payload a message.
    pub payloads: Vec<String>,
    /// Told when the last byte is written to the socket.
    pub written: oneshot::Sender<()>,
}

impl Outbound {
    /// The number of messages and of payload bytes.
    pub(crate) fn size(&self) -> (u64, u64) {
        (self.payloads.len() as u64, self.payloads.iter().map(|payload| payload.len() as u64).sum())
    }
}

/// The next messages to send; never resolves for a subscriber that only reads.
pub(crate) async fn next_outbound(outbox: &mut Option<mpsc::Receiver<Outbound>>) -> Option<Outbound> {
    match outbox {
        Some(outbox) => outbox.recv().await,
        None => std::future::pending().await,
    }
}
