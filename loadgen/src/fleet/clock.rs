//! The offset between an agent's clock and the coordinator's.
//!
//! Both machines have a monotonic clock. Each question for the agent's time bounds the offset from both sides: the clock was
//! read after the question and before the answer. The intersection of many round trips is kept, which is never wider than the
//! quickest one (RFC 5905 §8). It is measured before a trial and after it; what it moved in between widens the bound.

use pushoff_model::record::AgentClock;
use pushoff_model::{RunClock, RunInstant};
use rustix::time::{ClockId, clock_gettime};

/// How often the machine's clock and a run's are read to compare the two. The closest pair decides.
const READINGS: u32 = 16;

/// This machine's monotonic clock, in nanoseconds since boot.
#[derive(Clone, Copy, Debug, Default)]
pub struct MachineClock {
    /// For tests: how much it is set ahead.
    pub ahead_ns: i64,
}

impl MachineClock {
    pub(super) fn now(self) -> i64 {
        let now = clock_gettime(ClockId::Monotonic);
        now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec).saturating_add(self.ahead_ns)
    }

    /// When the run's clock was started, on this one.
    pub(super) fn epoch_of(self, clock: RunClock) -> i64 {
        let reading = |_| {
            let before = clock.now();
            let machine = self.now();
            let took = clock.now().since(before);
            (took, machine.saturating_sub(signed(before)).saturating_sub(signed(RunInstant::default() + took / 2)))
        };
        (0..READINGS).map(reading).min().map_or(0, |(_, epoch)| epoch)
    }

    /// The run's clock that was started at that moment of this one; `None` where the machine has no such moment.
    pub(super) fn run_clock(self, epoch: i64) -> Option<RunClock> {
        let clock = RunClock::start();
        clock.moved(epoch.saturating_sub(self.epoch_of(clock)))
    }
}

fn signed(moment: RunInstant) -> i64 {
    i64::try_from(moment.as_nanos()).unwrap_or(i64::MAX)
}

/// Bounds for how far an agent's clock is ahead, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offset {
    least: i64,
    most: i64,
    round_trip: u64,
}

impl Default for Offset {
    fn default() -> Self {
        Self { least: i64::MIN, most: i64::MAX, round_trip: u64::MAX }
    }
}

impl Offset {
    /// Narrows the bounds: an agent that was asked at `asked` and had answered by `answered` said `said`.
    pub(super) fn narrow(&mut self, asked: i64, said: i64, answered: i64) {
        self.least = self.least.max(said.saturating_sub(answered));
        self.most = self.most.min(said.saturating_sub(asked));
        self.round_trip = self.round_trip.min(answered.abs_diff(asked));
    }

    pub(super) const fn middle(&self) -> i64 {
        self.least.saturating_add(self.most.saturating_sub(self.least) / 2)
    }

    /// How far the middle may be off, either way.
    const fn uncertainty(&self) -> u64 {
        self.most.abs_diff(self.least).div_ceil(2)
    }

    /// The clock over a trial whose stamps were moved by this offset, of which `after` was found after it.
    pub(super) fn until(&self, after: &Self) -> AgentClock {
        let drift = self.middle().abs_diff(after.middle());
        AgentClock {
            offset_ns: self.middle(),
            bound_ns: self.uncertainty().max(drift.saturating_add(after.uncertainty())),
            drift_ns: drift,
            round_trip_ns: self.round_trip.min(after.round_trip),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// The offset that is found of a clock so far ahead, by round trips: when each began, and how long each way took.
    fn found(ahead: i64, trips: &[(u32, u32, u32)]) -> Offset {
        let mut offset = Offset::default();
        for &(asked, there, back) in trips.iter() {
            let [asked, there, back] = [asked, there, back].map(i64::from);
            offset.narrow(asked, asked + there + ahead, asked + there + back);
        }
        offset
    }

    fn trips() -> impl Strategy<Value = Vec<(u32, u32, u32)>> {
        prop::collection::vec((0_u32..1_000_000_000, 0_u32..5_000_000, 0_u32..5_000_000), 1..50)
    }

    proptest! {
        #[test]
        fn the_true_offset_is_within_the_bound_however_lopsided_the_round_trips(
            ahead in -1_000_000_000_000_000_i64..1_000_000_000_000_000,
            drift in -1_000_000_i64..1_000_000,
            before in trips(),
            after in trips(),
        ) {
            let clock = found(ahead, &before).until(&found(ahead + drift, &after));
            for truth in [ahead, ahead + drift / 2, ahead + drift] {
                prop_assert!(clock.offset_ns.abs_diff(truth) <= clock.bound_ns + 1, "{:?}", clock);
            }
            // As good as the quickest round trip, or better.
            let quickest = before.iter().map(|&(_, there, back)| u64::from(there) + u64::from(back)).min().unwrap();
            prop_assert!(found(ahead, &before).uncertainty() <= quickest.div_ceil(2));
        }
    }

    #[test]
    fn a_run_clock_is_made_again_from_its_epoch_by_a_clock_that_is_set_ahead() {
        let [here, there] = [0, 50_000_000].map(|ahead_ns| MachineClock { ahead_ns });
        let clock = RunClock::start();
        let again = there.run_clock(here.epoch_of(clock) + 50_000_000).unwrap();
        let (one, other) = (clock.now(), again.now());
        let apart = one.since(other) + other.since(one);
        assert!(apart < Duration::from_millis(5), "{apart:?}, where 50 ms would be wrong");
    }
}
