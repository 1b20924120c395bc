//! Long polling: ask, be answered when there is something, ask again at once. Source: RFC 6202 §2.

use pushoff_model::Transport;

use super::poll::{Answer, Poller};
use super::{ConnectionError, Ended, Feed, Sink};

pub(super) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let wait = feed.subscription.polling.wait.as_secs().max(1);
    let path = format!("{}?wait={wait}", Transport::LongPolling.name());
    let poller = Poller::new(&feed.subscription.target, &feed.subscription.topic, &path)?;
    loop {
        if let Answer::Complete = poller.poll(feed).await? {
            return Ok(Ended::Complete);
        }
    }
}
