//! The client side of every transport: one subscriber, one connection, one function.
//!
//! Each file speaks one transport over one connection until it ends or breaks, and hands what
//! comes to a [`Sink`]. What is asked, and what is made of what comes, is the target's dialect's to
//! say. What follows a break is the same for all: wait, connect again, go on after the last
//! message, so that nothing is lost by it. `library` speaks by the libraries that Rust
//! developers use, `lean` by as little code as will do; what is the same for both stands here.

mod asking;
mod backoff;
mod error;
mod feed;
mod lean;
mod library;
pub mod line;
mod long_polling;
mod place;
mod pointer;
mod poll;
mod raw_tcp;
mod short_polling;
mod source;
mod texts;
pub mod unit;
mod units;

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::time::Duration;

use pushoff_model::target::{Target, Technique};
use pushoff_model::workload::Polling;
use pushoff_model::{Client, Cursor, RunClock, RunInstant, Topic, Transport};
use tokio::sync::{mpsc, oneshot, watch};

use crate::server::Server;
use crate::taps::Taps;
use backoff::BackOff;
use feed::{Feed, Opened};

pub(crate) use asking::{fields_of, filled, newcomers_request, url};
pub use backoff::{BASE as BACK_OFF_BASE, CAP as BACK_OFF_CAP};
pub use error::{ConnectionError, LONGEST_ANSWER, LONGEST_MESSAGE, SubscribeError};
pub(crate) use lean::ROOM_BYTES;
#[cfg(fuzzing)]
#[doc(hidden)]
pub use lean::fuzz;
pub(crate) use source::{ports, source_of};

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
    pub taps: Taps,
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
            taps: Taps::default(),
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
    fn size(&self) -> (u64, u64) {
        (self.payloads.len() as u64, self.payloads.iter().map(|payload| payload.len() as u64).sum())
    }
}

/// The next messages to send; never, for a subscriber that only reads.
async fn next_outbound(outbox: &mut Option<mpsc::Receiver<Outbound>>) -> Option<Outbound> {
    match outbox {
        Some(outbox) => outbox.recv().await,
        None => std::future::pending().await,
    }
}

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

/// How a connection ended that did not break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// The server said that the topic is complete.
    Complete,
    /// The stream ended cleanly, which may mean the same.
    Closed,
}

/// Subscribes to one topic and hands what comes to `sink`, until the topic is complete.
///
/// Dropping the future unsubscribes.
///
/// # Errors
/// When the first connection cannot be made, the server refuses the subscription for good, it is
/// not there any more, or the sink has had enough.
pub async fn subscribe<S: Sink>(
    transport: Transport,
    subscription: Subscription,
    sink: &mut S,
) -> Result<(), SubscribeError> {
    let mut backoff = BackOff::new(subscription.seed);
    let (client, completes) = (subscription.client, subscription.completes);
    let target = subscription.server.target.clone();
    let technique =
        technique(&target, transport).ok_or(SubscribeError::Connect(ConnectionError::NotSpoken(transport)))?;
    let mut feed = Feed::new(transport, subscription, technique, sink);
    loop {
        feed.sink.connecting(feed.now());
        let ended = match (transport, client) {
            (_, Client::Browser) => Err(ConnectionError::InAPage),
            (Transport::ShortPolling, _) => short_polling::connect(&mut feed).await,
            (Transport::LongPolling, _) => long_polling::connect(&mut feed).await,
            (Transport::HttpStreaming, Client::Library) => library::http_streaming::connect(&mut feed).await,
            (Transport::HttpStreaming, Client::Lean) => lean::http_streaming::connect(&mut feed).await,
            (Transport::Sse, Client::Library) => library::sse::connect(&mut feed).await,
            (Transport::Sse, Client::Lean) => lean::sse::connect(&mut feed).await,
            (Transport::WebSocket, Client::Library) => library::websocket::connect(&mut feed).await,
            (Transport::WebSocket, Client::Lean) => lean::websocket::connect(&mut feed).await,
            (Transport::RawTcp, _) => raw_tcp::connect(&mut feed).await,
        };
        let error = match ended {
            Ok(Ended::Complete) => break,
            Ok(Ended::Closed) if completes => break,
            Ok(Ended::Closed) => ConnectionError::Ended,
            Err(error) => error,
        };
        feed.after_a_break(error, &mut backoff).await?;
    }
    feed.sink.completed();
    Ok(())
}

/// How a server speaks a transport, where it does; raw TCP is the same everywhere.
pub(crate) fn technique(target: &Target, transport: Transport) -> Option<&Technique> {
    match transport {
        Transport::RawTcp => raw_tcp::technique(),
        Transport::ShortPolling
        | Transport::LongPolling
        | Transport::HttpStreaming
        | Transport::Sse
        | Transport::WebSocket => target.dialect.technique(transport),
    }
}

/// How many descriptors a subscriber's connection takes.
///
/// A socket that reqwest keeps to itself has a second one, by which its counters are read.
pub(crate) const fn descriptors_a_connection(client: Client, transport: Transport) -> u64 {
    match (client, transport) {
        (Client::Library, Transport::ShortPolling | Transport::LongPolling | Transport::HttpStreaming) => 2,
        (Client::Library, Transport::Sse | Transport::WebSocket | Transport::RawTcp)
        | (Client::Lean | Client::Browser, _) => 1,
    }
}
