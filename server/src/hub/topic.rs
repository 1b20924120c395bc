//! One topic, as its publishers and subscribers share it: the cache behind a lock, the waiting subscribers,
//! and the last batches.
//!
//! Subscribers who keep up have the same cursor. The first of them to read encodes the new messages; the
//! others get the same bytes. So a message is framed once a framing, however many subscribers read it.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Poll, Waker};

use pushoff_model::{Cursor, Epoch, Start, Topic};

use super::batch::{Keep, Reading, Recent};
use super::cache::{Bounds, Cache, Complete, Position, Run};
use super::tail::{Behind, Tail};
use super::waiters::{Seat, Waiters};
use crate::framing::Framing;
use crate::memory::{Budget, Lease, Memory};

/// The log of one topic.
#[derive(Debug)]
pub(super) struct TopicLog {
    topic: Topic,
    owner: Weak<dyn Owner>,
    state: Mutex<State>,
    /// The memory of the batches.
    batches: Arc<Budget>,
    /// How a batch is kept where there are further readers.
    shared: Keep,
    /// The number of changes to the log, counted under the lock: a subscriber that has seen the last change
    /// needs no lock.
    changes: AtomicU64,
    subscribers: AtomicUsize,
    /// Whether the topic counts: it was published to, or completed.
    is_settled: AtomicBool,
    /// Whether a batch is kept for the next reader.
    has_recent: AtomicBool,
    /// The times of the last read or publish, and of the last publish, in milliseconds since the hub began.
    used_ms: AtomicU64,
    published_ms: AtomicU64,
    /// Where the log follows a store outside the process.
    tail: Option<Tail>,
}

/// The table that a topic is in.
pub(super) trait Owner: Debug + Send + Sync {
    /// The last subscriber has left a topic that does not count.
    fn abandoned(&self, topic: &Topic, log: &Arc<TopicLog>);

    /// The time in milliseconds since the hub began.
    fn time_ms(&self) -> u64;
}

#[derive(Debug)]
struct State {
    cache: Cache,
    /// The last turn to leave that has come; 0 while the server is not shutting down.
    leaving: Turn,
    waiters: Waiters,
    /// The memory of the topic itself, once the topic counts.
    lease: Option<Lease>,
    recent: Recent,
}

/// When a subscriber leaves a server that shuts down, among all: the turns are spread evenly over the drain.
pub(super) type Turn = u16;

/// A subscriber's place among the waiting ones, the last change that it has seen, and its turn to leave.
#[derive(Debug)]
pub(super) struct Waiting {
    seat: Option<Seat>,
    /// The waker that waits for the next change.
    waker: Option<Waker>,
    seen: u64,
    turn: Turn,
}

impl Waiting {
    pub(super) fn new() -> Self {
        Self { seat: None, waker: None, seen: 0, turn: rand::random_range(1..=Turn::MAX) }
    }
}

impl TopicLog {
    pub(super) fn new(topic: Topic, owner: Weak<dyn Owner>, cache: Cache, memory: &Memory, tail: Option<Tail>) -> Self {
        let shared = if memory.compressors.is_some() { Keep::WithForms } else { Keep::Batch };
        let state = State { cache, leaving: 0, waiters: Waiters::default(), lease: None, recent: Recent::default() };
        Self {
            topic,
            owner,
            state: Mutex::new(state),
            batches: Arc::clone(&memory.batches),
            shared,
            changes: AtomicU64::new(0),
            subscribers: AtomicUsize::new(0),
            is_settled: AtomicBool::new(false),
            has_recent: AtomicBool::new(false),
            used_ms: AtomicU64::new(0),
            published_ms: AtomicU64::new(0),
            tail,
        }
    }

    /// Appends a run and wakes every waiting subscriber. Gives the cursor of the last message.
    pub(super) fn append(&self, run: Run, lease: Lease) -> Result<Cursor, Complete> {
        let mut state = lock(&self.state);
        let cursor = state.cache.append(run, lease)?;
        self.wake_all(state);
        Ok(cursor)
    }

    /// Ends the log and tells every subscriber.
    pub(super) fn complete(&self) {
        let mut state = lock(&self.state);
        state.cache.complete();
        self.wake_all(state);
    }

    /// Tells the subscribers up to a turn that the server is shutting down.
    pub(super) fn close(&self, up_to: Turn) {
        let mut state = lock(&self.state);
        state.leaving = up_to;
        self.wake_all(state);
    }

