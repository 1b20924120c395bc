//! The measure phase, and the intervals of its series.

use std::time::Duration;

use pushoff_model::RunInstant;
use serde::{Deserialize, Serialize};

/// The measure phase: includes its start, excludes its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    start: RunInstant,
    length: Duration,
}

/// The shortest interval of a series. Chosen here: enough messages in each, and 20 intervals a second.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(50);
/// The most intervals of a series. Chosen here: a chart can show them and a record can hold them.
const MOST_INTERVALS: u32 = 1_000;

impl Window {
    /// A measure phase of that length from `start` on.
    #[must_use]
    pub const fn new(start: RunInstant, length: Duration) -> Self {
        Self { start, length }
    }

    /// Its first moment.
    #[must_use]
    pub const fn start(&self) -> RunInstant {
        self.start
    }

    /// The first moment after it.
    #[must_use]
    pub fn end(&self) -> RunInstant {
        self.start + self.length
    }

    /// How long it is.
    #[must_use]
    pub const fn length(&self) -> Duration {
        self.length
    }

    /// Whether a moment lies in it.
    #[must_use]
    pub fn contains(&self, moment: RunInstant) -> bool {
        moment >= self.start && moment < self.end()
    }

    /// The length of one interval of its series.
    #[must_use]
    pub fn interval(&self) -> Duration {
        SHORTEST_INTERVAL.max(self.length / MOST_INTERVALS)
    }

    /// The number, from 0, of the interval that a moment in the window lies in.
    #[must_use]
    pub fn interval_of(&self, moment: RunInstant) -> usize {
        let interval = moment.since(self.start).as_nanos() / self.interval().as_nanos().max(1);
        usize::try_from(interval).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_has_twenty_intervals_a_second_and_never_more_than_a_thousand() {
        let of = |length| Window::new(RunInstant::default(), length);
        assert_eq!(of(Duration::from_secs(5)).interval(), Duration::from_millis(50));
        let day = of(Duration::from_hours(24));
        assert_eq!(day.interval_of(RunInstant::from_nanos(86_399_999_999_999)), 999);
    }
}
