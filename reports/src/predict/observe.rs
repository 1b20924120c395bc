//! Measured cells as the cost model takes them: so many messages, polls and users, at that cost.

use std::collections::BTreeMap;

use pushoff_model::record::{Held, Measurement};
use pushoff_model::workload::Direction;
use pushoff_model::{Transport, Workload};

use super::drivers::{Driver, Drivers};
use super::load::{KIBIBYTE, Load};
use super::pace::{median, paces};
use super::quantity::Quantity;
use crate::group::{Cell, Group};

/// With fewer users, whatever else the machine does moves the kernel's memory more than they do.
pub(crate) const LEAST_USERS_OF_MEMORY: u32 = 1000;
/// A percentile of so few messages is another name for the largest.
const LEAST_MESSAGES: u64 = 100;

/// The trials of one cell that count, as the model looks at them.
#[derive(Clone, Debug)]
pub(crate) struct Observed<'a> {
    pub(crate) workload: &'a Workload,
    /// What the cell is called in the report.
    pub(crate) label: &'a str,
    pub(crate) transport: Transport,
    /// What was asked.
    pub(crate) load: Load,
    trials: Vec<Paced<'a>>,
}

/// A trial, and how slow the machine was in its round.
#[derive(Clone, Copy, Debug)]
struct Paced<'a> {
    trial: &'a Measurement,
    round: u32,
    pace: f64,
}

/// A measured cost, and what was counted beside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) cost: f64,
    pub(super) counted: Drivers,
}

impl<'a> Observed<'a> {
    /// The cells of our own server that count, one by one.
    pub(crate) fn of(groups: impl IntoIterator<Item = &'a Group<'a>>) -> Vec<Self> {
        let asked = groups.into_iter().filter(|group| group.is_ours() && !group.is_search);
        let cells = asked.flat_map(|group| group.cells.iter().filter_map(move |cell| Self::cell(group, cell)));
        let mut cells: Vec<Self> = cells.collect();
        let costs: Vec<BTreeMap<u32, f64>> = cells.iter().map(Self::processor_by_round).collect();
        let paces = paces(&costs);
        for paced in cells.iter_mut().flat_map(|cell| &mut cell.trials) {
            paced.pace = paces.get(&paced.round).copied().unwrap_or(1.0);
        }
        cells
    }

    fn cell(group: &'a Group<'a>, cell: &'a Cell<'a>) -> Option<Self> {
        let valid = cell.trials.iter().filter(|trial| trial.is_valid());
        let trials: Vec<Paced<'a>> = valid
            .filter_map(|trial| {
                Some(Paced { trial: trial.record.measurement()?, round: trial.record.trial, pace: 1.0 })
            })
            .collect();
        if trials.is_empty() || !cell.transport.is_ranked() {
            return None;
        }
        let contents = trials.iter().filter_map(|it| Some(it.trial.wire.as_ref()?.load.contents));
        let (bytes, messages) = contents.fold((0, 0), |sum, it| (sum.0 + it.payload_bytes, sum.1 + it.messages));
        let payload = if messages > 0 { float(bytes) / float(messages) } else { 0.0 };
        let load = Load::of(group.workload, payload)?;
        Some(Self { workload: group.workload, label: &group.label, transport: cell.transport, load, trials })
    }

    fn processor_by_round(&self) -> BTreeMap<u32, f64> {
        let costs = self.trials.iter().filter_map(|it| Some((it.round, processor(it.trial)?)));
        costs.filter(|(_, cost)| *cost > 0.0).collect()
    }

