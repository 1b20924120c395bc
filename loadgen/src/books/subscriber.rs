//! A subscriber's books: turns what its transport reports into ledger entries and samples.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pushoff_model::record::Counts;
use pushoff_model::target::{Newcomers, Others};
use pushoff_model::{RunInstant, Transport};
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::fates::{Publication, PublishOutcome};
use super::ledger::{Delivery, Ledger};
use super::recorder::{Recorder, Sample, SampleBlock};
use crate::clients::{ConnectionError, Incoming, Sink};
use crate::failure::chain;
use crate::message::stamp::{self, GREETER, Received};

/// One subscriber of a trial.
#[derive(Debug)]
pub(crate) struct Subscriber {
    pub(crate) reads: Reads,
    pub(crate) ledger: Ledger,
    /// Its requests, empty polls and reconnects.
    pub(crate) counts: Counts,
    pub(crate) requests_measured: u64,
    samples: SampleBlock,
    recorder: Arc<Recorder>,
    progress: Arc<Progress>,
    arrivals: Arc<Arrivals>,
    connecting: Option<RunInstant>,
    opened: bool,
    greeted: bool,
    /// Whether [`Arrivals`] must still be told of the greeting.
    untold: bool,
    present: bool,
    /// The permit to connect; returned when the subscriber is connected.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

/// The topic that a subscriber reads, and that topic's publishers. Publishers are numbered `topic + n × topics` where
/// every subscriber speaks; otherwise the topic's only publisher has the topic's number.
#[derive(Clone, Debug)]
pub(crate) struct Reads {
    /// The subscriber's number, from 0.
    pub(crate) number: u32,
    /// The topic's number, from 0.
    pub(crate) topic: u32,
    pub(crate) topics: u32,
    pub(crate) publishers: usize,
    /// The treatment of messages that the generator did not send.
    pub(crate) others: Others,
    pub(crate) presence: Presence,
    pub(crate) own: Own,
}

/// The messages that a subscriber publishes itself.
#[derive(Clone, Debug)]
pub(crate) enum Own {
    /// None: the subscriber only reads.
    Nothing,
    /// Each by a request of its own. The answer tells the message's fate, whatever happens to the subscriber's stream.
    Posted,
    /// Each on the subscriber's connection, with their fates: if that connection breaks, a message may be gone.
    Spoken(Publication),
}

/// When a subscriber counts as connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// When it has its greeting, which was published before it subscribed.
    Greeted,
    /// When its stream is open or its first poll is answered: the topic keeps nothing for newcomers.
    Opened,
    /// When it sends its first request: a long poll is not answered before there is a message.
    Asked,
}

impl Presence {
    pub(crate) const fn of(newcomers: Newcomers, transport: Transport) -> Self {
        match (newcomers, transport) {
            (Newcomers::Kept, _) => Self::Greeted,
            (Newcomers::Live, Transport::LongPolling) => Self::Asked,
            (
                Newcomers::Live,
                Transport::ShortPolling
                | Transport::HttpStreaming
                | Transport::Sse
                | Transport::WebSocket
                | Transport::RawTcp,
            ) => Self::Opened,
        }
    }
}

impl Reads {
    /// The position of a publisher among those of this topic, from 0; `None` for a publisher of another topic.
    fn place(&self, publisher: u32) -> Option<usize> {
        let beyond = publisher.checked_sub(self.topic)?;
        beyond.is_multiple_of(self.topics).then_some((beyond / self.topics) as usize)
    }
}

/// How far a subscriber has come. The drain waits for it.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Messages delivered at least once, or reported missed.
    pub(crate) accounted: AtomicU64,
    /// Whether the subscriber knows that its topic is complete.
    pub(crate) completed: AtomicBool,
}

/// Counts subscribers that are connected, and subscribers that have their greeting.
#[derive(Debug)]
pub(crate) struct Arrivals {
    pub(crate) present: Countdown,
    pub(crate) greeted: Countdown,
}

impl Arrivals {
    pub(crate) fn new(expected: u64) -> Self {
        Self { present: Countdown::new(expected), greeted: Countdown::new(expected) }
    }
}

/// Counts down until all subscribers have arrived.
#[derive(Debug)]
pub(crate) struct Countdown {
    missing: AtomicU64,
    all: Notify,
}

impl Countdown {
    fn new(expected: u64) -> Self {
        Self { missing: AtomicU64::new(expected), all: Notify::new() }
    }

    pub(crate) fn missing(&self) -> u64 {
        self.missing.load(Ordering::Acquire)
    }

    /// Waits for all subscribers. Only one task may wait at a time.
    pub(crate) async fn all(&self) {
        while self.missing() > 0 {
            self.all.notified().await;
        }
    }

    fn one(&self) {
        if self.missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.all.notify_one();
        }
    }
}

impl Subscriber {
    pub(crate) fn new(reads: Reads, recorder: Arc<Recorder>, progress: Arc<Progress>, arrivals: Arc<Arrivals>) -> Self {
        Self {
            ledger: Ledger::new(reads.publishers),
            reads,
            counts: Counts::default(),
            requests_measured: 0,
            samples: SampleBlock::default(),
            recorder,
            progress,
            arrivals,
            connecting: None,
            opened: false,
            greeted: false,
            untold: false,
            present: false,
            permit: None,
        }
    }

    /// Merges the remaining samples.
    pub(crate) fn close(&mut self) {
        self.samples.flush(&self.recorder);
    }

