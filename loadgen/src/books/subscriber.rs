//! A subscriber's books: what its transport hands over becomes ledger entries and samples.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pushoff_model::record::Counts;
use pushoff_model::target::{Newcomers, Others};
use pushoff_model::{RunInstant, Transport};
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::fates::{Publication, Verdict};
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
    /// Whether nobody else knows yet that it has its greeting.
    untold: bool,
    present: bool,
    /// The permit to connect; given back when this one is connected.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

/// Who a subscriber is among the publishers of its topic: number `topic + n × topics`, where every
/// subscriber speaks, and `topic` alone where the server's side does.
#[derive(Clone, Debug)]
pub(crate) struct Reads {
    /// The subscriber's number, from 0.
    pub(crate) number: u32,
    /// The topic's number, from 0.
    pub(crate) topic: u32,
    /// How many topics there are.
    pub(crate) topics: u32,
    /// How many publishers its topic has.
    pub(crate) publishers: usize,
    /// What it thinks of messages that are not the generator's.
    pub(crate) others: Others,
    /// When it is there for all that is known.
    pub(crate) presence: Presence,
    /// What it says itself, where it speaks.
    pub(crate) own: Option<Publication>,
}

/// From when on a subscriber counts as connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// From its greeting, which was there before.
    Greeted,
    /// From when its stream is open, or its first poll answered: nothing was there before.
    Opened,
    /// From its first request, which is not answered before there is something.
    Asked,
}

impl Presence {
    pub(crate) const fn of(newcomers: Newcomers, transport: Transport) -> Self {
        match (newcomers, transport) {
            (Newcomers::Kept, _) => Self::Greeted,
            (Newcomers::Live, Transport::LongPolling) => Self::Asked,
            (Newcomers::Live, _) => Self::Opened,
        }
    }
}

impl Reads {
    /// The place, from 0, of a publisher among those of this topic; `None` where it is not one.
    fn place(&self, publisher: u32) -> Option<usize> {
        let beyond = publisher.checked_sub(self.topic)?;
        beyond.is_multiple_of(self.topics).then_some((beyond / self.topics) as usize)
    }
}

/// How far a subscriber has come, for those who wait for it.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Messages delivered at least once, or told missed.
    pub(crate) accounted: AtomicU64,
    /// Whether it knows that its topic is complete.
    pub(crate) completed: AtomicBool,
}

/// Counts the subscribers that are connected, and those that have their greeting.
#[derive(Debug)]
pub(crate) struct Arrivals {
    pub(crate) present: Countdown,
    pub(crate) greeted: Countdown,
}

impl Arrivals {
    pub(crate) fn new(expected: u32) -> Self {
        Self { present: Countdown::new(expected), greeted: Countdown::new(expected) }
    }
}

/// Counts down to all.
#[derive(Debug)]
pub(crate) struct Countdown {
    missing: AtomicU64,
    all: Notify,
}

impl Countdown {
    fn new(expected: u32) -> Self {
        Self { missing: AtomicU64::new(expected.into()), all: Notify::new() }
    }

    pub(crate) fn missing(&self) -> u64 {
        self.missing.load(Ordering::Acquire)
    }

    /// Waits for every subscriber. One may wait at a time.
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

    /// Hands over what is left to hand over.
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

    /// It is connected: the next may be.
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
        let own = self.reads.own.as_ref().filter(|_| stamp.publisher == self.reads.number);
        if let Some(publication) = own {
            publication.echoed(stamp.index);
        }
        let sample = Sample {
            publisher: stamp.publisher,
            index: stamp.index,
            due: stamp.due,
            sent: stamp.sent,
            received: message.received,
            polled: message.polled,
            own: own.is_some(),
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
        if let Some(publication) = &self.reads.own {
            publication.enter(messages, Verdict::Accepted);
        }
    }

    fn broke(&mut self, error: &ConnectionError) -> ControlFlow<()> {
        self.counts.reconnects += 1;
        let cause = chain(error);
        tracing::debug!(subscriber = self.reads.number, cause, "the connection broke");
        self.recorder.broke(&cause);
        if let Some(publication) = &self.reads.own {
            publication.broke(&cause);
        }
        ControlFlow::Continue(())
    }

    fn completed(&mut self) {
        self.progress.completed.store(true, Ordering::Release);
    }
}
