//! The most that the SLO survives: where the staircase of confirmation steps turned.
//!
//! The steps go up where the last held and down where it did not, so they walk around the border.
//! Its estimate is the geometric mean of the midpoints between successive turns. Source: Wetherill
//! & Levitt, *Sequential Estimation of Points on a Psychometric Function*, 1965.

use pushoff_model::record::{FailureKind, Limit, Purpose};
use pushoff_model::workload::Slo;
use serde::Serialize;
use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::Offers;
use super::curve::{Said, has_purpose, is_same};
use crate::cells::{Cell, Trial};
use pushoff_stats::{Figure, Interval};

/// Half a step of the staircase: no border is known more finely than the steps around it.
const HALF_STEP: f64 = 0.05;
/// Loads that differ by less are near each other: two steps of the staircase. Chosen here.
const NEAR: f64 = 0.8;

/// The most load that held.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Capacity {
    /// In what the search grew.
    pub(crate) load: Figure,
    /// In deliveries a second.
    pub(crate) deliveries_per_second: Figure,
    /// How often the staircase turned.
    pub(crate) turns: usize,
    /// What stopped it.
    pub(crate) reach: Reach,
    /// Whether the server was at its limit where the SLO broke.
    pub(crate) is_server_limited: bool,
    /// Whether the SLO broke by missed messages alone: what arrived was in time.
    pub(crate) is_missing_alone: bool,
}

/// What stopped a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reach {
    /// The SLO broke in trials that count: the transport's own limit.
    Saturated,
    /// The generator could not go further: the capacity is a lower bound.
    Generator,
    /// The machine could not: a lower bound too.
    Machine,
    /// The SLO held at every load: a lower bound too.
    NeverFailed,
}

impl Reach {
    /// Why a capacity is a lower bound only; `None` where it is the capacity.
    pub(crate) const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Saturated => None,
            Self::Generator => Some("the generator was the limit"),
            Self::Machine => Some("the machine was the limit"),
            Self::NeverFailed => Some("more was not asked for"),
        }
    }
}

impl Capacity {
    /// `None` where nothing held, or where the border was seen and not walked. `highest_held` is what
    /// a search that was stopped from outside came to.
    pub(super) fn of(cell: &Cell<'_>, offers: &Offers, slo: &Slo, highest_held: Option<f64>) -> Option<Self> {
        let load_of = |trial: &Trial<'_>| trial.record.step.map(|step| step.load);
        let stairs = || cell.trials.iter().filter(|trial| has_purpose(trial, Purpose::Confirmation));
        let said = |trial: &Trial<'_>| match Said::by(trial, slo) {
            Said::Held => Some(true),
            Said::Broke => Some(false),
            Said::Nothing => None,
        };
        let steps: Vec<(f64, bool)> = stairs().filter_map(|trial| Some((load_of(trial)?, said(trial)?))).collect();
        let (turns, reach) = (turns(&steps), reach(cell, slo));
        let load = match reach {
            Reach::Saturated => estimate(&steps, &turns)?,
            Reach::Generator | Reach::Machine | Reach::NeverFailed => Figure { point: highest_held?, interval: None },
        };
        let offered = Figure {
            point: offers.at(load.point),
            interval: load.interval.map(|it| Interval { low: offers.at(it.low), high: offers.at(it.high) }),
        };
        let deliveries_per_second = offered.times(arrived(cell, slo, load.point));
        let broke = || stairs().filter(|trial| Said::by(trial, slo) == Said::Broke);
        let sought = cell.trials.iter().filter(|it| !has_purpose(it, Purpose::Overload));
        let is_server_limited = sought
            .filter(|trial| Said::by(trial, slo) == Said::Broke)
            .any(|it| it.limits().any(|limit| limit == Limit::Server));
        let is_missing_alone = broke().next().is_some() && broke().all(|trial| missed_alone(trial, slo));
        Some(Self { load, deliveries_per_second, turns: turns.len(), reach, is_server_limited, is_missing_alone })
    }
}

/// Whether a trial did not meet the SLO for missed messages, and for nothing else.
fn missed_alone(trial: &Trial<'_>, slo: &Slo) -> bool {
    let forgiving = Slo { may_skip: true, ..*slo };
    trial.record.measurement().is_some_and(|it| it.counts.missed > 0) && Said::by(trial, &forgiving) == Said::Held
}

/// Which part of what was due arrived while it was measured, over the trials that held near that load. What
/// came later, or was never due because nobody took it, was not carried in that time.
fn arrived(cell: &Cell<'_>, slo: &Slo, load: f64) -> f64 {
    let is_near =
        |it: &Trial<'_>| it.record.step.is_some_and(|step| step.load >= load * NEAR && step.load <= load / NEAR);
    let held = cell.trials.iter().filter(|trial| is_near(trial) && Said::by(trial, slo) == Said::Held);
    let windows = held.filter_map(|trial| Some(trial.record.measurement()?.window));
    let (received, due) = windows.fold((0, 0), |sum, it| (sum.0 + it.received, sum.1 + it.due));
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    if due > 0 { (received as f64 / due as f64).min(1.0) } else { 1.0 }
}