    /// Counts a change and wakes all waiting subscribers once the lock is free.
    fn wake_all(&self, mut state: MutexGuard<'_, State>) {
        self.changes.fetch_add(1, Ordering::Release);
        let woken = state.waiters.take_all();
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }

    /// Makes the topic count, with the memory that a topic takes. Called under the lock of the table.
    pub(super) fn settle(&self, lease: Lease) {
        lock(&self.state).lease = Some(lease);
        self.is_settled.store(true, Ordering::Release);
    }

    /// Whether the topic counts: it was published to, or completed.
    pub(super) fn is_settled(&self) -> bool {
        self.is_settled.load(Ordering::Acquire)
    }

    /// Drops the oldest messages, all but the newest at most, until about `bytes` are free. Gives the bytes
    /// freed, and whether more messages could be dropped.
    pub(super) fn trim(&self, bytes: usize) -> (usize, bool) {
        let mut state = lock(&self.state);
        let freed = state.cache.trim(bytes);
        (freed, state.cache.kept() > 1)
    }

    /// Drops the batches that are kept for the next reader.
    pub(super) fn drop_recent(&self) {
        if self.has_recent.load(Ordering::Relaxed) && self.has_recent.swap(false, Ordering::Relaxed) {
            lock(&self.state).recent = Recent::default();
        }
    }

    /// Counts a subscriber in, and gives its position.
    pub(super) fn enter(&self, start: Start) -> Position {
        self.arrive();
        self.position(start)
    }

    /// Counts a subscriber in, whose position is not known yet.
    pub(super) fn arrive(&self) {
        self.subscribers.fetch_add(1, Ordering::Relaxed);
    }

    /// The position of a subscriber that starts at `start`.
    pub(super) fn position(&self, start: Start) -> Position {
        lock(&self.state).cache.position(start)
    }

    /// Waits until the log can say where `start` is, and has what was published at this server before.
    ///
    /// A cursor that the log has reached needs no look at the store: what is not here yet will come.
    pub(super) async fn catch_up(&self, start: Start) -> Result<(), Behind> {
        let Some(tail) = &self.tail else { return Ok(()) };
        let head = self.head();
        let is_known = match start {
            Start::Now | Start::Oldest => false,
            Start::After(cursor) => cursor.epoch == head.epoch && cursor.sequence <= head.sequence,
        };
        if is_known && tail.is_caught_up(head.sequence) { Ok(()) } else { tail.catch_up().await }
    }

    /// Notes that the log has all that its stream had.
    pub(super) fn filled(&self) {
        if let Some(tail) = &self.tail {
            tail.is_filled.store(true, Ordering::Release);
        }
    }

    /// Notes that the store has acknowledged a message to this server.
    pub(super) fn acknowledge(&self, cursor: Cursor) {
        if let Some(tail) = &self.tail {
            tail.acknowledge(cursor.sequence);
        }
    }

    /// Gives the empty log of a topic without a stream the epoch of the stream that has come.
    pub(super) fn born(&self, epoch: Epoch) {
        lock(&self.state).cache.begin(epoch);
    }

    /// The cursor of the newest message.
    pub(super) fn head(&self) -> Cursor {
        let state = lock(&self.state);
        state.cache.cursor(state.cache.head())
    }

    /// Counts a subscriber out. With the last, the topic begins to be idle.
    pub(super) fn leave(self: &Arc<Self>, waiting: &mut Waiting) {
        if let Some(seat) = waiting.seat.take() {
            lock(&self.state).waiters.leave(seat);
        }
        // Nobody evicts the topic in between: the subscriber still shares it.
        if let Some(owner) = self.depart() {
            self.touch(owner.time_ms(), false);
        }
    }

    /// Counts out whoever [arrived](Self::arrive) and read nothing; gives the table to the last.
    pub(super) fn depart(self: &Arc<Self>) -> Option<Arc<dyn Owner>> {
        if self.subscribers.fetch_sub(1, Ordering::Relaxed) > 1 {
            return None;
        }
        self.drop_recent();
        let owner = self.owner.upgrade()?;
        if !self.is_settled() {
            owner.abandoned(&self.topic, self);
        }
        Some(owner)
    }

