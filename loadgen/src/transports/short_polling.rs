//! Short polling: ask on a timer, as `setInterval` does; every answer comes at once.
//!
//! Source: RFC 6202 §2. A tick that falls while a poll is under way is left out, and the beat is
//! kept, whatever the answers take.

use pushoff_model::{RunInstant, Transport};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::poll::{Answer, Poller};
use super::{ConnectionError, Ended, Feed, Opened, Pace, Sink};

pub(super) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let poller = Poller::new(&feed.subscription.target, &feed.subscription.topic, Transport::ShortPolling.name())?;
    if feed.opened == Opened::Never
        && let Answer::Complete = poller.poll(feed).await?
    {
        return Ok(Ended::Complete);
    }
    let first = first_tick(feed).await;
    let mut ticks =
        interval_at(Instant::from_std(feed.subscription.clock.instant_at(first)), feed.subscription.polling.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        if let Answer::Complete = poller.poll(feed).await? {
            return Ok(Ended::Complete);
        }
    }
}

/// When the timer's first poll is due. The connection stays idle until that is known.
async fn first_tick<S: Sink>(feed: &mut Feed<'_, S>) -> RunInstant {
    let begun = match &mut feed.subscription.pace {
        Pace::AtOnce => None,
        Pace::From { start, offset } => {
            // A trial that is given up drops its end: then nobody waits for these polls either.
            start.wait_for(Option::is_some).await.ok().and_then(|start| *start).map(|start| start + *offset)
        }
    };
    begun.unwrap_or_else(|| feed.now() + feed.subscription.polling.interval)
}