/// The loads where the walk went the other way.
fn turns(steps: &[(f64, bool)]) -> Vec<f64> {
    // A step that was repeated at the same load is the last of its kind.
    let mut walk: Vec<(f64, bool)> = Vec::new();
    for step in steps {
        match walk.last_mut() {
            Some(last) if is_same(last.0, step.0) => *last = *step,
            Some(_) | None => walk.push(*step),
        }
    }
    let rises: Vec<bool> =
        (0..walk.len()).map(|index| walk.get(index + 1).map_or(walk[index].1, |next| next.0 > walk[index].0)).collect();
    (1..walk.len()).filter(|&index| rises[index] != rises[index - 1]).map(|index| walk[index].0).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a number of steps is far below 2^53")]
fn estimate(steps: &[(f64, bool)], turns: &[f64]) -> Option<Figure> {
    let midpoints: Vec<f64> = turns.windows(2).map(|pair| f64::midpoint(pair[0].ln(), pair[1].ln())).collect();
    let logs: Vec<f64> = steps.iter().map(|step| step.0.ln()).filter(|log| log.is_finite()).collect();
    let used = if midpoints.is_empty() { &logs } else { &midpoints };
    let count = used.len() as f64;
    if used.is_empty() {
        return None;
    }
    let mean = used.iter().sum::<f64>() / count;
    // All that was walked over may be it: turns of one staircase depend on each other, and neighbouring midpoints share
    // one.
    let walked = logs.iter().map(|log| (log - mean).abs()).fold(0.0, f64::max);
    let spread = if midpoints.len() >= 2 {
        let variance = used.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let t = StudentsT::new(0.0, 1.0, count - 1.0).ok()?.inverse_cdf(0.975);
        walked.max(t * (variance / count).sqrt())
    } else {
        walked
    };
    let half = spread.max((1.0 + HALF_STEP).ln());
    let point = mean.exp();
    Some(Figure { point, interval: Some(Interval { low: point * (-half).exp(), high: point * half.exp() }) })
}

/// What stopped the search, by the trials in which the SLO did not hold: where most of them are void, the limit that
/// the last of those met; else the transport itself.
fn reach(cell: &Cell<'_>, slo: &Slo) -> Reach {
    let sought = cell.trials.iter().filter(|trial| !has_purpose(trial, Purpose::Overload));
    let failed: Vec<&Trial<'_>> = sought.filter(|trial| Said::by(trial, slo) != Said::Held).collect();
    let confirming: Vec<_> = failed.iter().copied().filter(|it| has_purpose(it, Purpose::Confirmation)).collect();
    let failed = if confirming.is_empty() { failed } else { confirming };
    let void: Vec<_> = failed.iter().filter(|trial| Said::by(trial, slo) == Said::Nothing).collect();
    if void.len() * 2 <= failed.len() {
        return if failed.is_empty() { Reach::NeverFailed } else { Reach::Saturated };
    }
    let limit = void.last().and_then(|trial| trial.limits().find(|limit| limit.voids()));
    let failure = void.last().and_then(|trial| trial.failure());
    match (limit, failure) {
        (Some(Limit::Generator), _) | (None, Some(FailureKind::Generator)) => Reach::Generator,
        (Some(Limit::Machine), _) | (None, Some(FailureKind::Machine)) => Reach::Machine,
        // Broken off by an interrupt.
        (Some(Limit::Server), _)
        | (
            None,
            Some(FailureKind::Interrupted | FailureKind::Server | FailureKind::Connect | FailureKind::Unbalanced),
        )
        | (None, None) => Reach::NeverFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A staircase by tenths around a border: held below, not above.
    fn walk(border: f64, from: f64, count: usize) -> Vec<(f64, bool)> {
        let mut load = from;
        (0..count)
            .map(|_| {
                let step = (load, load <= border);
                load *= if step.1 { 1.1 } else { 1.0 / 1.1 };
                step
            })
            .collect()
    }

    #[test]
    fn a_sharp_border_is_found_within_half_a_step() {
        let steps = walk(1_042.0, 1_000.0, 8);
        let figure = estimate(&steps, &turns(&steps)).unwrap();
        assert!((figure.point / 1_042.0 - 1.0).abs() < HALF_STEP, "{figure:?}");
        assert!((figure.high() / figure.point - 1.05).abs() < 1e-9, "never finer than the steps: {figure:?}");
        assert!((figure.point / figure.low() - 1.05).abs() < 1e-9, "{figure:?}");
    }

    #[test]
    fn a_walk_that_starts_far_off_turns_where_the_border_is() {
        let steps = walk(2_000.0, 1_000.0, 14);
        let figure = estimate(&steps, &turns(&steps)).unwrap();
        assert!((figure.point / 2_000.0 - 1.0).abs() < HALF_STEP, "the way there does not count: {figure:?}");
    }

    #[test]
    fn a_blurred_border_has_a_wider_interval() {
        let loads = [100.0, 110.0, 121.0, 110.0, 100.0, 90.9, 100.0, 110.0];
        let held = [true, true, false, false, false, true, true, false];
        let steps: Vec<_> = loads.into_iter().zip(held).collect();
        let turns = turns(&steps);
        assert_eq!(turns, [121.0, 90.9, 110.0]);
        let figure = estimate(&steps, &turns).unwrap();
        assert!(figure.high() / figure.point > 1.05, "{figure:?}");
    }

    #[test]
    fn fewer_than_two_turns_leave_all_that_was_walked_over() {
        let steps = [(100.0, true), (110.0, true), (121.0, true)];
        let figure = estimate(&steps, &turns(&steps)).unwrap();
        assert!((figure.point - 110.0).abs() < 1e-9);
        assert!((figure.high() - 121.0).abs() < 1e-9 && (figure.low() - 100.0).abs() < 1e-9, "{figure:?}");
        assert!(estimate(&[], &[]).is_none());
    }
}
