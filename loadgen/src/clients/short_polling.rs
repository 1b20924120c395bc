//! Short polling: poll on a timer, as `setInterval` does; every answer comes at once.
//!
//! Source: RFC 6202 §2. Missed ticks: poll once immediately, skip the rest, keep the original phase.

use std::pin::pin;
use std::time::Duration;

use pushoff_model::RunInstant;
use pushoff_model::target::Newcomers;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use super::answer::Next;
use super::error::ConnectionError;
use super::feed::{Ended, Feed, Opened};
use super::poll::Poller;
use super::sink::Sink;
use super::subscription::Pace;

pub(crate) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let mut poller = Poller::new(feed)?;
    let is_again = feed.opened != Opened::Never;
    if !is_again {
        let due = feed.now();
        if let Next::Complete = poller.poll(feed, due).await? {
            return Ok(Ended::Complete);
        }
    }
    let Some(first) = first_tick(&mut poller, feed).await? else { return Ok(Ended::Complete) };
    let interval = feed.subscription.polling.interval;
    // After a break, the ticks that passed meanwhile are missed.
    let first = if is_again { tick_from(first, interval, feed.now()) } else { first };
    let begin = Instant::from_std(feed.subscription.clock.instant_at(first));
    let mut ticks = interval_at(begin, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let tick = ticks.tick().await;
        if let Next::Complete = poller.poll(feed, first + tick.saturating_duration_since(begin)).await? {
            return Ok(Ended::Complete);
        }
    }
}

/// When the timer's first poll is due. Until the start is known, the connection stays idle, unless newcomers have to
/// poll for a greeting. `None` means that the topic is complete.
async fn first_tick<S: Sink>(
    poller: &mut Poller,
    feed: &mut Feed<'_, S>,
) -> Result<Option<RunInstant>, ConnectionError> {
    let interval = feed.subscription.polling.interval;
    let waits = feed.subscription.server.target.dialect.newcomers == Newcomers::Live;
    let begun = match &mut feed.subscription.pace {
        Pace::AtOnce => None,
        Pace::From { start, offset } => {
            let (mut start, offset) = (start.clone(), *offset);
            // A trial that ends early drops the sender; its subscribers then poll from now on until they are stopped.
            let mut told = pin!(async move { start.wait_for(Option::is_some).await.ok().and_then(|start| *start) });
            loop {
                tokio::select! {
                    start = &mut told => break start.map(|start| start + offset),
                    () = sleep(interval), if waits => {
                        let due = feed.now();
                        if let Next::Complete = poller.poll(feed, due).await? {
                            return Ok(None);
                        }
                    }
                }
            }
        }
    };
    Ok(Some(begun.unwrap_or_else(|| feed.now() + interval)))
}

/// The next tick, at `now` or after it, of a timer that ticks at `first` and then after every interval.
fn tick_from(first: RunInstant, interval: Duration, now: RunInstant) -> RunInstant {
    let ticks = now.since(first).as_nanos().div_ceil(interval.as_nanos().max(1));
    first + interval.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_goes_on_in_its_phase() {
        let at = |millis: u64| RunInstant::from_nanos(millis * 1_000_000);
        let tick = |now| tick_from(at(30), Duration::from_millis(20), at(now));
        assert_eq!([0, 30, 31, 50, 1_001].map(tick), [30, 30, 50, 50, 1_010].map(at));
    }
}
