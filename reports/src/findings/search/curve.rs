//! The loads that were measured, each with what was seen there.

use pushoff_model::record::{FailureKind, Measurement, Outcome, Purpose};
use pushoff_model::workload::Slo;
use serde::Serialize;

use super::Offers;
use crate::cells::validity::Validity;
use crate::cells::{Cell, Trial};
use pushoff_stats::{Figure, Pool, Sums};

/// One load of one transport: its trials merged.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Stand {
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
    /// Share of the deliveries due that arrived in time.
    pub(crate) share_within: Option<Figure>,
    pub(crate) p50_ns: Option<Figure>,
    pub(crate) p99_ns: Option<Figure>,
    /// Messages in a segment with data: how far they are joined.
    pub(crate) messages_a_segment: Option<Figure>,
    pub(crate) lost: u64,
    pub(crate) missed: u64,
    pub(crate) unsent: u64,
}

impl Stand {
    /// Whether its figures are not the transport's.
    pub(crate) const fn is_void(&self) -> bool {
        self.validity.is_void()
    }

    fn of(load: f64, trials: &[&Trial<'_>], offers: &Offers, slo: &Slo) -> Option<Self> {
        let pick = |all: bool| -> Vec<&Measurement> {
            let counting = trials.iter().filter(|trial| all || trial.is_valid());
            counting.filter_map(|trial| trial.record.measurement()).collect()
        };
        let valid = pick(false);
        let shown = if valid.is_empty() { pick(true) } else { valid };
        if shown.is_empty() {
            return None;
        }
        let sums = Sums::of(&shown);
        let delivery = sums.pool(|trial| Some(&trial.delivery_latency));
        // A step of a crowd publishes few messages to many readers. Its p99 is that of its deliveries: it shows where the
        // curve bends, and no verdict rests on it.
        let deliveries = delivery.as_ref().map_or(0, Pool::count);
        let [p50_ns, p99_ns] = sums.percentiles(delivery.as_ref(), deliveries, [0.5, 0.99]);
        let together = sums.quotient(|trial| {
            let load = trial.wire?.load;
            #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more than 53 bits")]
            Some((load.contents.messages as f64, load.down.data_segments as f64))
        });
        let share = sums.share_within(slo.within);
        let validity = Validity::of_trials(trials);
        let sum = |of: fn(&Measurement) -> u64| shown.iter().map(|trial| of(trial)).sum::<u64>();
        let (lost, missed) = (sum(|it| it.counts.lost), sum(|it| it.counts.missed));
        let in_time = share.is_some_and(|share| share.point >= slo.share.as_f64());
        Some(Self {
            load,
            offered_per_second: offers.at(load),
            trials: shown.len(),
            validity,
            is_overload: trials.iter().any(|trial| has_purpose(trial, Purpose::Overload)),
            holds: in_time && lost == 0 && (missed == 0 || slo.may_skip),
            share_within: share,
            p50_ns,
            p99_ns,
            messages_a_segment: together.filter(|figure| figure.point > 0.0),
            lost,
            missed,
            unsent: sum(|it| it.counts.unsent),
        })
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
pub(super) fn stands(cell: &Cell<'_>, offers: &Offers, slo: &Slo) -> Vec<Stand> {
    let mut loads: Vec<(f64, Vec<&Trial<'_>>)> = Vec::new();
    for trial in &cell.trials {
        let Some(step) = trial.record.step else { continue };
        match loads.iter_mut().find(|(load, _)| is_same(*load, step.load)) {
            Some((_, trials)) => trials.push(trial),
            None => loads.push((step.load, vec![trial])),
        }
    }
    loads.sort_by(|one, other| one.0.total_cmp(&other.0));
    loads.iter().filter_map(|(load, trials)| Stand::of(*load, trials, offers, slo)).collect()
}

pub(super) fn is_same(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-6 * one.abs().max(other.abs())
}
