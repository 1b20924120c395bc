//! A topic's log as many share it: behind a lock, with a wake-up and the last batches encoded.
//!
//! Subscribers who keep up stand at the same cursor. The first of them to read encodes what is
//! new; the others are handed the same bytes. So a message is framed once, however many read it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use pushoff_model::{Cursor, Epoch, Start};
use tokio::time::Instant;

use super::waiters::{Seat, Waiters};
use super::{Subscription, lock};
use crate::framing::Framing;
use crate::log::{Bounds, Complete, Log, Position, Retention};
use crate::payload::Payload;

/// The log of one topic. Whoever reads or publishes shares it.
#[derive(Debug)]
pub struct TopicLog {
    state: Mutex<State>,
    /// How often there was something new, counted under the lock: where this has not moved, there is
    /// nothing to take the lock for.
    news: AtomicU64,
    /// How many subscribers there are.
    subscribers: AtomicUsize,
    /// When it was last asked for, in milliseconds since the hub began.
    touched_ms: AtomicU64,
}

#[derive(Debug)]
struct State {
    log: Log,
    closing: bool,
    waiters: Waiters,
    /// The batch that was last encoded in each framing.
    recent: [Option<Recent>; Framing::ALL.len()],
}

/// An encoded batch and what it answers.
#[derive(Debug)]
struct Recent {
    after: u64,
    head: u64,
    bounds: Bounds,
    batch: Batch,
    reached: u64,
}

/// Consecutive messages in one framing, to be written at once.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What is to be written: a missed notice where one is due, then the messages.
    pub bytes: Bytes,
    /// How many messages these are.
    pub messages: u64,
    /// How many messages the notice in front says were missed, as far as that is known.
    pub missed: u64,
    /// When it was encoded: one look at the clock for all who are handed it.
    pub made: Instant,
}

/// Where a subscriber waits, and since which news.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    seat: Option<Seat>,
    /// The waker that was left, which is looked at only while there is no other news.
    waker: Option<Waker>,
    news: u64,
}

/// What a subscriber finds when it reads.
#[derive(Debug)]
pub enum Reading {
    /// Messages, or a missed notice, or both.
    Batch(Batch),
    /// Nothing beyond the cursor yet.
    CaughtUp,
    /// Nothing beyond the cursor, and no more will come.
    Complete,
    /// Nothing beyond the cursor, and the server is going away.
    Closing,
}

impl TopicLog {
    pub(super) fn new(epoch: Epoch, retention: Retention) -> Self {
        let state = State {
            log: Log::new(epoch, retention),
            closing: false,
            waiters: Waiters::default(),
            recent: Default::default(),
        };
        Self {
            state: Mutex::new(state),
            news: AtomicU64::new(0),
            subscribers: AtomicUsize::new(0),
            touched_ms: AtomicU64::new(0),
        }
    }

    /// Appends one message and wakes every subscriber that waits.
    ///
    /// # Errors
    /// When the topic is complete.
    pub fn append(&self, payload: Payload) -> Result<Cursor, Complete> {
        let mut state = lock(&self.state);
        let cursor = state.log.append(payload)?;
        self.tell(state);
        Ok(cursor)
    }

    /// Appends messages that no other publisher's stand between, and wakes once. The cursor is
    /// that of the last; `None` where there are no messages.
    ///
    /// # Errors
    /// When the topic is complete.
    pub fn append_all(&self, payloads: Vec<Payload>) -> Result<Option<Cursor>, Complete> {
        let mut last = None;
        let mut state = lock(&self.state);
        for payload in payloads {
            last = Some(state.log.append(payload)?);
        }
        self.tell(state);
        Ok(last)
    }

    /// Says that no more will come, and lets every subscriber know.
    pub fn complete(&self) {
        let mut state = lock(&self.state);
        state.log.complete();
        self.tell(state);
    }

    /// Wakes all who wait for what was just done to the log, when its lock is free again.
    fn tell(&self, mut state: MutexGuard<'_, State>) {
        self.news.fetch_add(1, Ordering::Release);
        let roused = state.waiters.rouse();
        drop(state);
        roused.into_iter().for_each(Waker::wake);
    }

    /// A subscriber that begins at `start`.
    #[must_use]
    pub fn subscribe(self: &Arc<Self>, start: Start) -> Subscription {
        self.subscribers.fetch_add(1, Ordering::Relaxed);
        let position = lock(&self.state).log.position(start);
        Subscription::new(Arc::clone(self), position)
    }

    /// What lies after `position`, which moves along.
    pub(super) fn read(&self, position: &mut Position, framing: Framing, bounds: Bounds) -> Reading {
        self.read_locked(&mut lock(&self.state), position, framing, bounds)
    }

