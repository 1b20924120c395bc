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

/// A round of a run: its trials ran next to each other, one of each cell.
type Round = (String, u32);

/// A part of a bill that may be looked at alone. Requests, which are always counted, are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Part {
    /// Processor time of the server.
    Processor,
    /// Memory of the server, and of its end of the connections.
    Memory,
    /// Bytes, headers of TCP and IP included.
    Traffic,
}

impl Part {
    pub(crate) const ALL: [Self; 3] = [Self::Processor, Self::Memory, Self::Traffic];

    /// As a sentence names it.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Processor => "processor time",
            Self::Memory => "memory",
            Self::Traffic => "traffic",
        }
    }

    const fn of(self, money: &Money) -> f64 {
        match self {
            Self::Processor => money.processor,
            Self::Memory => money.memory,
            Self::Traffic => money.traffic,
        }
    }
}

/// Which parts of a bill are added up. Two transports are compared by the same ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    counted: [bool; Part::ALL.len()],
    /// Of a bill its requests too, of one part alone not.
    with_requests: bool,
}

impl Parts {
    /// That one alone.
    pub(crate) fn only(part: Part) -> Self {
        Self { counted: Part::ALL.map(|it| it == part), with_requests: false }
    }

    fn where_known(is_known: impl Fn(Part) -> bool) -> Self {
        Self { counted: Part::ALL.map(is_known), with_requests: true }
    }

    pub(crate) const fn has(self, part: Part) -> bool {
        self.counted[part as usize]
    }

    /// Those that either has.
    pub(crate) fn or(self, other: Self) -> Self {
        Self::where_known(|part| self.has(part) || other.has(part))
    }

    fn and(self, other: Self) -> Self {
        Self::where_known(|part| self.has(part) && other.has(part))
    }

    /// Those that it lacks.
    pub(crate) fn missing(self) -> Vec<Part> {
        Part::ALL.into_iter().filter(|part| !self.has(*part)).collect()
    }

    fn sum(self, money: &Money) -> f64 {
        let requests = if self.with_requests { money.requests } else { 0.0 };
        Part::ALL.into_iter().filter(|part| self.has(*part)).map(|part| part.of(money)).sum::<f64>() + requests
    }
}

/// A transport's bills, one a trial that counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bills {
    rounds: BTreeMap<Round, Money>,
    /// What was measured in each of them. The amount of another part means nothing.
    known: Parts,
}

impl Bills {
    /// Of the trials of a cell that count.
    pub(crate) fn of(cell: &Cell<'_>) -> Self {
        let valid = cell.trials.iter().filter(|trial| trial.is_valid());
        let bills = valid.filter_map(|trial| Some(((trial.record.run.clone(), trial.record.trial), bill(trial)?)));
        let (rounds, known): (BTreeMap<Round, Money>, Vec<Parts>) =
            bills.map(|(round, (money, known))| ((round, money), known)).unzip();
        Self { rounds, known: known.into_iter().reduce(Parts::and).unwrap_or_default() }
    }

    /// Made-up bills, all parts known.
    #[cfg(test)]
    pub(crate) fn made(all: impl IntoIterator<Item = Money>) -> Self {
        let rounds = (1..).zip(all).map(|(round, money)| ((String::new(), round), money)).collect();
        Self { rounds, known: Parts::where_known(|_| true) }
    }

    /// The same bills, of which one part is not known.
    #[cfg(test)]
    pub(crate) fn without(mut self, part: Part) -> Self {
        self.known = Parts::where_known(|it| it != part && self.known.has(it));
        self
    }

    /// Which parts were measured in every trial.
    pub(crate) const fn known(&self) -> Parts {
        self.known
    }

    /// The mean bill of these parts, with its interval over the trials; none where one of them is not known.
    pub(crate) fn figure(&self, parts: Parts) -> Option<Figure> {
        let bills: Vec<(f64, f64)> = self.rounds.values().map(|money| (parts.sum(money), 1.0)).collect();
        estimate_ratio(&bills, &resamples(bills.len())).filter(|_| self.has(parts))
    }

    /// Whether all of these parts are known. Requests alone are no bill.
    fn has(&self, parts: Parts) -> bool {
        let mut counted = Part::ALL.into_iter().filter(|part| parts.has(*part)).peekable();
        counted.peek().is_some() && counted.all(|part| self.known.has(part)) && !self.rounds.is_empty()
    }

    /// What each round cost; nothing where a part is not known, or the sum was not above zero in some round.
    fn costs(&self, parts: Parts) -> impl Iterator<Item = (&Round, f64)> {
        let is_known = self.has(parts) && self.rounds.values().all(|money| parts.sum(money) > 0.0);
        self.rounds.iter().filter(move |_| is_known).map(move |(round, money)| (round, parts.sum(money)))
    }

    /// The bills of several transports, round by round; a transport is named by its place.
    pub(crate) fn by_round<'a>(all: impl IntoIterator<Item = (usize, &'a Self)>, parts: Parts) -> Rounds {
        let mut rounds: BTreeMap<&Round, Vec<(usize, f64)>> = BTreeMap::new();
        for (place, bills) in all {
            for (round, cost) in bills.costs(parts) {
                rounds.entry(round).or_default().push((place, cost));
            }
        }
        Rounds::of(rounds.into_values())
    }
}

