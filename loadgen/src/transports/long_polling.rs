//! Long polling: ask, be answered when there is something, ask again at once. Source: RFC 6202 §2.

use std::time::Duration;

use super::poll::{Next, Poller};
use super::{ConnectionError, Ended, Feed, Sink};

/// An answer that brings nothing and comes sooner was not waited for. Chosen here: more than a round
/// trip takes, less than any server waits.
const AT_ONCE: Duration = Duration::from_millis(250);
/// So many of them in a row, and the server does not wait: a poll now and then may end early.
const MOST_AT_ONCE: u32 = 10;

/// # Errors
/// Also when the server does not wait: asking it again at once would be to flood it.
pub(super) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let mut poller = Poller::new(feed)?;
    let mut at_once = 0;
    while at_once < MOST_AT_ONCE {
        // Due as soon as the answer before it was handed over.
        let due = feed.now();
        at_once = match poller.poll(feed, due).await? {
            Next::Complete => return Ok(Ended::Complete),
            Next::Empty if feed.now().since(due) < AT_ONCE => at_once + 1,
            Next::Empty | Next::GoOn => 0,
        };
    }
    Err(ConnectionError::DoesNotWait)
}
