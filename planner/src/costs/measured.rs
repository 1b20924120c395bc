//! Measured cells as the cost model takes them: what a cell cost, and the counts of the regressors then.

use std::collections::BTreeMap;

use pushoff_model::record::{Held, Measurement};
use pushoff_model::workload::Direction;
use pushoff_model::{Transport, Workload};

use super::load::{KIBIBYTE, Load};
use super::pace::{median, paces};
use super::quantity::Quantity;
use super::regressors::{Regressor, Regressors};

/// With fewer users the rest of the machine moves the kernel's memory more than the users do.
const LEAST_USERS_OF_MEMORY: u32 = 1000;
/// A p99 of fewer messages is the largest latency under another name.
const LEAST_MESSAGES: u64 = 100;

/// One transport under one workload, as it was measured with pushoff's own server.
#[derive(Clone, Debug)]
pub struct MeasuredCell<'a> {
    /// What the report calls its workload.
    pub label: &'a str,
    /// The workload; it says whether the cell is held out of the fit.
    pub workload: &'a Workload,
    /// The transport.
    pub transport: Transport,
    /// The valid trials.
    pub trials: Vec<Trial<'a>>,
}

/// A valid trial of a cell.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// The round of the run: its trials ran next to each other, one of each cell.
    pub round: u32,
    /// What was measured.
    pub measurement: &'a Measurement,
}

/// A measured cell with the load that was asked of it.
#[derive(Clone, Debug)]
pub(crate) struct Observed<'a> {
    workload: &'a Workload,
    /// What the report calls its workload.
    pub label: &'a str,
    /// The transport.
    pub transport: Transport,
    /// What was asked.
    pub load: Load,
    trials: Vec<Paced<'a>>,
}

/// A trial, and how slow the machine was in the round of the trial.
#[derive(Clone, Copy, Debug)]
struct Paced<'a> {
    trial: &'a Measurement,
    round: u32,
    pace: f64,
}

/// A measured cost, and the counts of the regressors in the same trial.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) cost: f64,
    pub(crate) counted: Regressors,
}

impl<'a> Observed<'a> {
    /// The cells that have a load and a valid trial, each trial with the pace of its round.
    pub(crate) fn of<'b>(cells: impl IntoIterator<Item = &'b MeasuredCell<'a>>) -> Vec<Self>
    where
        'a: 'b,
    {
        let mut cells: Vec<Self> = cells.into_iter().filter_map(Self::one).collect();
        let costs: Vec<BTreeMap<u32, f64>> = cells.iter().map(Self::processor_by_round).collect();
        let paces = paces(&costs);
        for paced in cells.iter_mut().flat_map(|cell| &mut cell.trials) {
            paced.pace = paces.get(&paced.round).copied().unwrap_or(1.0);
        }
        cells
    }

    fn one(cell: &MeasuredCell<'a>) -> Option<Self> {
        if cell.trials.is_empty() || !cell.transport.is_ranked() {
            return None;
        }
        let contents = cell.trials.iter().filter_map(|it| Some(it.measurement.wire.as_ref()?.load.contents));
        let (bytes, messages) = contents.fold((0, 0), |sum, it| (sum.0 + it.payload_bytes, sum.1 + it.messages));
        let payload = if messages > 0 { float(bytes) / float(messages) } else { 0.0 };
        let load = Load::of(cell.workload, payload)?;
        let trials = cell.trials.iter().map(|it| Paced { trial: it.measurement, round: it.round, pace: 1.0 });
        let MeasuredCell { label, workload, transport, .. } = *cell;
        Some(Self { workload, label, transport, load, trials: trials.collect() })
    }

    fn processor_by_round(&self) -> BTreeMap<u32, f64> {
        let costs = self.trials.iter().filter_map(|it| Some((it.round, processor(it.trial)?)));
        costs.filter(|(_, cost)| *cost > 0.0).collect()
    }

    /// The median cost over the trials, with the counts of the trial nearest to it, so that one disturbed trial moves
    /// nothing. Processor time is divided by the pace of its round.
    pub(crate) fn sample(&self, quantity: Quantity) -> Option<Sample> {
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
                let mut counted = Regressors::default();
                counted[Regressor::Users] = float(trial.connecting.connections);
                counted
            }
            Quantity::ProcessMemory | Quantity::KernelMemory | Quantity::LatencyP50 | Quantity::LatencyP99 => {
                self.load.regressors(self.transport)
            }
        };
        Some(Sample { cost, counted })
    }

    /// Latency from when a message was due; over short polling from when the poll was sent, because the wait for the
    /// poll follows from the interval.
    fn latency(&self, trial: &Measurement, share: f64) -> Option<f64> {
        let is_short_polling = self.transport.polls_on_a_timer();
        let histogram = if is_short_polling { trial.transfer.as_ref()? } else { &trial.delivery_latency };
        let quantile = histogram.quantile(share).filter(|_| histogram.count() >= LEAST_MESSAGES)?;
        Some(quantile.as_secs_f64() * 1e9)
    }

    /// The counts of a second of the measure phase.
    fn in_a_second(&self, trial: &Measurement) -> Regressors {
        let seconds = float(trial.measured_ns) / 1e9;
        let window = &trial.window;
        let mut counted = self.load.regressors(self.transport);
        let polls = counted.polls();
        if polls > 0.0 {
            let more = float(window.requests) / seconds / polls;
            counted[Regressor::Answers] *= more;
            counted[Regressor::Empties] *= more;
        }
        if counted[Regressor::Messages] > 0.0 {
            let more = float(window.received) / seconds / counted[Regressor::Messages];
            counted[Regressor::Messages] *= more;
            counted[Regressor::Cold] *= more;
            counted[Regressor::First] *= more;
        }
        counted[Regressor::Kibibytes] = counted[Regressor::Messages] * self.load.payload / KIBIBYTE;
        counted[self.load.speech(self.transport)] = float(window.published) / seconds;
        counted
    }

    /// The counts of what crossed the connections, from when all users were connected until all messages had arrived.
    fn crossed(&self, trial: &Measurement) -> Option<Regressors> {
        let load = &trial.wire.as_ref()?.load;
        let contents = &load.contents;
        let mut counted = Regressors::default();
        counted[Regressor::Messages] = float(contents.messages);
        counted[Regressor::Kibibytes] = float(contents.payload_bytes) / KIBIBYTE;
        counted[Regressor::Answers] = float(contents.responses.saturating_sub(contents.empty));
        counted[Regressor::Empties] = float(contents.empty);
        if self.workload.is_silent() && !self.transport.is_polling() {
            // Nothing else has data in it.
            counted[Regressor::Heartbeats] = float(load.down.data_segments);
        }
        if self.workload.direction == Direction::Both && self.load.payload > 0.0 {
            counted[Regressor::Spoken] = float(contents.spoken_bytes) / self.load.payload;
            counted[Regressor::SpokenFrames] = counted[Regressor::Spoken] * self.load.spoken_frame();
        }
        Some(counted)
    }

    /// Requests a second, as they were counted.
    pub(crate) fn requests(&self) -> Option<f64> {
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
