//! The client side of every transport: one subscriber, one connection, one function.
//!
//! Each file speaks one transport over one connection until it ends or breaks, and hands what
//! comes to a [`Sink`]. What follows a break is the same for all and stands here: wait, connect
//! again, go on after the last cursor, so that nothing is lost by it.

mod backoff;
mod error;
mod http_streaming;
pub mod line;
mod long_polling;
mod poll;
mod raw_tcp;
mod short_polling;
mod sse;
mod websocket;

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::time::Duration;

use pushoff_model::workload::Polling;
use pushoff_model::{Client, Cursor, RunClock, RunInstant, Topic, Transport};
use tokio::sync::{mpsc, oneshot, watch};

use crate::taps::Taps;
use crate::target::Target;
use backoff::BackOff;

pub use backoff::{BASE as BACK_OFF_BASE, CAP as BACK_OFF_CAP};
pub use error::{ConnectionError, SubscribeError};
pub(crate) use poll::cursor;

/// What one subscriber wants.
#[derive(Debug)]
pub struct Subscription {
    /// The server.
    pub target: Target,
    /// The topic.
    pub topic: Topic,
    /// The last message it has; `None` to begin with the next. Moves on with every message.
    pub after: Option<Cursor>,
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
    pub fn new(target: Target, topic: Topic, after: Option<Cursor>, polling: Polling, clock: RunClock) -> Self {
        let pace = Pace::AtOnce;
        Self {
            target,
            topic,
            after,
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

/// A message as the client library handed it over.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// Its place in the log.
    pub cursor: Cursor,
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
    /// The server said that messages were missed; `None` where it could not know how many.
    fn missed(&mut self, count: Option<u64>);
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
    let completes = subscription.completes;
    let mut feed = Feed { subscription, sink, opened: Opened::Never };
    loop {
        feed.sink.connecting(feed.now());
        let ended = match transport {
            Transport::ShortPolling => short_polling::connect(&mut feed).await,
            Transport::LongPolling => long_polling::connect(&mut feed).await,
            Transport::HttpStreaming => http_streaming::connect(&mut feed).await,
            Transport::Sse => sse::connect(&mut feed).await,
            Transport::WebSocket => websocket::connect(&mut feed).await,
            Transport::RawTcp => raw_tcp::connect(&mut feed).await,
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

/// A subscription under way: where it stands, and who listens.
struct Feed<'a, S> {
    subscription: Subscription,
    sink: &'a mut S,
    opened: Opened,
}

/// What has become of the subscription's connections so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opened {
    Never,
    Before,
    Now,
}

impl<S: Sink> Feed<'_, S> {
    fn now(&self) -> RunInstant {
        self.subscription.clock.now()
    }

    /// The stream is open; told once a connection.
    fn opened(&mut self) {
        if self.opened != Opened::Now {
            self.opened = Opened::Now;
            self.sink.opened(self.now());
        }
    }

    fn message(&mut self, cursor: Cursor, payload: &[u8], polled: Option<Polled>) {
        let received = self.now();
        self.subscription.after = Some(cursor);
        self.sink.message(Incoming { cursor, payload, received, polled });
    }

    /// Hands on what a JSON line says.
    fn line(&mut self, bytes: &[u8], polled: Option<Polled>) -> Result<(), ConnectionError> {
        match line::parse(bytes).map_err(ConnectionError::Line)? {
            line::Line::Message { cursor, payload } => self.message(cursor, payload.as_bytes(), polled),
            line::Line::Missed(count) => self.sink.missed(count),
            line::Line::Open(_) => self.opened(),
            line::Line::Heartbeat => {}
        }
        Ok(())
    }

    async fn after_a_break(&mut self, error: ConnectionError, backoff: &mut BackOff) -> Result<(), SubscribeError> {
        match self.opened {
            Opened::Never => return Err(SubscribeError::Connect(error)),
            Opened::Now => backoff.reset(),
            Opened::Before => {}
        }
        self.opened = Opened::Before;
        if error.is_final() {
            return Err(SubscribeError::Refused(error));
        }
        if self.sink.broke(&error).is_break() {
            return Err(SubscribeError::Stopped(error));
        }
        let Some(wait) = backoff.next(&error) else {
            return Err(SubscribeError::Gone(error));
        };
        tokio::time::sleep(wait).await;
        Ok(())
    }
}
