//! The stall detector: a timer beside the load, and how late its ticks were.
//!
//! It shows everything that kept the process from running, even in a silent load: a stopped process, a throttled
//! processor, a task that did not yield. Ticks keep their due times after a late tick, so a long stall counts with
//! its full length.

use std::io;
use std::time::Duration;

use pushoff_model::{RunClock, RunInstant};

use crate::numbers::share;
use crate::timer::Timer;

/// The tick period. Chosen here: the shortest stall that counts, at a cost of 0.1 % of a processor.
pub(crate) const TICK: Duration = Duration::from_millis(5);
/// A tick later than this was missed. Chosen here: the send lag that is allowed for any SLO (`validity`).
pub(crate) const MISSED: Duration = Duration::from_millis(5);

/// Waits from `start` until `end`; the share of missed ticks, 0 to 1.
pub(crate) async fn missed_ticks(
    timer: &Timer,
    clock: RunClock,
    start: RunInstant,
    end: RunInstant,
) -> io::Result<f64> {
    let (mut ticks, mut missed, mut due) = (0, 0, start + TICK);
    while due < end {
        timer.until(clock, due).await?;
        ticks += 1;
        missed += u64::from(clock.now().since(due) > MISSED);
        due = due + TICK;
    }
    timer.until(clock, end).await?;
    Ok(share(missed, ticks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_does_not_yield_is_a_stall_of_that_length() {
        let (clock, timer) = (RunClock::start(), Timer::new().unwrap());
        let start = clock.now();
        let greedy = async {
            let done = clock.now() + Duration::from_millis(200);
            while clock.now() < done {
                std::hint::spin_loop();
            }
        };
        let (stalled, ()) =
            tokio::join!(missed_ticks(&timer, clock, start, start + Duration::from_millis(400)), greedy);
        let stalled = stalled.unwrap();
        // The machine may add stalls.
        assert!(stalled >= 0.45, "{stalled}");
        assert!(clock.now() >= start + Duration::from_millis(400));
    }

    #[tokio::test]
    async fn without_a_tick_between_nothing_was_missed() {
        let (clock, timer) = (RunClock::start(), Timer::new().unwrap());
        let start = clock.now();
        assert!(missed_ticks(&timer, clock, start, start + TICK / 2).await.unwrap().abs() < f64::EPSILON);
    }
}
