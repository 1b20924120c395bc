//! A model against cells that it has not seen: predicted beside measured.

use pushoff_model::Transport;
use serde::Serialize;

use super::measured::{MeasuredCell, Observed};
use super::model::CostModel;
use super::pace::median;
use super::quantity::Quantity;
use super::range::widening;
use super::regressors::Regressor;
use pushoff_stats::Figure;

/// What is checked: costs as a planner adds them up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Processor time of the server, nanoseconds a second.
    Processor,
    /// Memory of the server's process and of its ends in the kernel, bytes.
    Memory,
    /// Requests a second.
    Requests,
    /// Bytes of both directions above TCP, of what was counted.
    Bytes,
    /// Segments of both directions, of what was counted.
    Segments,
    /// Half of the messages are there within, nanoseconds.
    LatencyP50,
    /// 99 % of them.
    LatencyP99,
    /// Processor time of the server until all are connected, nanoseconds.
    Connecting,
}

impl Check {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 8] = [
        Self::Processor,
        Self::Memory,
        Self::Bytes,
        Self::Segments,
        Self::Requests,
        Self::Connecting,
        Self::LatencyP50,
        Self::LatencyP99,
    ];

    /// As a table names it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Processor => "server CPU",
            Self::Memory => "memory",
            Self::Requests => "requests",
            Self::Bytes => "bytes",
            Self::Segments => "segments",
            Self::LatencyP50 => "latency, p50",
            Self::LatencyP99 => "latency, p99",
            Self::Connecting => "CPU to connect",
        }
    }

    /// The most that the median error may be; none where nothing is promised.
    pub const fn goal(self) -> Option<f64> {
        match self {
            Self::Processor | Self::Memory => Some(0.10),
            Self::Bytes => Some(0.01),
            Self::Requests | Self::Segments | Self::LatencyP50 | Self::LatencyP99 | Self::Connecting => None,
        }
    }

    const fn parts(self) -> &'static [Quantity] {
        match self {
            Self::Processor => &[Quantity::Processor],
            Self::Memory => &[Quantity::ProcessMemory, Quantity::KernelMemory],
            Self::Bytes => &[Quantity::BytesDown, Quantity::BytesUp],
            Self::Segments => &[Quantity::SegmentsDown, Quantity::SegmentsUp],
            Self::LatencyP50 => &[Quantity::LatencyP50],
            Self::LatencyP99 => &[Quantity::LatencyP99],
            Self::Connecting => &[Quantity::Connecting],
            Self::Requests => &[],
        }
    }
}

/// One cell's figure, predicted and measured.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// The workload, as the report labels it.
    pub label: String,
    /// The transport.
    pub transport: Transport,
    /// Which figure.
    pub check: Check,
    /// What the model says without having seen the cell.
    pub predicted: Figure,
    /// What was measured.
    pub measured: f64,
    /// Predicted ÷ measured − 1.
    pub error: f64,
}

/// How far a model is off.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Summary {
    /// Which figure.
    pub check: Check,
    /// How many cells were checked.
    pub cells: usize,
    /// The size of the error that half of them do not exceed.
    pub median: f64,
    /// The largest.
    pub worst: f64,
    /// The share of cells whose measured figure lies in the interval that was predicted; none where the
    /// prediction is arithmetic and has no interval.
    pub covered: Option<f64>,
}

/// Each of these cells against the model.
#[must_use]
pub fn checks(model: &CostModel, cells: &[MeasuredCell<'_>]) -> Vec<Checked> {
    let observed = Observed::of(cells);
    let each = observed.iter().flat_map(|cell| Check::ALL.into_iter().filter_map(|check| checked(model, cell, check)));
    each.collect()
}

fn checked(model: &CostModel, cell: &Observed<'_>, check: Check) -> Option<Checked> {
    let (predicted, measured) = match check {
        Check::Requests => {
            let counts = cell.load.regressors(cell.transport);
            let point = counts[Regressor::Answers] + counts[Regressor::Empties];
            (Figure { point, interval: None }, cell.requests().filter(|_| point > 0.0)?)
        }
        Check::Processor
        | Check::Memory
        | Check::Bytes
        | Check::Segments
        | Check::LatencyP50
        | Check::LatencyP99
        | Check::Connecting => {
            let parts = check.parts().iter().filter_map(|&part| predicted(model, cell, part));
            let sum = parts.reduce(|one, other| (one.0.plus(&other.0), one.1 + other.1));
            sum?
        }
    };
    let error = predicted.point / measured - 1.0;
    Some(Checked { label: cell.label.to_owned(), transport: cell.transport, check, predicted, measured, error })
}

/// What a planner would say of the load that was asked for. Of bytes and segments it is what was
/// counted: the first and the last polls of a trial belong to no second of its load.
fn predicted(model: &CostModel, cell: &Observed<'_>, part: Quantity) -> Option<(Figure, f64)> {
    let sample = cell.sample(part)?;
    let figure = match part {
        Quantity::BytesDown
        | Quantity::BytesUp
        | Quantity::SegmentsDown
        | Quantity::SegmentsUp
        | Quantity::Connecting => {
            let widening = widening(&model.range.beyond(&cell.load, cell.transport));
            model.fitted(cell.transport, part)?.predict(&sample.counted, widening)
        }
        Quantity::Processor
        | Quantity::ProcessMemory
        | Quantity::KernelMemory
        | Quantity::LatencyP50
        | Quantity::LatencyP99 => model.forecast(cell.transport, &cell.load)?.cost(part)?,
    };
    Some((figure, sample.cost))
}

/// How far off it was in all, a line a check that any cell allowed.
pub fn summaries(checked: &[Checked]) -> Vec<Summary> {
    let summary = |check: Check| {
        let of_it: Vec<&Checked> = checked.iter().filter(|it| it.check == check).collect();
        let errors = || of_it.iter().map(|it| it.error.abs());
        let cells = of_it.len();
        if cells == 0 {
            return None;
        }
        let covered =
            of_it.iter().filter(|it| (it.predicted.low()..=it.predicted.high()).contains(&it.measured)).count();
        Some(Summary {
            check,
            cells,
            median: median(errors()),
            worst: errors().fold(0.0, f64::max),
            covered: of_it.iter().all(|it| it.predicted.interval.is_some()).then(|| float(covered) / float(cells)),
        })
    };
    Check::ALL.into_iter().filter_map(summary).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a number of cells")]
const fn float(number: usize) -> f64 {
    number as f64
}
