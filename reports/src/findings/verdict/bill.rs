//! What a month of the measured load would cost over one transport, trial by trial, and how two transports compare.
//!
//! A trial's bill is the price table applied to what that trial used. Transports are compared round by round: what the
//! machine did to a round cancels out.

use std::collections::BTreeMap;

use pushoff_model::overhead::publish_answer;
use pushoff_model::record::{Flow, Measurement};
use pushoff_model::workload::Direction;
use pushoff_planner::{HEADERS, Money, Needed, Prices};
use pushoff_stats::{Figure, Rounds, estimate_ratio, resamples};
use serde::Serialize;

use crate::cells::{Cell, Trial};
use crate::metric::server_side;

/// Which parts of a bill count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Counted {
    /// All that were measured.
    All,
    /// Processor time of the server.
    Processor,
    /// Memory of the server.
    Memory,
    /// Bytes, headers of TCP and IP included.
    Traffic,
}

impl Counted {
    /// The parts that may be looked at alone.
    pub(crate) const PARTS: [Self; 3] = [Self::Processor, Self::Memory, Self::Traffic];

    /// As a sentence names it.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::All => "cost",
            Self::Processor => "processor time",
            Self::Memory => "memory",
            Self::Traffic => "traffic",
        }
    }

    pub(crate) fn of(self, money: &Money) -> f64 {
        match self {
            Self::All => money.total(),
            Self::Processor => money.processor,
            Self::Memory => money.memory,
            Self::Traffic => money.traffic,
        }
    }
}

/// A round of a run: its trials ran next to each other, one of each cell.
type Round = (String, u32);

/// A transport's bills, one a trial that counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bills {
    rounds: BTreeMap<Round, Money>,
    /// Whether the server's processor time was seen.
    has_processor: bool,
    /// Whether its memory was, and that of its end of the connections.
    has_memory: bool,
    /// Whether the bytes were seen: not where a browser received.
    has_traffic: bool,
}

impl Bills {
    /// Of the trials of a cell that count.
    pub(crate) fn of(cell: &Cell<'_>) -> Self {
        let trials = || cell.trials.iter().filter(|trial| trial.is_valid());
        let measured = || trials().filter_map(|trial| trial.record.measurement());
        let bill = |trial: &Trial<'_>| Some(((trial.record.run.clone(), trial.record.trial), bill(trial)?));
        Self {
            rounds: trials().filter_map(bill).collect(),
            has_processor: measured().all(|it| it.server.is_some()),
            has_memory: measured().all(|it| held(it).is_some()),
            has_traffic: measured().all(|it| it.wire.is_some()),
        }
    }

    /// Made-up bills, the same parts known of all.
    #[cfg(test)]
    pub(crate) fn made(all: impl IntoIterator<Item = Money>) -> Self {
        let rounds = (1..).zip(all).map(|(round, money)| ((String::new(), round), money)).collect();
        Self { rounds, has_processor: true, has_memory: true, has_traffic: true }
    }

    /// Whether that part of the bill was measured. Of the whole bill a part is enough, the same of every transport.
    pub(crate) fn has(&self, counted: Counted) -> bool {
        let has = match counted {
            Counted::All => self.has_processor || self.has_traffic,
            Counted::Processor => self.has_processor,
            Counted::Memory => self.has_memory,
            Counted::Traffic => self.has_traffic,
        };
        has && !self.rounds.is_empty()
    }

    /// The mean bill, with its interval over the trials.
    pub(crate) fn figure(&self, counted: Counted) -> Option<Figure> {
        let bills: Vec<(f64, f64)> = self.rounds.values().map(|money| (counted.of(money), 1.0)).collect();
        estimate_ratio(&bills, &resamples(bills.len())).filter(|_| self.has(counted))
    }

    /// What each round cost; nothing where that part was not measured, or was not above zero in some round.
    fn costs(&self, counted: Counted) -> impl Iterator<Item = (&Round, f64)> {
        let is_known = self.has(counted) && self.rounds.values().all(|money| counted.of(money) > 0.0);
        self.rounds.iter().filter(move |_| is_known).map(move |(round, money)| (round, counted.of(money)))
    }

