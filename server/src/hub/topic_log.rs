//! A topic's log as many share it: behind a lock, with a wake-up and the last batches encoded.
//!
//! Subscribers who keep up stand at the same cursor. The first of them to read encodes what is
//! new; the others are handed the same bytes. So a message is framed once, however many read it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use pushoff_model::{Cursor, Epoch, Start};
use tokio::sync::watch;

use super::{Subscription, lock};
use crate::framing::Framing;
use crate::log::{Bounds, Complete, Log, Position, Retention};
use crate::payload::Payload;

/// The log of one topic. Whoever reads or publishes shares it.
#[derive(Debug)]
pub struct TopicLog {
    state: Mutex<State>,
    wake: watch::Sender<()>,
    /// When it was last asked for, in milliseconds since the hub began.
    touched_ms: AtomicU64,
}

#[derive(Debug)]
struct State {
    log: Log,
    closing: bool,
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
        let state = State { log: Log::new(epoch, retention), closing: false, recent: Default::default() };
        Self { state: Mutex::new(state), wake: watch::Sender::new(()), touched_ms: AtomicU64::new(0) }
    }

    /// Appends one message and wakes every subscriber that waits.
    ///
    /// # Errors
    /// When the topic is complete.
    pub fn append(&self, payload: Payload) -> Result<Cursor, Complete> {
        let cursor = lock(&self.state).log.append(payload)?;
        self.wake.send_replace(());
        Ok(cursor)
    }

    /// Appends messages that no other publisher's stand between, and wakes once. The cursor is
    /// that of the last; `None` where there are no messages.
    ///
    /// # Errors
    /// When the topic is complete.
    pub fn append_all(&self, payloads: Vec<Payload>) -> Result<Option<Cursor>, Complete> {
        let mut last = None;
        {
            let mut state = lock(&self.state);
            for payload in payloads {
                last = Some(state.log.append(payload)?);
            }
        }
        self.wake.send_replace(());
        Ok(last)
    }

    /// Says that no more will come, and lets every subscriber know.
    pub fn complete(&self) {
        lock(&self.state).log.complete();
        self.wake.send_replace(());
    }

    /// A subscriber that begins at `start`.
    #[must_use]
    pub fn subscribe(self: &Arc<Self>, start: Start) -> Subscription {
        let wake = self.wake.subscribe();
        let position = lock(&self.state).log.position(start);
        Subscription::new(Arc::clone(self), wake, position)
    }

    /// What lies after `position`, which moves along.
    pub(super) fn read(&self, position: &mut Position, framing: Framing, bounds: Bounds) -> Reading {
        let mut state = lock(&self.state);
        let missed = state.log.missed_since(position.sequence);
        let sequence = position.sequence + missed;
        let owes_notice = position.estranged || missed > 0;
        if sequence == state.log.head() && !owes_notice {
            return state.nothing_new();
        }
        let shared = self.wake.receiver_count() > 1;
        let (batch, reached) = state.batch(sequence, framing, bounds, shared);
        let estranged = position.estranged;
        *position = Position { sequence: reached, estranged: false };
        drop(state);
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
        lock(&self.state).closing = true;
        self.wake.send_replace(());
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
    (Batch { bytes, messages: reached - sequence, missed: 0 }, reached)
}

impl Batch {
    /// The batch with a missed notice in front: rare enough to copy.
    fn behind_notice(self, framing: Framing, estranged: bool, missed: u64) -> Self {
        let count = (!estranged).then_some(missed);
        let bytes = framing.batch(self.bytes.len() + Framing::OVERHEAD, |out| {
            framing.missed(out, count);
            out.extend_from_slice(framing.content(&self.bytes));
        });
        Self { bytes, messages: self.messages, missed: count.unwrap_or(0) }
    }
}