    pub(super) fn has_subscribers(&self) -> bool {
        self.subscribers.load(Ordering::Relaxed) > 0
    }

    /// The messages after `position`, which moves past them.
    pub(super) fn read(&self, position: &mut Position, waiting: &Waiting, framing: Framing, bounds: Bounds) -> Reading {
        self.read_locked(&mut lock(&self.state), position, waiting.turn, framing, bounds)
    }

    /// The messages after `position`; or pending, and the waker will be woken at the next change.
    ///
    /// A reader that reaches the head waits from then on: its next poll, after the batch was written, finds no
    /// change and needs no lock.
    pub(super) fn poll_read(
        &self,
        position: &mut Position,
        waiting: &mut Waiting,
        waker: &Waker,
        framing: Framing,
        bounds: Bounds,
    ) -> Poll<Reading> {
        if waiting.seen == self.changes.load(Ordering::Acquire)
            && waiting.waker.as_ref().is_some_and(|waiting| waiting.will_wake(waker))
        {
            return Poll::Pending;
        }
        let mut state = lock(&self.state);
        let reading = self.read_locked(&mut state, position, waiting.turn, framing, bounds);
        if state.is_at_head(*position) && matches!(state.end(waiting.turn), Reading::CaughtUp) {
            state.waiters.wait(&mut waiting.seat, waker);
            waiting.waker.get_or_insert_with(|| waker.clone()).clone_from(waker);
            waiting.seen = self.changes.load(Ordering::Relaxed);
        }
        match reading {
            Reading::CaughtUp => Poll::Pending,
            Reading::Batch(_) | Reading::Complete | Reading::Closing | Reading::NoRoom => Poll::Ready(reading),
        }
    }

    fn read_locked(
        &self,
        state: &mut State,
        position: &mut Position,
        turn: Turn,
        framing: Framing,
        bounds: Bounds,
    ) -> Reading {
        if state.is_at_head(*position) {
            return state.end(turn);
        }
        let is_shared = self.subscribers.load(Ordering::Relaxed) > 1;
        let keep = if is_shared { self.shared } else { Keep::Nothing };
        let read = state.recent.read(&state.cache, position, framing, bounds, &self.batches, keep);
        if is_shared && !self.has_recent.load(Ordering::Relaxed) {
            self.has_recent.store(true, Ordering::Relaxed);
        }
        read.map_or(Reading::NoRoom, Reading::Batch)
    }

    /// The memory of the batches.
    pub(super) const fn batches(&self) -> &Arc<Budget> {
        &self.batches
    }

    /// The cursor of a sequence number of this log.
    pub(super) fn cursor(&self, sequence: u64) -> Cursor {
        lock(&self.state).cache.cursor(sequence)
    }

    /// Whether a reader at `position` has read all messages of a complete topic.
    pub(super) fn ends_at(&self, position: Position) -> bool {
        let state = lock(&self.state);
        state.cache.is_complete() && state.is_at_head(position)
    }

    /// Notes a read or, with `publishes`, a publish.
    pub(super) fn touch(&self, now_ms: u64, publishes: bool) {
        self.used_ms.fetch_max(now_ms, Ordering::Relaxed);
        if publishes {
            self.published_ms.fetch_max(now_ms, Ordering::Relaxed);
        }
    }

    /// Notes a publish that nobody here asked for: a store outside sent it.
    pub(super) fn touch_published(&self, now_ms: u64) {
        self.published_ms.fetch_max(now_ms, Ordering::Relaxed);
    }

    /// The time of the last read or publish.
    pub(super) fn used_ms(&self) -> u64 {
        self.used_ms.load(Ordering::Relaxed)
    }

    /// The time of the last publish.
    pub(super) fn published_ms(&self) -> u64 {
        self.published_ms.load(Ordering::Relaxed)
    }
}

impl State {
    /// Whether a reader at `position` has read all messages, and is owed no notice.
    const fn is_at_head(&self, position: Position) -> bool {
        position.sequence == self.cache.head() && !position.is_foreign
    }

    /// The result of a read at the head, for a reader with that turn to leave.
    const fn end(&self, turn: Turn) -> Reading {
        if self.cache.is_complete() {
            Reading::Complete
        } else if turn <= self.leaving {
            Reading::Closing
        } else {
            Reading::CaughtUp
        }
    }
}

/// Locks a mutex, whose data is whole between two statements even if a thread panicked while holding it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
