//! How many server processes the users are dealt to, and how often short polling must poll.
//!
//! Every search takes a fixed number of steps, so that the same needs always give the same answer.

use pushoff_model::Transport;
use pushoff_model::transport::Polls;
use pushoff_model::workload::Arrival;
use serde::Serialize;

use super::needs::Needs;
use crate::costs::{CostModel, Dimension, Forecast, HEARTBEAT, KEPT_SECONDS, Load, Quantity, kept_messages};

/// How busy a server's processor may be. Chosen here: with 40 % to spare, a burst, a deployment or a lost machine does
/// not push the other servers past their knee.
pub const TARGET: f64 = 0.6;
/// Seconds that a long poll waits at most: the clients' default.
pub const WAIT: f64 = 25.0;
/// Seconds without a request after which the server closes a connection: its default.
pub const KEEP_ALIVE: f64 = 75.0;
/// Short polling is not planned with intervals so many times shorter than the shortest that was measured.
const SHORTER: f64 = 10.0;
/// Halvings of the range of users, on the scale of ratios: down to less than a millionth of ten thousand.
const HALVINGS: u32 = 24;
/// The search ends a little below the most users that a process carries. A process may have this share more than the
/// search found, so that its error adds no process.
const SLACK: f64 = 1e-6;
/// A process must be in time with this share of the staleness to spare, so that the users that [`SLACK`] adds do not make
/// it late.
const MARGIN: f64 = 10.0 * SLACK;
/// How often the polling interval is corrected by the latency that it leads to.
const CORRECTIONS: u32 = 3;

/// How many processes, and how many users each has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sizing {
    pub(crate) processes: f64,
    pub(crate) users: f64,
}

/// Why a transport does not meet what is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Short polling would have to poll much faster than was ever measured.
    TooFresh,
    /// One user is more than a process can carry.
    TooMuch,
    /// The model does not know what it costs.
    NotMeasured,
    /// Its p99 lies beyond the staleness.
    TooLate,
    /// The interval of its p99 holds the staleness.
    CannotTell,
    /// Its latency is not known.
    LatencyUnknown,
}

/// One transport under these needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carrier<'a> {
    pub(crate) model: &'a CostModel,
    pub(crate) needs: &'a Needs,
    pub(crate) transport: Transport,
}