    /// The bills of several transports, round by round; a transport is named by its place.
    pub(crate) fn by_round<'a>(all: impl IntoIterator<Item = (usize, &'a Self)>, counted: Counted) -> Rounds {
        let mut rounds: BTreeMap<&Round, Vec<(usize, f64)>> = BTreeMap::new();
        for (place, bills) in all {
            for (round, cost) in bills.costs(counted) {
                rounds.entry(round).or_default().push((place, cost));
            }
        }
        Rounds::of(rounds.into_values())
    }
}

/// What a month would cost that is like this trial throughout; parts that were not seen are zero.
fn bill(trial: &Trial<'_>) -> Option<Money> {
    let (measured, workload) = (trial.record.measurement()?, &trial.record.workload);
    let seconds = float(measured.measured_ns) / 1e9;
    let posts = workload.direction == Direction::Both && !trial.record.transport.sends_on_its_own_connection();
    let posted = if posts { float(measured.window.published) / seconds } else { 0.0 };
    let (down, up) = bytes_a_second(measured, seconds);
    let server = measured.server.filter(|server| server.wall_ns > 0);
    let needed = Needed {
        cores: server.map_or(0.0, |server| float(server.cpu_ns) / float(server.wall_ns)),
        memory_bytes: held(measured).unwrap_or(0.0).max(0.0),
        down_bytes_per_second: posted.mul_add(float(publish_answer()) + HEADERS, down),
        up_bytes_per_second: up,
        requests_per_second: float(measured.window.requests) / seconds + posted,
    };
    (seconds > 0.0).then(|| Prices::shipped().month(&needed))
}

/// The server's memory, with its end of the connections, above that of the empty server.
fn held(measured: &Measurement) -> Option<f64> {
    Some(server_side(&measured.memory.delivering)? - server_side(&measured.memory.empty)?)
}

/// Bytes of both directions a second, with the headers of TCP and IP. What members post beside their stream is not among
/// them. Of records that do not have the measure phase apart: bytes a message over the whole load, times the messages a
/// second while measured, which charges polls with those that found a trial's end.
fn bytes_a_second(measured: &Measurement, seconds: f64) -> (f64, f64) {
    let Some(wire) = measured.wire else { return (0.0, 0.0) };
    let (traffic, a_second) = match wire.window {
        Some(window) => (window, 1.0 / seconds),
        None if wire.load.contents.messages == 0 => return (0.0, 0.0),
        None => (wire.load, float(measured.window.received) / seconds / float(wire.load.contents.messages)),
    };
    let bytes = |flow: Flow| float(flow.segments).mul_add(HEADERS, float(flow.bytes)) * a_second;
    (bytes(traffic.down), bytes(traffic.up))
}

#[expect(clippy::cast_precision_loss, reason = "a bill needs no more than 53 bits")]
const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use pushoff_model::Transport;
    use pushoff_model::record::{Contents, Outcome, Record, Traffic, Wire};

    use super::*;
    use crate::fixture;

    /// A made-up trial of short polling over these bytes.
    fn record(wire: Wire) -> Record {
        let mut record = fixture::run().records.swap_remove(0);
        assert_eq!(record.transport, Transport::ShortPolling);
        if let Outcome::Measured(measured) = &mut record.outcome {
            measured.wire = Some(wire);
        }
        record
    }

    fn traffic(bytes: u64, segments: u64, messages: u64) -> Traffic {
        let down = Flow { bytes, segments, ..Flow::default() };
        Traffic { down, contents: Contents { messages, ..Contents::default() }, ..Traffic::default() }
    }

    fn billed(wire: Wire) -> f64 {
        let record = record(wire);
        bill(&Trial { number: 0, record: &record }).unwrap().traffic
    }

    #[test]
    fn only_what_crossed_while_it_was_measured_is_billed() {
        let seconds = 1.5;
        let window = Some(traffic(3_000_000, 10_000, 400));
        // Polls that found the end of the trial.
        let loads = [traffic(9_000_000, 30_000, 1_200), traffic(12_000_000, 40_000, 1_200)];
        let month = (3_000_000.0 + 10_000.0 * HEADERS) / seconds * 2_628_000.0 / 1e9 * 0.08;
        for load in loads {
            let wire = Wire { load, window, ..Wire::default() };
            assert!((billed(wire) / month - 1.0).abs() < 1e-9, "{}", billed(wire));
        }
        let [one, other] = loads.map(|load| billed(Wire { load, ..Wire::default() }));
        assert!(other > one * 1.3, "an older record has nothing but the whole load");
    }
}
