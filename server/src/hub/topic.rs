//! A topic's log as many share it: behind a lock, with a wake-up and the last batches encoded.
//!
//! Subscribers who keep up stand at the same cursor. The first of them to read encodes what is
//! new; the others are handed the same bytes. So a message is framed once, however many read it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

use bytes::Bytes;
use pushoff_model::{Cursor, Epoch, Start};
use tokio::time::Instant;

use super::waiters::{Seat, Waiters};
use super::{Origin, lock};
use crate::framing::Framing;
use crate::hub::cache::{Bounds, Complete, Log, Position, Retention, Run};
use crate::memory::{Budget, Lease};

/// The log of one topic. Whoever reads or publishes shares it.
#[derive(Debug)]
pub(super) struct TopicLog {
    origin: Origin,
    state: Mutex<State>,
    /// What its batches are held in.
    batches: Arc<Budget>,
    /// How often there was something new, counted under the lock: where this has not moved, there is
    /// nothing to take the lock for.
    news: AtomicU64,
    /// How many subscribers there are.
    subscribers: AtomicUsize,
    /// Whether it was published to, or completed: it takes a place among the topics.
    settled: AtomicBool,
    /// Whether there is a batch that is kept for the next reader.
    has_recent: AtomicBool,
    /// When it was last read or published to, and when last published to, in milliseconds since the
    /// hub began.
    used_ms: AtomicU64,
    published_ms: AtomicU64,
}

#[derive(Debug)]
struct State {
    log: Log,
    closing: bool,
    waiters: Waiters,
    /// What is held for the topic itself, once it was published to.
    place: Option<Lease>,
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
    /// Something lies beyond the cursor, and there is no memory for it now.
    NoRoom,
}

impl TopicLog {
    pub(super) fn new(origin: Origin, epoch: Epoch, retention: Retention, batches: Arc<Budget>) -> Self {
        let state = State {
            log: Log::new(epoch, retention),
            closing: false,
            waiters: Waiters::default(),
            place: None,
            recent: Default::default(),
        };
        Self {
            origin,
            state: Mutex::new(state),
            batches,
            news: AtomicU64::new(0),
            subscribers: AtomicUsize::new(0),
            settled: AtomicBool::new(false),
            has_recent: AtomicBool::new(false),
            used_ms: AtomicU64::new(0),
            published_ms: AtomicU64::new(0),
        }
    }

    /// Appends messages that no other publisher's stand between, and wakes every subscriber that
    /// waits. The cursor is that of the last.
    pub(super) fn append(&self, run: Run, lease: Lease) -> Result<Cursor, Complete> {
        let mut state = lock(&self.state);
        let cursor = state.log.append(run, lease)?;
        self.tell(state);
        Ok(cursor)
    }

    /// The topic counts from now on, and holds what it is counted as. Under the lock of the topics.
    pub(super) fn settle(&self, place: Lease) {
        lock(&self.state).place = Some(place);
        self.settled.store(true, Ordering::Release);
    }