    /// What it cost, with what was counted then: of the trial in the middle, so that one during which
    /// the machine was elsewhere moves nothing. Processor time is that of a round of middling pace.
    pub(super) fn sample(&self, quantity: Quantity) -> Option<Sample> {
        let sample = |it: &Paced<'_>| {
            let sample = self.sample_of(it.trial, quantity)?;
            let is_time = matches!(quantity, Quantity::Processor | Quantity::Connecting);
            Some(Sample { cost: if is_time { sample.cost / it.pace } else { sample.cost }, ..sample })
        };
        let samples: Option<Vec<Sample>> = self.trials.iter().map(sample).collect();
        let samples = samples?;
        let cost = median(samples.iter().map(|sample| sample.cost));
        let nearest = |one: &&Sample, other: &&Sample| (one.cost - cost).abs().total_cmp(&(other.cost - cost).abs());
        let counted = samples.iter().min_by(nearest)?.counted;
        (cost > 0.0).then_some(Sample { cost, counted })
    }

    fn sample_of(&self, trial: &Measurement, quantity: Quantity) -> Option<Sample> {
        let has_enough_users = self.workload.subscribers >= LEAST_USERS_OF_MEMORY;
        let grown = |of: fn(&Held) -> Option<f64>| {
            let memory = &trial.memory;
            has_enough_users.then_some(())?;
            Some(of(&memory.delivering)? - of(&memory.empty)?)
        };
        let wire = trial.wire.as_ref().filter(|wire| wire.unread == 0).map(|wire| &wire.load);
        let cost = match quantity {
            Quantity::Processor => processor(trial)?,
            Quantity::Connecting => float(trial.connecting.server?.cpu_ns),
            Quantity::ProcessMemory => grown(|held| Some(float(held.server?.pss_bytes)))?,
            // One end of two.
            Quantity::KernelMemory => {
                grown(|held| held.kernel.map(|it| float(it.slab_bytes) + float(it.tcp_bytes)))? / 2.0
            }
            Quantity::BytesDown => float(wire?.down.bytes),
            Quantity::BytesUp => float(wire?.up.bytes),
            Quantity::SegmentsDown => float(wire?.down.segments),
            Quantity::SegmentsUp => float(wire?.up.segments),
            Quantity::LatencyP50 => self.latency(trial, 0.5)?,
            Quantity::LatencyP99 => self.latency(trial, 0.99)?,
        };
        let counted = match quantity {
            Quantity::BytesDown | Quantity::BytesUp | Quantity::SegmentsDown | Quantity::SegmentsUp => {
                self.crossed(trial)?
            }
            Quantity::Processor => self.in_a_second(trial),
            Quantity::Connecting => {
                let mut counted = Drivers::default();
                counted[Driver::Users] = float(trial.connecting.connections);
                counted
            }
            Quantity::ProcessMemory | Quantity::KernelMemory | Quantity::LatencyP50 | Quantity::LatencyP99 => {
                self.load.drivers(self.transport)
            }
        };
        Some(Sample { cost, counted })
    }

    /// From when it was due; of short polling from when the poll was sent, as what comes before is the
    /// interval's and follows from it.
    fn latency(&self, trial: &Measurement, share: f64) -> Option<f64> {
        let histogram = match self.transport {
            Transport::ShortPolling => trial.transfer.as_ref()?,
            Transport::LongPolling
            | Transport::HttpStreaming
            | Transport::Sse
            | Transport::WebSocket
            | Transport::RawTcp => &trial.delivery_latency,
        };
        let quantile = histogram.quantile(share).filter(|_| histogram.count() >= LEAST_MESSAGES)?;
        Some(quantile.as_secs_f64() * 1e9)
    }

    /// What happened in a second of the measure phase.
    fn in_a_second(&self, trial: &Measurement) -> Drivers {
        let seconds = float(trial.measured_ns) / 1e9;
        let window = &trial.window;
        let mut counted = self.load.drivers(self.transport);
        let polls = counted[Driver::Answers] + counted[Driver::Empties];
        if polls > 0.0 {
            let more = float(window.requests) / seconds / polls;
            counted[Driver::Answers] *= more;
            counted[Driver::Empties] *= more;
        }
        if counted[Driver::Messages] > 0.0 {
            let more = float(window.received) / seconds / counted[Driver::Messages];
            counted[Driver::Messages] *= more;
            counted[Driver::Cold] *= more;
            counted[Driver::First] *= more;
        }
        counted[Driver::Kibibytes] = counted[Driver::Messages] * self.load.payload / KIBIBYTE;
        counted[self.load.speech(self.transport)] = float(window.published) / seconds;
        counted
    }

    /// What crossed the connections from when everybody was connected until everything had arrived.
    fn crossed(&self, trial: &Measurement) -> Option<Drivers> {
        let load = &trial.wire.as_ref()?.load;
        let contents = &load.contents;
        let mut counted = Drivers::default();
        counted[Driver::Messages] = float(contents.messages);
        counted[Driver::Kibibytes] = float(contents.payload_bytes) / KIBIBYTE;
        counted[Driver::Answers] = float(contents.responses.saturating_sub(contents.empty));
        counted[Driver::Empties] = float(contents.empty);
        if self.workload.is_silent() && !self.transport.is_polling() {
            // Nothing else has data in it.
            counted[Driver::Heartbeats] = float(load.down.data_segments);
        }
        if self.workload.direction == Direction::Both && self.load.payload > 0.0 {
            counted[Driver::Spoken] = float(contents.spoken_bytes) / self.load.payload;
            counted[Driver::SpokenFrames] = counted[Driver::Spoken] * self.load.spoken_frame();
        }
        Some(counted)
    }

    /// Requests a second, as they were counted.
    pub(super) fn requests(&self) -> Option<f64> {
        let each = |it: &Paced<'_>| float(it.trial.window.requests) / (float(it.trial.measured_ns) / 1e9);
        Some(median(self.trials.iter().map(each))).filter(|rate| *rate > 0.0)
    }
}

/// Processor time of the server, nanoseconds a second.
fn processor(trial: &Measurement) -> Option<f64> {
    let server = trial.server?;
    Some(float(server.cpu_ns) / (float(server.wall_ns) / 1e9))
}

#[expect(clippy::cast_precision_loss, reason = "sums of a trial need no more than 53 bits")]
const fn float(number: u64) -> f64 {
    number as f64
}
