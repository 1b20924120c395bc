//! Whether the generator was there all the time: a beat beside the load, and how late it was felt.
//!
//! Whatever keeps the process from its work shows here, even where nothing is published and
//! whatever the load's own clock says: a process that was stopped, a processor that was withheld, a
//! task that did not give way. A beat is due at a time of its own, however late the one before was
//! felt, so that a long standstill counts for as long as it took.

use std::io;
use std::time::Duration;

use pushoff_model::{RunClock, RunInstant};

use super::usage::share;
use crate::timer::Timer;

/// Between two beats. Chosen here: half of what is noticed, at a cost of some 0.1 % of a processor.
pub(crate) const BEAT: Duration = Duration::from_millis(5);
/// A beat that is felt later than this was missed. Chosen here: what a generator may be late by
/// whatever the SLO (`validity`).
pub(crate) const MISSED: Duration = Duration::from_millis(5);

/// Waits from `start` until `end`; returns the part of the beats between that were missed, 0 to 1.
pub(crate) async fn until(timer: &Timer, clock: RunClock, start: RunInstant, end: RunInstant) -> io::Result<f64> {
    let (mut beats, mut missed, mut due) = (0, 0, start + BEAT);
    while due < end {
        timer.until(clock, due).await?;
        beats += 1;
        missed += u64::from(clock.now().since(due) > MISSED);
        due = due + BEAT;
    }
    timer.until(clock, end).await?;
    Ok(share(missed, beats))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_keeps_the_thread_to_itself_is_a_standstill_of_that_length() {
        let (clock, timer) = (RunClock::start(), Timer::new().unwrap());
        let start = clock.now();
        let greedy = async {
            let done = clock.now() + Duration::from_millis(200);
            while clock.now() < done {
                std::hint::spin_loop();
            }
        };
        let (stood_still, ()) = tokio::join!(until(&timer, clock, start, start + Duration::from_millis(400)), greedy);
        let stood_still = stood_still.unwrap();
        // At least: the machine may add to it.
        assert!(stood_still >= 0.45, "{stood_still}");
        assert!(clock.now() >= start + Duration::from_millis(400));
    }

    #[tokio::test]
    async fn without_a_beat_between_nothing_was_missed() {
        let (clock, timer) = (RunClock::start(), Timer::new().unwrap());
        let start = clock.now();
        assert!(until(&timer, clock, start, start + BEAT / 2).await.unwrap().abs() < f64::EPSILON);
    }
}