/// What a month would cost that is like this trial throughout, and which parts of it were measured.
fn bill(trial: &Trial<'_>) -> Option<(Money, Parts)> {
    let (measured, workload) = (trial.record.measurement()?, &trial.record.workload);
    let seconds = float(measured.measured_ns) / 1e9;
    let posts = workload.direction == Direction::Both && !trial.record.transport.sends_on_its_own_connection();
    let posted = if posts { float(measured.window.published) / seconds } else { 0.0 };
    let bytes = bytes_a_second(measured, seconds);
    let cores = measured.server.filter(|server| server.wall_ns > 0);
    let cores = cores.map(|server| float(server.cpu_ns) / float(server.wall_ns));
    let memory = held(measured);
    let known = Parts::where_known(|part| match part {
        Part::Processor => cores.is_some(),
        Part::Memory => memory.is_some(),
        Part::Traffic => bytes.is_some(),
    });
    let (down, up) = bytes.unwrap_or_default();
    let needed = Needed {
        cores: cores.unwrap_or_default(),
        memory_bytes: memory.unwrap_or_default().max(0.0),
        down_bytes_per_second: posted.mul_add(float(publish_answer()) + HEADERS, down),
        up_bytes_per_second: up,
        requests_per_second: float(measured.window.requests) / seconds + posted,
    };
    (seconds > 0.0).then(|| (Prices::shipped().month(&needed), known))
}

/// The server's memory, with its end of the connections, above that of the empty server.
fn held(measured: &Measurement) -> Option<f64> {
    Some(server_side(&measured.memory.delivering)? - server_side(&measured.memory.empty)?)
}

/// Bytes down and up a second, with the headers of TCP and IP; `None` where they were not counted. What members publish
/// by requests of their own is not among them. Records that do not have the measure phase apart have bytes a message
/// over the whole load, which are multiplied by the messages a second while measured: polls that found a trial's end
/// are in them.
fn bytes_a_second(measured: &Measurement, seconds: f64) -> Option<(f64, f64)> {
    let wire = measured.wire?;
    let (traffic, a_second) = match wire.window {
        Some(window) => (window, 1.0 / seconds),
        None if wire.load.contents.messages == 0 => return None,
        None => (wire.load, float(measured.window.received) / seconds / float(wire.load.contents.messages)),
    };
    let bytes = |flow: Flow| float(flow.segments).mul_add(HEADERS, float(flow.bytes)) * a_second;
    Some((bytes(traffic.down), bytes(traffic.up)))
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
        let (money, known) = bill(&Trial { number: 0, record: &record }).unwrap();
        assert!(known.has(Part::Traffic));
        money.traffic
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
    #[test]
    fn what_was_not_measured_is_no_part_of_a_bill() {
        let known = |change: fn(&mut Measurement)| {
            let mut record = record(Wire { window: Some(traffic(3_000, 10, 4)), ..Wire::default() });
            let Outcome::Measured(measured) = &mut record.outcome else { panic!("a measured record") };
            change(measured);
            bill(&Trial { number: 0, record: &record }).unwrap().1.missing()
        };
        assert!(known(|_| {}).is_empty());
        assert_eq!(known(|it| it.server = None), [Part::Processor]);
        assert_eq!(known(|it| it.server.as_mut().unwrap().wall_ns = 0), [Part::Processor], "it was never looked at");
        assert_eq!(known(|it| it.memory.empty.server = None), [Part::Memory]);
        assert_eq!(known(|it| it.wire = None), [Part::Traffic]);
        assert_eq!(known(|it| it.wire = Some(Wire::default())), [Part::Traffic], "an older record without a message");
    }

    #[test]
    fn a_sum_with_a_part_that_is_not_known_is_not_known() {
        let money = Money { processor: 1.0, memory: 2.0, traffic: 4.0, requests: 8.0 };
        let whole = Bills::made([money; 3]);
        let all = whole.known();
        let mut alone = whole.clone();
        for part in [Part::Processor, Part::Memory] {
            alone = alone.without(part);
        }
        let sum = alone.figure(alone.known()).unwrap().point;
        assert!((sum - 12.0).abs() < 1e-9, "requests belong to every sum: {sum}");
        let at = |bills: &Bills, parts: Parts| bills.figure(parts).map(|it| it.point);
        assert_eq!((at(&whole, all), at(&whole, Parts::only(Part::Memory))), (Some(15.0), Some(2.0)));
        let less = whole.clone().without(Part::Traffic);
        assert_eq!((at(&less, all), at(&less, less.known()), at(&whole, less.known())), (None, Some(11.0), Some(11.0)));
        let both = Bills::by_round([(0, &whole), (1, &less)], all);
        assert!(both.ratio(0, 1).is_none(), "they are not known by the same parts");
        assert!(Bills::by_round([(0, &whole), (1, &less)], less.known()).ratio(0, 1).is_some());
    }
}
