//! The measured range of a model, and how far outside it a load lies.

use pushoff_model::Transport;
use serde::{Deserialize, Serialize};

use super::labelled::labelled;
use super::load::Load;

labelled! {
/// A dimension of the measured range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dimension {
    /// Users of one process.
    Users = "users of a server",
    /// Messages a second to each.
    Rate = "messages a second to a user",
    /// Bytes of a payload.
    Payload = "bytes of a payload",
    /// Users that hear a message.
    Audience = "users that hear a message",
    /// Seconds between two polls.
    Interval = "seconds between polls",
}
}

impl Dimension {
    /// Its value in a load; none where the load has none.
    pub fn of(self, load: &Load, transport: Transport) -> Option<f64> {
        let is_spoken_to = load.rate > 0.0;
        match self {
            Self::Users => Some(load.users),
            Self::Rate => Some(load.rate),
            Self::Payload => is_spoken_to.then_some(load.payload),
            Self::Audience => is_spoken_to.then(|| load.audience()),
            Self::Interval => (transport.polls_on_a_timer()).then_some(load.interval),
        }
    }
}

/// The least and the most of a dimension that was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// Of what.
    pub dimension: Dimension,
    /// The least.
    pub low: f64,
    /// The most.
    pub high: f64,
}

/// How far a load lies outside the range in one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Beyond {
    /// In what.
    pub dimension: Dimension,
    /// The value ÷ the most, or the least ÷ the value: above 1.
    pub times: f64,
    /// Whether the value is less than the least.
    pub below: bool,
}

/// The measured range.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// One for each dimension.
    pub bounds: Vec<Bounds>,
    /// The most that a server was busy, a share of one processor.
    pub utilisation: f64,
}

impl Range {
    /// The range of these loads.
    pub(crate) fn of(loads: &[(Load, Transport)]) -> Self {
        let bounds = Dimension::ALL.into_iter().filter_map(|dimension| {
            let values = loads.iter().filter_map(|(load, transport)| dimension.of(load, *transport));
            values.fold(None, |known: Option<Bounds>, value| {
                let known = known.unwrap_or(Bounds { dimension, low: value, high: value });
                Some(Bounds { low: known.low.min(value), high: known.high.max(value), ..known })
            })
        });
        Self { bounds: bounds.collect(), utilisation: 0.0 }
    }

    /// The least of it that was measured.
    pub fn low(&self, dimension: Dimension) -> Option<f64> {
        Some(self.bounds.iter().find(|bounds| bounds.dimension == dimension)?.low)
    }

    /// The most of it that was measured.
    pub fn high(&self, dimension: Dimension) -> Option<f64> {
        Some(self.bounds.iter().find(|bounds| bounds.dimension == dimension)?.high)
    }

    /// The dimensions in which a load lies outside.
    pub fn beyond(&self, load: &Load, transport: Transport) -> Vec<Beyond> {
        let beyond = |bounds: &Bounds| {
            let value = bounds.dimension.of(load, transport)?;
            let below = value < bounds.low;
            let times = if below { bounds.low / value.max(f64::MIN_POSITIVE) } else { value / bounds.high };
            // Dividing users among servers rounds.
            (times > 1.0 + 1e-9).then_some(Beyond { dimension: bounds.dimension, times, below })
        };
        self.bounds.iter().filter_map(beyond).collect()
    }
}

/// How many times as wide an interval becomes: each doubling outside the range adds its own width. Chosen here: a load
/// twice as far from all measured ones is known half as well. Payloads smaller than any that was measured add nothing: a
/// cost is a sum in which their part shrinks, and the rest was measured.
pub(crate) fn widening(beyond: &[Beyond]) -> f64 {
    let is_small = |it: &&Beyond| it.below && it.dimension == Dimension::Payload;
    1.0 + beyond.iter().filter(|it| !is_small(it)).map(|it| it.times.log2()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use pushoff_model::workload::Arrival;

    use super::*;

    const LOAD: Load = Load {
        users: 1_000.0,
        topics: 1.0,
        rate: 10.0,
        arrival: Arrival::Constant,
        payload: 128.0,
        up: 0.0,
        interval: 1.0,
        hold: 0.0,
        wait: 25.0,
        heartbeat: 15.0,
        turnaround: 0.0,
        kept_for: 3.5,
    };

    #[test]
    fn inside_nothing_is_beyond_and_outside_each_doubling_widens() {
        let larger = Load { users: 4_000.0, rate: 40.0, ..LOAD };
        let range = Range::of(&[(LOAD, Transport::Sse), (larger, Transport::Sse)]);
        let wide = |load: Load, transport| widening(&range.beyond(&load, transport));
        assert!((wide(Load { users: 2_000.0, rate: 20.0, ..LOAD }, Transport::Sse) - 1.0).abs() < 1e-9);
        // Eight times the most users, and an audience that is as large; a quarter of the least rate.
        let crowd = Load { users: 32_000.0, topics: 8.0, ..LOAD };
        assert!((wide(crowd, Transport::Sse) - 4.0).abs() < 1e-9);
        assert!((wide(Load { rate: 2.5, ..LOAD }, Transport::Sse) - 3.0).abs() < 1e-9);
        assert!(range.beyond(&Load { rate: 2.5, ..LOAD }, Transport::Sse)[0].below);
        let little = Load { payload: 16.0, ..LOAD };
        assert!((wide(little, Transport::Sse) - 1.0).abs() < 1e-9 && range.beyond(&little, Transport::Sse)[0].below);
    }

    #[test]
    fn the_interval_between_polls_is_short_pollings_alone() {
        let range = Range::of(&[(LOAD, Transport::ShortPolling)]);
        let slow = Load { interval: 4.0, ..LOAD };
        assert_eq!(range.beyond(&slow, Transport::Sse), []);
        assert!((range.beyond(&slow, Transport::ShortPolling)[0].times - 4.0).abs() < 1e-9);
    }
}
