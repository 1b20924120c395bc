//! Wakes every publisher when its next message is due: one timer over the merged schedule.
//!
//! The pacer only wakes. A publisher takes all due messages from the schedule itself, so there is no queue that could
//! overflow, no message is skipped, and a late wake-up shows as send lag.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use pushoff_model::{RunClock, RunInstant};
use tokio::sync::Notify;

use super::schedule::{DueTimes, Schedule};
use crate::timer::Timer;

/// The wake-ups of all publishers.
#[derive(Debug)]
pub(crate) struct Pacer {
    timer: Timer,
    wakes: Arc<[Notify]>,
    times: Vec<DueTimes>,
    next: BinaryHeap<Reverse<(Duration, usize)>>,
}

impl Pacer {
    /// Wakes those publishers of the schedule that are this generator's.
    pub(crate) fn new(schedule: &Schedule, owns: impl Fn(u32) -> bool) -> io::Result<Self> {
        let mut times: Vec<_> = (0..schedule.publishers()).map(|publisher| schedule.of(publisher)).collect();
        let mut next = BinaryHeap::new();
        for ((publisher, place), times) in (0..).zip(0..).zip(&mut times) {
            next.extend(times.next().filter(|_| owns(publisher)).map(|due| Reverse((due, place))));
        }
        let wakes = times.iter().map(|_| Notify::new()).collect();
        Ok(Self { timer: Timer::new()?, wakes, times, next })
    }

    /// The wake-ups that the publishers wait for, by number.
    pub(crate) fn wakes(&self) -> Arc<[Notify]> {
        self.wakes.clone()
    }

    /// Wakes publishers until the end of the schedule.
    pub(crate) async fn run(mut self, clock: RunClock, start: RunInstant) -> io::Result<()> {
        while let Some(due) = self.soonest() {
            self.timer.until(clock, start + due).await?;
            let now = clock.now();
            while self.soonest().is_some_and(|due| start + due <= now) {
                let Some(Reverse((_, publisher))) = self.next.pop() else { break };
                self.wakes[publisher].notify_one();
                self.next.extend(self.times[publisher].next().map(|due| Reverse((due, publisher))));
            }
            // A schedule denser than the timer's resolution must not starve the publishers.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// When the next message of any publisher is due.
    fn soonest(&self) -> Option<Duration> {
        self.next.peek().map(|Reverse((due, _))| *due)
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::workload::built_in;

    use super::*;

    #[tokio::test]
    async fn every_publisher_is_woken_after_its_last_message_is_due() {
        let mut workload = built_in("progress").unwrap().unwrap();
        workload.topics = 3;
        workload.phases.warm_up = Duration::ZERO;
        workload.phases.measure = Duration::from_millis(600);
        let schedule = Schedule::new(&workload, 1);
        let pacer = Pacer::new(&schedule, |_| true).unwrap();
        let (clock, wakes) = (RunClock::start(), pacer.wakes());
        let start = clock.now();
        pacer.run(clock, start).await.unwrap();
        assert!(clock.now() >= start + schedule.of(0).last().unwrap());
        for wake in wakes.iter() {
            wake.notified().await;
        }
    }
}
