//! The loads that were measured, each with what was seen there.

use pushoff_model::Transport;
use pushoff_model::record::{FailureKind, Measurement, Outcome, Purpose};
use pushoff_model::workload::Slo;
use serde::Serialize;

use super::Offers;
use crate::cells::faults::CellFaults;
use crate::cells::validity::Validity;
use crate::cells::{Cell, Trial};
use crate::metric::{Evidence, Figures, Metric, Value};
use pushoff_stats::Figure;

/// One load of one transport: its trials merged.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LoadPoint {
    /// In what the search grew.
    pub(crate) load: f64,
    /// Deliveries a second that were due.
    pub(crate) offered_per_second: f64,
    /// Trials that it rests on.
    pub(crate) trials: usize,
    /// What limited it. Void: shown open; what broke there is no ground for a knee.
    pub(crate) validity: Validity,
    /// Whether it was put there to see what lies beyond.
    pub(crate) is_overload: bool,
    /// Whether the SLO held, over the trials together. Where it did in spite of a generator or machine
    /// at its limit, it would have without that too.
    pub(crate) holds: bool,
    /// What was measured there, by metric.
    pub(crate) figures: Figures,
}

/// What is read at each load, as tables and `--json` name it.
pub(crate) const AT_A_LOAD: [Metric; 7] = [
    Metric::WithinSlo,
    Metric::P50,
    Metric::P99,
    Metric::MessagesASegment,
    Metric::Lost,
    Metric::Missed,
    Metric::Unsent,
];

impl LoadPoint {
    /// Whether its figures are not the transport's.
    pub(crate) const fn is_void(&self) -> bool {
        self.validity.is_void()
    }

    fn of(load: f64, trials: &[&Trial<'_>], transport: Transport, offers: &Offers, slo: &Slo) -> Option<Self> {
        let pick = |all: bool| -> Vec<&Measurement> {
            let counting = trials.iter().filter(|trial| all || trial.is_valid());
            counting.filter_map(|trial| trial.record.measurement()).collect()
        };
        let valid = pick(false);
        let shown = if valid.is_empty() { pick(true) } else { valid };
        let faults = CellFaults::of(&trials.iter().map(|trial| **trial).collect::<Vec<_>>());
        let evidence = Evidence { slo: Some(*slo), faults, ..Evidence::of_trials(transport, shown) };
        let figures = Self::figures(&evidence)?;
        let is_whole = !figures.has_fault(Metric::Lost) && (slo.may_skip || !figures.has_fault(Metric::Missed));
        let share = figures.get(Metric::WithinSlo);
        Some(Self {
            load,
            offered_per_second: offers.at(load),
            trials: figures.trials,
            validity: Validity::of_trials(trials),
            is_overload: trials.iter().any(|trial| has_purpose(trial, Purpose::Overload)),
            holds: is_whole && share.is_some_and(|share| share.point >= slo.share.as_f64()),
            figures,
        })
    }

    fn figures(evidence: &Evidence<'_>) -> Option<Figures> {
        let trials = evidence.trials().len();
        let mut figures = Figures::given(trials, AT_A_LOAD.map(|metric| (metric, metric.read(evidence))));
        // A step publishes few messages, to many readers. Where these are too few for a p99, that of its deliveries
        // shows where the curve bends: without an interval, and no verdict rests on it.
        if figures.get(Metric::P99).is_none() {
            let sums = evidence.own();
            let deliveries = evidence.deliveries();
            let [p99] = sums.percentiles(Some(deliveries), deliveries.count(), [0.99]);
            figures.insert(Metric::P99, p99.map(|it| Value::exact(Figure { interval: None, ..it })));
        }
        (trials > 0).then_some(figures)
    }
}

pub(super) fn has_purpose(trial: &Trial<'_>, purpose: Purpose) -> bool {
    trial.record.step.is_some_and(|step| step.purpose == purpose)
}

/// What a single trial said of its load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// The SLO was met and nothing was lost, whoever else was at a limit.
    Held,
    /// It was not, or the server gave way.
    Broke,
    /// Nothing: it was not met while the generator or the machine was the limit, or it was broken off.
    Nothing,
}

impl Said {
    /// Judges a trial.
    pub(super) fn by(trial: &Trial<'_>, slo: &Slo) -> Self {
        let it = match &trial.record.outcome {
            Outcome::Measured(measurement) => measurement,
            Outcome::Failed(failure) => return Self::by_failure(failure.kind),
            Outcome::NotRun(_) => return Self::Nothing,
        };
        #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
        let (in_time, due) = (it.delivery_latency.count_within(slo.within) as f64, it.window.due as f64);
        let whole = it.counts.lost == 0 && (it.counts.missed == 0 || slo.may_skip);
        // Where nothing was due, nothing was shown.
        if it.window.due == 0 {
            return Self::Nothing;
        }
        match (whole && in_time >= slo.share.as_f64() * due, trial.is_valid()) {
            (true, _) => Self::Held,
            (false, true) => Self::Broke,
            (false, false) => Self::Nothing,
        }
    }

    const fn by_failure(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Server | FailureKind::Connect | FailureKind::Unbalanced => Self::Broke,
            FailureKind::Interrupted | FailureKind::Generator | FailureKind::Machine => Self::Nothing,
        }
    }
}

/// Every load, the least first. Loads that differ by less than can matter are one.
pub(super) fn points(cell: &Cell<'_>, offers: &Offers, slo: &Slo) -> Vec<LoadPoint> {
    let mut loads: Vec<(f64, Vec<&Trial<'_>>)> = Vec::new();
    for trial in &cell.trials {
        let Some(step) = trial.record.step else { continue };
        match loads.iter_mut().find(|(load, _)| is_same(*load, step.load)) {
            Some((_, trials)) => trials.push(trial),
            None => loads.push((step.load, vec![trial])),
        }
    }
    loads.sort_by(|one, other| one.0.total_cmp(&other.0));
    loads.iter().filter_map(|(load, trials)| LoadPoint::of(*load, trials, cell.transport(), offers, slo)).collect()
}

pub(super) fn is_same(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-6 * one.abs().max(other.abs())
}
