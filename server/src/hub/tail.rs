//! How a topic's log asks its follower to catch up with the store, where the store is outside the process.
//!
//! The log has no other tie to its follower: the follower ends when the log, and the asking end with it, is dropped.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pushoff_model::{Cursor, Epoch, Start};
use tokio::sync::{mpsc, oneshot};

use super::unpublished::Unpublished;

/// How many subscribers may have a question open; further ones wait. Chosen here: one look at the store answers all.
const ASKING: usize = 64;

/// The epoch of a topic without a message in the store. No log has this epoch: on every server, the cursor `00000000-0` is
/// the start of the log that the first message will make.
pub(super) const UNBORN: Epoch = Epoch(0);

/// Why a log could not catch up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    /// The topic has another log in the store by now.
    Replaced,
    /// The store cannot be asked, or there is no room for the topic.
    For(Unpublished),
}

/// A question to the follower: answered once the log has all that the store had when the question came.
pub(super) type Ask = oneshot::Sender<Result<(), Behind>>;

/// The start of a subscription in a log that the store has by now; `any` is a cursor of that log. A cursor from before the
/// first message becomes the start of the log.
pub(super) fn born(start: Start, any: Cursor) -> Start {
    let nothing = Cursor { epoch: UNBORN, sequence: 0 };
    if start == Start::After(nothing) { Start::After(Cursor { sequence: 0, ..any }) } else { start }
}

/// The asking end.
#[derive(Debug)]
pub(super) struct Tail {
    asks: mpsc::Sender<Ask>,
    /// Whether the log was filled once.
    pub(super) is_filled: AtomicBool,
    /// The newest sequence number that the store has acknowledged to this server.
    acknowledged: AtomicU64,
}

impl Tail {
    /// The end for the log, and the end for the follower.
    pub(super) fn new() -> (Self, mpsc::Receiver<Ask>) {
        let (asks, asked) = mpsc::channel(ASKING);
        (Self { asks, is_filled: AtomicBool::new(false), acknowledged: AtomicU64::new(0) }, asked)
    }

    /// Waits until the log has all that the store has now.
    pub(super) async fn catch_up(&self) -> Result<(), Behind> {
        let (ask, answered) = oneshot::channel();
        self.asks.send(ask).await.or(Err(Behind::Replaced))?;
        answered.await.unwrap_or(Err(Behind::Replaced))
    }

    /// Notes the newest number that the store has acknowledged, so that a publisher can read its own message at this server.
    pub(super) fn acknowledge(&self, sequence: u64) {
        self.acknowledged.fetch_max(sequence, Ordering::Relaxed);
    }

    /// Whether a log with this head was filled and lacks nothing that was published at this server.
    pub(super) fn is_caught_up(&self, head: u64) -> bool {
        self.is_filled.load(Ordering::Acquire) && self.acknowledged.load(Ordering::Relaxed) <= head
    }
}