    fn greeted(&mut self, at: RunInstant) {
        if !self.greeted {
            self.greeted = true;
            self.untold = true;
            self.recorder.greeted(self.connecting.unwrap_or(at), at);
        }
    }

    /// Marks the subscriber as connected and returns its permit.
    fn present(&mut self) {
        if !self.present {
            self.present = true;
            self.permit = None;
            self.arrivals.present.one();
        }
    }

    fn stamped(&mut self, stamp: &stamp::Stamp, message: Incoming<'_>) {
        let delivery = match self.reads.place(stamp.publisher) {
            Some(place) => self.ledger.deliver(place, stamp.index),
            None => {
                self.ledger.foreign();
                Delivery::Foreign
            }
        };
        if delivery != Delivery::First {
            return;
        }
        let own = !matches!(self.reads.own, Own::Nothing) && stamp.publisher == self.reads.number;
        if own && let Own::Spoken(publication) = &self.reads.own {
            publication.echoed(stamp.index);
        }
        let sample = Sample {
            publisher: stamp.publisher,
            index: stamp.index,
            due: stamp.due,
            sent: stamp.sent,
            received: message.received,
            polled: message.polled,
            own,
        };
        self.samples.push(sample, &self.recorder);
    }
}

impl Sink for Subscriber {
    fn connecting(&mut self, at: RunInstant) {
        self.connecting.get_or_insert(at);
    }

    fn opened(&mut self, at: RunInstant) {
        if !self.opened {
            self.opened = true;
            self.recorder.connected(at.since(self.connecting.unwrap_or(at)));
        }
        if self.reads.presence == Presence::Opened {
            self.present();
        }
    }

    fn requested(&mut self, at: RunInstant) {
        self.counts.requests += 1;
        self.requests_measured += u64::from(self.recorder.measures(at));
        if self.reads.presence == Presence::Asked {
            self.present();
        }
    }

    fn message(&mut self, message: Incoming<'_>) {
        if self.recorder.is_over(message.received) {
            return;
        }
        if let Some(cursor) = message.cursor {
            self.ledger.cursor(cursor);
        }
        match stamp::read(message.payload) {
            Some(Received { is_whole: false, .. }) => self.ledger.altered(),
            Some(Received { stamp, .. }) if stamp.publisher == GREETER => self.greeted(message.received),
            Some(Received { stamp, .. }) => self.stamped(&stamp, message),
            None => match self.reads.others {
                Others::Refuse => self.ledger.foreign(),
                Others::Ignore => {}
            },
        }
    }

    fn missed(&mut self, count: Option<u64>) {
        self.ledger.told(count);
    }

    fn settled(&mut self) {
        self.progress.accounted.store(self.ledger.accounted(), Ordering::Release);
        if std::mem::take(&mut self.untold) {
            self.present();
            self.arrivals.greeted.one();
        }
    }

    fn polled_empty(&mut self) {
        self.counts.empty_polls += 1;
    }

    fn wrote(&mut self, messages: u64) {
        if let Own::Spoken(publication) = &self.reads.own {
            publication.enter(messages, PublishOutcome::Accepted);
        }
    }

    fn broke(&mut self, error: &ConnectionError) -> ControlFlow<()> {
        self.counts.reconnects += 1;
        let cause = chain(error);
        tracing::debug!(subscriber = self.reads.number, cause, "the connection broke");
        self.recorder.broke(&cause);
        if let Own::Spoken(publication) = &self.reads.own {
            publication.broke(&cause);
        }
        ControlFlow::Continue(())
    }

    fn completed(&mut self) {
        self.progress.completed.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::message::stamp::Stamp;

    /// The only subscriber and publisher of the topic with that number.
    fn subscriber(number: u32) -> Subscriber {
        let (others, presence) = (Others::Refuse, Presence::Greeted);
        let reads =
            Reads { number, topic: number, topics: number + 1, publishers: 1, others, presence, own: Own::Nothing };
        Subscriber::new(reads, Arc::default(), Arc::default(), Arc::new(Arrivals::new(1)))
    }

    fn hear(subscriber: &mut Subscriber, (publisher, index): (u32, u64), received: RunInstant) {
        let (sent, mut payload) = (RunInstant::default(), String::new());
        stamp::write(&mut payload, &Stamp { publisher, index, due: sent, sent }, |body| body.push('0'));
        subscriber.message(Incoming { cursor: None, payload: payload.as_bytes(), received, polled: None });
    }

    #[test]
    fn only_the_greeter_greets_whatever_number_a_publisher_has() {
        let (number, now) = (99_999, RunInstant::default());
        let mut subscriber = subscriber(number);
        let mut hears = |publisher| {
            hear(&mut subscriber, (publisher, 0), now);
            (subscriber.ledger.reached(0), subscriber.greeted)
        };
        assert_eq!(hears(number), (1, false));
        assert_eq!(hears(GREETER), (1, true));
    }

    #[test]
    fn a_message_that_arrives_after_the_drain_is_lost_however_long_the_connection_lives() {
        let mut subscriber = subscriber(0);
        let drained = RunInstant::default() + Duration::from_secs(1);
        subscriber.recorder.ends(drained);
        hear(&mut subscriber, (0, 0), RunInstant::from_nanos(999_999_999));
        hear(&mut subscriber, (0, 1), drained);
        assert_eq!((subscriber.ledger.accounted(), subscriber.ledger.reached(0)), (1, 1));
    }
}