    /// The same, or the promise that the waker will be woken when there is something.
    ///
    /// Who reads up to the head waits from then on: the next look, after the batch was written, finds
    /// that there is no news and needs no lock.
    pub(super) fn poll_read(
        &self,
        position: &mut Position,
        waiting: &mut Waiting,
        waker: &Waker,
        framing: Framing,
        bounds: Bounds,
    ) -> Poll<Reading> {
        if waiting.news == self.news.load(Ordering::Acquire)
            && waiting.waker.as_ref().is_some_and(|waiting| waiting.will_wake(waker))
        {
            return Poll::Pending;
        }
        let mut state = lock(&self.state);
        let reading = self.read_locked(&mut state, position, framing, bounds);
        if state.has_more_to_come_after(*position) {
            state.waiters.wait(&mut waiting.seat, waker);
            waiting.waker.get_or_insert_with(|| waker.clone()).clone_from(waker);
            waiting.news = self.news.load(Ordering::Relaxed);
        }
        match reading {
            Reading::CaughtUp => Poll::Pending,
            Reading::Batch(_) | Reading::Complete | Reading::Closing => Poll::Ready(reading),
        }
    }

    /// A subscriber is gone.
    pub(super) fn leave(&self, waiting: &mut Waiting) {
        self.subscribers.fetch_sub(1, Ordering::Relaxed);
        if let Some(seat) = waiting.seat.take() {
            lock(&self.state).waiters.leave(seat);
        }
    }

    fn read_locked(&self, state: &mut State, position: &mut Position, framing: Framing, bounds: Bounds) -> Reading {
        let missed = state.log.missed_since(position.sequence);
        let sequence = position.sequence + missed;
        let owes_notice = position.estranged || missed > 0;
        if sequence == state.log.head() && !owes_notice {
            return state.nothing_new();
        }
        let shared = self.subscribers.load(Ordering::Relaxed) > 1;
        let (batch, reached) = state.batch(sequence, framing, bounds, shared);
        let estranged = position.estranged;
        *position = Position { sequence: reached, estranged: false };
        Reading::Batch(if owes_notice { batch.behind_notice(framing, estranged, missed) } else { batch })
    }

    /// The cursor for a sequence number of this log.
    pub(super) fn cursor(&self, sequence: u64) -> Cursor {
        lock(&self.state).log.cursor(sequence)
    }

    /// Whether a reader at `position` has nothing to come.
    pub(super) fn ends_at(&self, position: Position) -> bool {
        let state = lock(&self.state);
        state.log.is_complete() && position.sequence == state.log.head() && !position.estranged
    }

    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.closing = true;
        self.tell(state);
    }

    pub(super) fn touch(&self, since_start: Duration) {
        let now = u64::try_from(since_start.as_millis()).unwrap_or(u64::MAX);
        self.touched_ms.fetch_max(now, Ordering::Relaxed);
    }

    pub(super) fn touched(&self) -> Duration {
        Duration::from_millis(self.touched_ms.load(Ordering::Relaxed))
    }
}

impl State {
    /// Whether a reader at `position` has read all that is there, and not all that will be.
    fn has_more_to_come_after(&self, position: Position) -> bool {
        position.sequence == self.log.head() && !position.estranged && !self.log.is_complete() && !self.closing
    }

    const fn nothing_new(&self) -> Reading {
        if self.log.is_complete() {
            Reading::Complete
        } else if self.closing {
            Reading::Closing
        } else {
            Reading::CaughtUp
        }
    }

    /// The messages after `sequence` in a framing, and the sequence number that they reach. Where
    /// there are several readers the batch is kept for the next.
    fn batch(&mut self, sequence: u64, framing: Framing, bounds: Bounds, shared: bool) -> (Batch, u64) {
        let head = self.log.head();
        let recent = &mut self.recent[framing.index()];
        if let Some(recent) = recent
            && (recent.after, recent.head, recent.bounds) == (sequence, head, bounds)
        {
            return (recent.batch.clone(), recent.reached);
        }
        let (batch, reached) = encode(&self.log, sequence, framing, bounds);
        *recent = shared.then(|| Recent { after: sequence, head, bounds, batch: batch.clone(), reached });
        (batch, reached)
    }
}

fn encode(log: &Log, sequence: u64, framing: Framing, bounds: Bounds) -> (Batch, u64) {
    let length = log.read(sequence, bounds).map(|(_, payload)| payload.as_bytes().len() + Framing::OVERHEAD).sum();
    let mut reached = sequence;
    let bytes = framing.batch(length, |out| {
        for (cursor, payload) in log.read(sequence, bounds) {
            framing.message(out, cursor, payload.as_bytes());
            reached = cursor.sequence;
        }
    });
    (Batch { bytes, messages: reached - sequence, missed: 0, made: Instant::now() }, reached)
}

impl Batch {
    /// The batch with a missed notice in front: rare enough to copy.
    fn behind_notice(self, framing: Framing, estranged: bool, missed: u64) -> Self {
        let count = (!estranged).then_some(missed);
        let bytes = framing.batch(self.bytes.len() + Framing::OVERHEAD, |out| {
            framing.missed(out, count);
            out.extend_from_slice(framing.content(&self.bytes));
        });
        Self { bytes, messages: self.messages, missed: count.unwrap_or(0), made: self.made }
    }
}
