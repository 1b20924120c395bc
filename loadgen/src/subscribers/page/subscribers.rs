//! Runs the subscribers of one page: starts them as permits allow, and hands them what their page recorded.

use std::collections::VecDeque;
use std::time::Duration;

use pushoff_model::RunClock;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::error::BrowserError;
use super::page::Page;
use super::row::Ended;
use crate::books::Subscriber;
use crate::clients::Sink;
use crate::failure::caused;
use crate::subscribers::all::{Finished, Signals};

/// How often a page is read while nothing is measured. No latency depends on it.
const OFTEN: Duration = Duration::from_millis(20);
/// How often a page is read during the load: seldom enough that most trials have no read in their load, often enough
/// that the page can hold its rows.
const SELDOM: Duration = Duration::from_secs(5);

/// One page's subscribers and what each asks for.
#[derive(Debug)]
pub(super) struct PageSubscribers {
    pub(super) page: Page,
    /// Each subscriber with the arguments that start its client.
    pub(super) subscribers: Vec<(Box<Subscriber>, Value)>,
    pub(super) load: Duration,
    pub(super) clock: RunClock,
    /// Reasons for broken and closed connections whose rows have not been fetched yet.
    pub(super) reasons: VecDeque<String>,
}

impl PageSubscribers {
    /// Starts every client and hands over its events until the trial is over.
    pub(super) async fn run(mut self, signals: Signals) -> Vec<Finished> {
        let result = self.watch(&signals).await;
        let mut error = result.err();
        let finished = self.subscribers.into_iter().map(|(mut subscriber, _)| {
            subscriber.close();
            let result = error.take().map_or(Ok(()), |error| {
                let attempted = format!("subscriber {}: subscribing in a page", subscriber.reads.number);
                Err(caused(error.kind(), &attempted, &error))
            });
            Finished { subscriber, result }
        });
        finished.collect()
    }

    async fn watch(&mut self, signals: &Signals) -> Result<(), BrowserError> {
        let mut begun = 0;
        loop {
            while begun < self.subscribers.len()
                && let Ok(permit) = signals.permits.clone().try_acquire_owned()
            {
                let (subscriber, asked) = &mut self.subscribers[begun];
                subscriber.permit = Some(permit);
                self.page.begin(begun, asked).await?;
                begun += 1;
            }
            let is_over = tokio::select! {
                () = signals.stop.cancelled() => true,
                () = sleep_until(self.next_look(signals)) => false,
            };
            self.look().await?;
            if is_over {
                return Ok(());
            }
        }
    }

    /// When the page is read next: not during the load, unless the load is long.
    fn next_look(&self, signals: &Signals) -> Instant {
        let now = self.clock.now();
        let often = now + OFTEN;
        let load = signals.start.borrow().map(|start| (start, start + self.load));
        let at = match load {
            Some((start, end)) if now + OFTEN >= start && now < end => end.min(now + SELDOM),
            Some(_) | None => often,
        };
        Instant::from_std(self.clock.instant_at(at))
    }

    /// Fetches all rows and reports them.
    async fn look(&mut self) -> Result<(), BrowserError> {
        let mut buffer = String::new();
        loop {
            let notes = self.page.notes().await?;
            self.reasons.extend(notes.reasons);
            for row in &notes.rows {
                let Some((subscriber, _)) = self.subscribers.get_mut(row.subscriber()) else { continue };
                let ended = row.tell(&mut **subscriber, &self.page.zero, &mut buffer, &mut self.reasons);
                if let Ended::Early(reason) = ended {
                    return Err(BrowserError::Over { subscriber: subscriber.reads.number, reason });
                }
                subscriber.settled();
            }
            if !notes.more {
                return Ok(());
            }
        }
    }
}
