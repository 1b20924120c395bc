//! Long polling: send a poll, wait for its answer, and poll again at once. Source: RFC 6202 §2.

use std::time::Duration;

use super::answer::Next;
use super::error::ConnectionError;
use super::feed::{Ended, Feed};
use super::poll::Poller;
use super::sink::Sink;

/// An empty answer that comes sooner than this was not held back. Chosen here: a fifth of the shortest wait that a
/// workload may ask for, and far longer than a round trip.
pub(crate) const AT_ONCE: Duration = Duration::from_millis(200);
/// After this many of them without a poll that was held back, the server counts as one that does not wait. A single
/// poll may end early.
const MOST_AT_ONCE: u32 = 10;

pub(crate) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let mut poller = Poller::new(feed)?;
    let mut at_once = 0;
    while at_once < MOST_AT_ONCE {
        // Due as soon as the previous answer was handed over.
        let due = feed.now();
        let next = poller.poll(feed, due).await?;
        let is_held_back = feed.now().since(due) >= AT_ONCE;
        at_once = match next {
            Next::Complete => return Ok(Ended::Complete),
            Next::Empty | Next::GoOn if is_held_back => 0,
            Next::Empty => at_once + 1,
            // The answer held a message, so it says nothing about how long the server would have waited.
            Next::GoOn => at_once,
        };
    }
    Err(ConnectionError::DoesNotWait)
}