impl Carrier<'_> {
    /// The load of a process with so many users. `pace` is in seconds: between two polls of short polling, or between two
    /// flushes of a stream, 0 where it flushes each message at once.
    pub(crate) fn load(&self, users: f64, pace: f64) -> Load {
        let needs = self.needs;
        Load {
            users,
            // The users of a topic share a process; a larger topic is published to each of its processes.
            topics: (users / needs.audience()).max(1.0),
            rate: needs.rate,
            arrival: Arrival::Poisson,
            payload: needs.payload,
            up: users * needs.up_rate,
            interval: pace,
            wait: WAIT,
            heartbeat: HEARTBEAT,
            hold: if self.transport.is_polling() { 0.0 } else { pace },
            turnaround: needs.rtt,
            kept_for: KEPT_SECONDS,
        }
    }

    /// What a process needs, with no interval narrower than the error that the model's check found.
    pub(crate) fn forecast(&self, quantities: &[Quantity], load: &Load) -> Option<Forecast> {
        let forecast = self.model.forecast_of(quantities, self.transport, load)?;
        Some(forecast.checked(self.model, self.transport))
    }

    /// The upper end of the p99 of a process, in seconds; none where it is not known.
    fn latest(&self, users: f64, pace: f64) -> Option<f64> {
        let forecast = self.forecast(&[Quantity::LatencyP99], &self.load(users, pace))?;
        Some(forecast.cost(Quantity::LatencyP99)?.high() / 1e9)
    }

    /// The fewest processes that can carry the users; and where those would be late, the fewest that are in time: a
    /// message reaches all users of a smaller process sooner. Where none is in time, as many as were measured, which is
    /// as soon as it can be.
    pub(crate) fn sized(&self, pace: f64) -> Result<Sizing, Reason> {
        let processor = self.model.fitted(self.transport, Quantity::Processor).ok_or(Reason::NotMeasured)?;
        let most = self.model.range.high(Dimension::Users).ok_or(Reason::NotMeasured)?;
        let limit = TARGET.min(self.model.range.utilisation);
        let carries = |users: f64| {
            let counts = self.load(users, pace).regressors(self.transport);
            processor.predict(&counts, 1.0).point / 1e9 <= limit
        };
        let mut users = if carries(most) {
            most
        } else if carries(1.0) {
            largest(1.0, most, carries)
        } else {
            return Err(Reason::TooMuch);
        };
        // A stream that is held back leaves half of the time to delivery. Short polling's pace makes up for the latency.
        let room = if pace > 0.0 {
            (self.needs.staleness - self.needs.way()) / 2.0
        } else {
            self.needs.staleness * (1.0 - MARGIN) - self.on_the_way(Needs::SHARE, pace)
        };
        let is_in_time = |users: f64| self.latest(users, pace).is_some_and(|p99| p99 <= room);
        if !self.transport.polls_on_a_timer() && !is_in_time(users) {
            let least = self.model.range.low(Dimension::Users).unwrap_or(1.0).min(users);
            users = if is_in_time(least) { largest(least, users, is_in_time) } else { least };
        }
        let processes = (self.needs.users / users * (1.0 - SLACK)).ceil().max(1.0);
        Ok(Sizing { processes, users: self.needs.users / processes })
    }

    /// Seconds that a share of the updates do not exceed waiting for a poll or a flush, and on the network.
    pub(crate) fn on_the_way(&self, share: f64, pace: f64) -> f64 {
        let waits = match self.transport.traits().polls {
            // Evenly distributed up to the next one.
            Some(Polls::OnATimer) | None => share * pace,
            Some(Polls::WhenAnswered) => unheard(self.needs.rate, self.needs.rtt, share),
        };
        waits + self.needs.way()
    }

    /// Seconds between two polls or flushes, the most that the staleness allows: the staleness less the upper end of the
    /// latency of an answer. Fewer where a topic would drop messages before the next poll. The longest wait is the whole
    /// pace; its 99th percentile is 1 % shorter, which is more than the last correction moves.
    pub(crate) fn slowest(&self) -> Result<f64, Reason> {
        let polls = self.transport.polls_on_a_timer();
        let shortest = self.model.range.low(Dimension::Interval).unwrap_or_default() / SHORTER;
        let (least, most) = if polls { (shortest, KEEP_ALIVE) } else { (0.0, f64::INFINITY) };
        let most = most.min(never_more_than(kept_messages(self.needs.payload)) / self.needs.rate);
        let room = self.needs.staleness - self.needs.way();
        if room <= least {
            return Err(Reason::TooFresh);
        }
        let mut pace = room.min(most);
        for _ in 0..CORRECTIONS {
            let sizing = self.sized(pace)?;
            pace = (room - self.latest(sizing.users, pace).unwrap_or_default()).min(most);
            if pace <= least {
                return Err(Reason::TooFresh);
            }
        }
        Ok(pace)
    }
}

/// How many messages may be due on average, so that there are hardly ever more than `most`: five standard deviations
/// fewer, of a number that is Poisson distributed.
fn never_more_than(most: f64) -> f64 {
    (((25.0 + 4.0 * most).sqrt() - 5.0) / 2.0).powi(2)
}

/// The largest of a range for which something holds that holds for the smallest, and from some number on
/// no more.
fn largest(least: f64, most: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (least.ln(), most.ln());
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if holds(middle.exp()) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low.exp()
}

/// Seconds that a share of the messages do not exceed waiting until the next long poll is there: for a
/// round trip after each answer none is, and what comes then comes at any time of it.
fn unheard(rate: f64, rtt: f64, share: f64) -> f64 {
    let gap = rate * rtt / rate.mul_add(rtt, 1.0);
    if gap > 0.0 { rtt * (1.0 - (1.0 - share) / gap).max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-6 * expected.abs().max(1.0), "{value} is not {expected}");
    }

    #[test]
    fn who_is_between_two_long_polls_waits_for_a_part_of_the_round_trip() {
        // 10 messages a second and a round trip of 100 ms: half of the time no poll is there.
        about(unheard(10.0, 0.1, 0.5), 0.0);
        about(unheard(10.0, 0.1, 0.99), 0.098);
        about(unheard(0.01, 0.1, 0.99), 0.0);
        about(unheard(10.0, 0.0, 0.99), 0.0);
    }

    #[test]
    fn a_number_that_varies_stays_below_the_most() {
        for most in [64.0_f64, 1_024.0] {
            let mean = never_more_than(most);
            about(mean + 5.0 * mean.sqrt(), most);
        }
    }

    #[test]
    fn the_largest_is_found_on_the_scale_of_ratios() {
        about(largest(1.0, 10_000.0, |users| users <= 123.0) / 123.0, 1.0);
        about(largest(100.0, 10_000.0, |users| users <= 50.0), 100.0);
    }
}
