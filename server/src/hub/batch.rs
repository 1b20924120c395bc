//! Batches: consecutive messages in one framing, made once for all readers at one cursor.

use std::sync::Arc;

use pushoff_model::Cursor;
use tokio::time::Instant;

use super::cache::{Bounds, Cache, Position};
use crate::compression::Forms;
use crate::framing::Framing;
use crate::http::Chunkable;
use crate::memory::{Budget, Lease};

/// Consecutive messages in one framing, to be written at once.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The bytes to be written: a missed notice where one is due, then the messages.
    pub(crate) bytes: Chunkable,
    /// The number of messages.
    pub messages: u64,
    /// The number of missed messages in the notice, as far as it is known.
    pub missed: u64,
    /// The time of encoding: one look at the clock for all readers.
    pub made: Instant,
    /// The batch's compressed forms, where it has further readers who may want them.
    pub(crate) forms: Option<Arc<Forms>>,
}

/// What is kept of a batch for the next reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Nothing,
    Batch,
    /// The batch, and its compressed forms.
    WithForms,
}

/// The result of a subscriber's read.
#[derive(Debug)]
pub enum Reading {
    /// Messages, or a missed notice, or both.
    Batch(Batch),
    /// Nothing beyond the cursor yet.
    CaughtUp,
    /// Nothing beyond the cursor, and the topic is complete.
    Complete,
    /// Nothing beyond the cursor, and the server is shutting down.
    Closing,
    /// Messages beyond the cursor, for which there is no memory now.
    NoRoom,
}

/// The batch that was last encoded in each framing.
#[derive(Debug, Default)]
pub(super) struct Recent([Option<Encoded>; Framing::ALL.len()]);

/// A batch, and the read that it answers.
#[derive(Clone, Debug)]
struct Encoded {
    after: u64,
    head: u64,
    bounds: Bounds,
    batch: Batch,
    /// The sequence number of the batch's last message.
    reached: u64,
}

impl Recent {
    /// The messages after `position`, which moves past them, behind a missed notice where the reader is owed
    /// one; `None` where there is no memory.
    pub(super) fn read(
        &mut self,
        cache: &Cache,
        position: &mut Position,
        framing: Framing,
        bounds: Bounds,
        budget: &Arc<Budget>,
        keep: Keep,
    ) -> Option<Batch> {
        let missed = cache.missed_since(position.sequence);
        let after = position.sequence + missed;
        let is_told = position.is_foreign || missed > 0;
        // Without memory for the copy behind the notice, nothing is encoded.
        let room = if is_told {
            Some(budget.lease(Chunkable::room(expected(cache, after, bounds) + Framing::OVERHEAD))?)
        } else {
            None
        };
        let (mut batch, reached) = self.batch(cache, after, framing, bounds, budget, keep)?;
        if let Some(room) = room {
            let missed = (!position.is_foreign).then_some(missed);
            batch = batch.behind_notice(framing, missed, cache.cursor(after), room)?;
        }
        *position = Position { sequence: reached, is_foreign: false };
        Some(batch)
    }

    fn batch(
        &mut self,
        cache: &Cache,
        after: u64,
        framing: Framing,
        bounds: Bounds,
        budget: &Arc<Budget>,
        keep: Keep,
    ) -> Option<(Batch, u64)> {
        let recent = &mut self.0[framing.index()];
        if let Some(recent) = recent
            && recent.answers(after, cache.head(), bounds)
        {
            return Some((recent.batch.clone(), recent.reached));
        }
        // A reader without memory takes the last batch from nobody.
        let mut encoded = Encoded::of(cache, after, framing, bounds, budget)?;
        *recent = None;
        if keep == Keep::WithForms {
            encoded.batch.forms = Some(Arc::default());
        }
        if keep != Keep::Nothing {
            *recent = Some(encoded.clone());
        }
        Some((encoded.batch, encoded.reached))
    }
}

impl Encoded {
    /// Whether a read would give this batch: with the bounds that it was made for, or with any bounds that it
    /// keeps where it ends at the head. So polls and streams share batches.
    fn answers(&self, after: u64, head: u64, bounds: Bounds) -> bool {
        let is_all = self.reached == head
            && self.batch.messages <= bounds.messages as u64
            && self.batch.bytes.len() <= bounds.bytes;
        (self.after, self.head) == (after, head) && (self.bounds == bounds || is_all)
    }

    /// Memory is leased before anything is encoded: a reader without memory comes back often.
    fn of(cache: &Cache, after: u64, framing: Framing, bounds: Bounds, budget: &Arc<Budget>) -> Option<Self> {
        let capacity = expected(cache, after, bounds);
        let mut lease = budget.lease(Chunkable::room(capacity))?;
        let mut out = Chunkable::buffer(capacity);
        let mut reached = after;
        for (cursor, payload) in cache.read(after, bounds) {
            // Around short messages and line breaks, the framing adds more bytes than the payloads have.
            if reached > after && Chunkable::length(&out) >= bounds.bytes {
                break;
            }
            framing.message(&mut out, cursor, payload.as_bytes());
            // Line breaks take more than was expected.
            if !lease.reach(out.capacity()) {
                return None;
            }
            reached = cursor.sequence;
        }
        let bytes = Chunkable::finish(out, lease)?;
        let batch = Batch { bytes, messages: reached - after, missed: 0, made: Instant::now(), forms: None };
        Some(Self { after, head: cache.head(), bounds, batch, reached })
    }
}

/// About how many bytes the messages of a read take in any framing, unless they have many line breaks.
fn expected(cache: &Cache, after: u64, bounds: Bounds) -> usize {
    let length = cache.read(after, bounds).map(|(_, payload)| payload.as_bytes().len() + Framing::OVERHEAD).sum();
    usize::min(length, bounds.bytes.saturating_mul(2))
}

impl Batch {
    /// The batch with a missed notice in front: rare enough to copy, into memory that is leased already.
    fn behind_notice(self, framing: Framing, missed: Option<u64>, at: Cursor, room: Lease) -> Option<Self> {
        let mut out = Chunkable::buffer(self.bytes.len() + Framing::OVERHEAD);
        framing.missed(&mut out, missed, at);
        out.extend_from_slice(&self.bytes);
        Some(Self { bytes: Chunkable::finish(out, room)?, missed: missed.unwrap_or(0), forms: None, ..self })
    }
}
