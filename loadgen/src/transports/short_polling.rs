//! Short polling: ask on a timer, as `setInterval` does; every answer comes at once.
//!
//! Source: RFC 6202 §2. Of the beats that fall while a poll is under way the first is made up for
//! right after it and the others are left out; the beat is kept, whatever the answers take.

use pushoff_model::{RunInstant, Transport};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::poll::{Next, Poller};
use super::{ConnectionError, Ended, Feed, Opened, Pace, Sink};

pub(super) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let mut poller = Poller::new(feed, Transport::ShortPolling.name())?;
    if feed.opened == Opened::Never {
        let due = feed.now();
        if let Next::Complete = poller.poll(feed, due).await? {
            return Ok(Ended::Complete);
        }
    }
    let first = first_tick(feed).await;
    let begin = Instant::from_std(feed.subscription.clock.instant_at(first));
    let mut ticks = interval_at(begin, feed.subscription.polling.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let beat = ticks.tick().await;
        if let Next::Complete = poller.poll(feed, first + beat.saturating_duration_since(begin)).await? {
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
