//! Long polling: ask, be answered when there is something, ask again at once. Source: RFC 6202 §2.

use super::poll::{Next, Poller};
use super::{ConnectionError, Ended, Feed, Sink};

pub(super) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let mut poller = Poller::new(feed)?;
    loop {
        // Due as soon as the answer before it was handed over.
        let due = feed.now();
        if let Next::Complete = poller.poll(feed, due).await? {
            return Ok(Ended::Complete);
        }
    }
}