    /// Whether it counts: it was published to, or completed.
    pub(super) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Acquire)
    }

    /// Lets go of the oldest messages, at most of all but the newest, until about `bytes` are free.
    /// Gives back how many are, and whether there are more to let go of.
    pub(super) fn trim(&self, bytes: usize) -> (usize, bool) {
        let mut state = lock(&self.state);
        let freed = state.log.trim(bytes);
        (freed, state.log.kept() > 1)
    }

    /// Lets go of the batches that are kept for the next reader.
    pub(super) fn drop_recent(&self) {
        if self.has_recent.load(Ordering::Relaxed) && self.has_recent.swap(false, Ordering::Relaxed) {
            lock(&self.state).recent = Default::default();
        }
    }

    /// Says that no more will come, and lets every subscriber know.
    pub(super) fn complete(&self) {
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

    /// Where a subscriber begins that starts at `start`; it is counted in.
    pub(super) fn enter(&self, start: Start) -> Position {
        self.subscribers.fetch_add(1, Ordering::Relaxed);
        lock(&self.state).log.position(start)
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
            Reading::Batch(_) | Reading::Complete | Reading::Closing | Reading::NoRoom => Poll::Ready(reading),
        }
    }

    /// A subscriber is gone.
    pub(super) fn leave(self: &Arc<Self>, waiting: &mut Waiting) {
        if let Some(seat) = waiting.seat.take() {
            lock(&self.state).waiters.leave(seat);
        }
        let is_last = self.subscribers.fetch_sub(1, Ordering::Relaxed) == 1;
        if is_last {
            self.drop_recent();
            if !self.is_settled() {
                self.origin.left(self);
            }
        }
    }

    /// Whether anybody reads it.
    pub(super) fn has_subscribers(&self) -> bool {
        self.subscribers.load(Ordering::Relaxed) > 0
    }

    fn read_locked(&self, state: &mut State, position: &mut Position, framing: Framing, bounds: Bounds) -> Reading {
        let missed = state.log.missed_since(position.sequence);
        let sequence = position.sequence + missed;
        let owes_notice = position.estranged || missed > 0;
        if sequence == state.log.head() && !owes_notice {
            return state.nothing_new();
        }
        let shared = self.subscribers.load(Ordering::Relaxed) > 1;
        let before = state.log.cursor(sequence);
        let Some((batch, reached)) = self.batch(state, sequence, framing, bounds, shared) else {
            return Reading::NoRoom;
        };
        let batch = if owes_notice {
            let missed = (!position.estranged).then_some(missed);
            match batch.behind_notice(framing, missed, before, &self.batches) {
                Some(batch) => batch,
                None => return Reading::NoRoom,
            }
        } else {
            batch
        };
        *position = Position { sequence: reached, estranged: false };
        Reading::Batch(batch)
    }

    /// The messages after `sequence` in a framing, and the sequence number that they reach; `None`
    /// where there is no memory for them. Where there are several readers the batch is kept for the next.
    fn batch(
        &self,
        state: &mut State,
        sequence: u64,
        framing: Framing,
        bounds: Bounds,
        shared: bool,
    ) -> Option<(Batch, u64)> {
        let head = state.log.head();
        let recent = &mut state.recent[framing.index()];
        if let Some(recent) = recent
            && (recent.after, recent.head, recent.bounds) == (sequence, head, bounds)
        {
            return Some((recent.batch.clone(), recent.reached));
        }
        // What it holds may be what the new one needs.
        *recent = None;
        let (batch, reached) = encode(&state.log, sequence, framing, bounds, &self.batches)?;
        if shared {
            *recent = Some(Recent { after: sequence, head, bounds, batch: batch.clone(), reached });
            self.has_recent.store(true, Ordering::Relaxed);
        }
        Some((batch, reached))
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

    /// It is read or, where `publishes` says so, published to.
    pub(super) fn touch(&self, now_ms: u64, publishes: bool) {
        self.used_ms.fetch_max(now_ms, Ordering::Relaxed);
        if publishes {
            self.published_ms.fetch_max(now_ms, Ordering::Relaxed);
        }
    }

    /// When it was last read or published to.
    pub(super) fn used_ms(&self) -> u64 {
        self.used_ms.load(Ordering::Relaxed)
    }

    /// When it was last published to.
    pub(super) fn published_ms(&self) -> u64 {
        self.published_ms.load(Ordering::Relaxed)
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
}

fn encode(log: &Log, sequence: u64, framing: Framing, bounds: Bounds, batches: &Arc<Budget>) -> Option<(Batch, u64)> {
    let length = log.read(sequence, bounds).map(|(_, payload)| payload.as_bytes().len() + Framing::OVERHEAD).sum();
    let length = usize::min(length, bounds.bytes.saturating_mul(2));
    let mut reached = sequence;
    let encoded = framing.batch(length, |out| {
        for (cursor, payload) in log.read(sequence, bounds) {
            // Short messages and line breaks make it longer than its payloads.
            if reached > sequence && out.len() >= bounds.bytes {
                break;
            }
            framing.message(out, cursor, payload.as_bytes());
            reached = cursor.sequence;
        }
    });
    let bytes = encoded.held(batches)?;
    Some((Batch { bytes, messages: reached - sequence, missed: 0, made: Instant::now() }, reached))
}

impl Batch {
    /// The batch with a missed notice in front: rare enough to copy.
    fn behind_notice(
        self,
        framing: Framing,
        missed: Option<u64>,
        before: Cursor,
        batches: &Arc<Budget>,
    ) -> Option<Self> {
        let encoded = framing.batch(self.bytes.len() + Framing::OVERHEAD, |out| {
            framing.missed(out, missed, before);
            out.extend_from_slice(framing.content(&self.bytes));
        });
        let bytes = encoded.held(batches)?;
        Some(Self { bytes, messages: self.messages, missed: missed.unwrap_or(0), made: self.made })
    }
}
