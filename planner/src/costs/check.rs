//! A model compared with cells that it has not seen.

use pushoff_model::Environment;
use pushoff_model::Transport;
use pushoff_stats::Figure;

use super::error::{Check, Error};
use super::measured::{MeasuredCell, Observed};
use super::model::CostModel;
use super::pace::median;
use super::quantity::Quantity;
use super::range::widening;

/// One cell's figure, predicted and measured.
#[derive(Clone, Debug)]
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
#[derive(Clone, Copy, Debug)]
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

/// Fits a model to measured cells, and compares it with those held out; none where every transport has too few.
#[must_use]
pub fn fit_and_check(environment: Option<&Environment>, cells: &[MeasuredCell<'_>]) -> Option<CostModel> {
    let mut model = CostModel::fit(environment, cells)?;
    let held_out: Vec<_> = cells.iter().filter(|cell| cell.workload.held_out).cloned().collect();
    model.errors = errors(&model, &held_out);
    Some(model)
}

/// The largest errors of a model, for each transport and check that any of these cells allows.
fn errors(model: &CostModel, cells: &[MeasuredCell<'_>]) -> Vec<Error> {
    let mut all: Vec<Error> = Vec::new();
    for Checked { transport, check, error, .. } in checks(model, cells) {
        // What is rounding alone is no error, and other machines round otherwise.
        let error = Some(error.ln_1p().abs()).filter(|error| *error > 1e-9).unwrap_or_default();
        match all.iter_mut().find(|it| (it.transport, it.check) == (transport, check)) {
            Some(known) => known.worst = known.worst.max(error),
            None => all.push(Error { transport, check, worst: error }),
        }
    }
    all
}

/// Each of these cells against the model.
#[must_use]
pub fn checks(model: &CostModel, cells: &[MeasuredCell<'_>]) -> Vec<Checked> {
    let observed = Observed::of(cells);
    let each = observed.iter().flat_map(|cell| Check::ALL.into_iter().filter_map(|check| checked(model, cell, check)));
    each.collect()
}

fn checked(model: &CostModel, cell: &Observed<'_>, check: Check) -> Option<Checked> {
    let (predicted, measured) = if check == Check::Requests {
        let point = cell.load.regressors(cell.transport).polls();
        (Figure { point, interval: None }, cell.requests().filter(|_| point > 0.0)?)
    } else {
        let parts = check.parts().iter().filter_map(|&part| predicted(model, cell, part));
        parts.reduce(|one, other| (one.0.plus(&other.0), one.1 + other.1))?
    };
    let error = predicted.point / measured - 1.0;
    Some(Checked { label: cell.label.to_owned(), transport: cell.transport, check, predicted, measured, error })
}

/// What the model says of the load that was asked for, and what was measured. Bytes, segments and connecting are
/// predicted from what was counted: the first and last polls of a trial belong to no second of its load.
fn predicted(model: &CostModel, cell: &Observed<'_>, part: Quantity) -> Option<(Figure, f64)> {
    let sample = cell.sample(part)?;
    let figure = if part.is_exact() || part == Quantity::Connecting {
        let widening = widening(&model.range.beyond(&cell.load, cell.transport));
        model.fitted(cell.transport, part)?.predict(&sample.counted, widening)
    } else {
        model.forecast(cell.transport, &cell.load)?.cost(part)?
    };
    Some((figure, sample.cost))
}

impl Checked {
    /// Whether what was measured lies in the interval that was predicted; none where there is no interval.
    fn is_covered(&self) -> Option<bool> {
        let interval = self.predicted.interval?;
        Some((interval.low..=interval.high).contains(&self.measured))
    }
}

/// The share of the predicted intervals that hold what was measured.
#[must_use]
pub fn coverage(checked: &[Checked]) -> f64 {
    let rated: Vec<bool> = checked.iter().filter_map(Checked::is_covered).collect();
    float(rated.iter().filter(|is_covered| **is_covered).count()) / float(rated.len().max(1))
}

/// The errors in all, for each check that any cell allows.
#[must_use]
pub fn summaries(checked: &[Checked]) -> Vec<Summary> {
    let summary = |check: Check| {
        let of_it: Vec<Checked> = checked.iter().filter(|it| it.check == check).cloned().collect();
        let errors = || of_it.iter().map(|it| it.error.abs());
        let have_intervals = of_it.iter().all(|it| it.predicted.interval.is_some());
        (!of_it.is_empty()).then(|| Summary {
            check,
            cells: of_it.len(),
            median: median(errors()),
            worst: errors().fold(0.0, f64::max),
            covered: have_intervals.then(|| coverage(&of_it)),
        })
    };
    Check::ALL.into_iter().filter_map(summary).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a number of cells")]
const fn float(number: usize) -> f64 {
    number as f64
}
