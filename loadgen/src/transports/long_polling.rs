//! Long polling: ask, be answered when there is something, ask again at once. Source: RFC 6202 §2.

use pushoff_model::Transport;

use super::poll::{Next, Poller};
use super::{ConnectionError, Ended, Feed, Sink};

pub(super) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let wait = feed.subscription.polling.wait.as_secs().max(1);
    let mut poller = Poller::new(feed, &format!("{}?wait={wait}", Transport::LongPolling.name()))?;
    loop {
        // Due as soon as the answer before it was handed over.
        let due = feed.now();
        if let Next::Complete = poller.poll(feed, due).await? {
            return Ok(Ended::Complete);
        }
    }
}
