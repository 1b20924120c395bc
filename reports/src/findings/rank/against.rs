//! What another transport would cost: its figures held against those of the choice.

use std::cmp::Ordering;

use pushoff_model::Transport;

use super::Candidate;
use crate::metric::{Metric, Value};
use pushoff_stats::Figure;

/// Holds the figures of every candidate against those of the choice. Of itself the choice is once, and
/// that is certain.
pub(crate) fn hold_against(choice: Option<Transport>, candidates: &mut [Candidate]) {
    let theirs = candidates.iter().find(|it| Some(it.transport) == choice).and_then(|it| it.figures.clone());
    let Some(theirs) = theirs else { return };
    for candidate in candidates {
        let is_choice = Some(candidate.transport) == choice;
        let Some(figures) = &mut candidate.figures else { continue };
        for (of, over) in [(Metric::DeliveryCpu, Metric::DeliveryCpuToChoice), (Metric::P99, Metric::P99ToChoice)] {
            let both = figures.get(of).zip(theirs.get(of));
            let ratio = both.and_then(|(one, other)| one.over(&other));
            let ratio = ratio.map(|ratio| if is_choice { Figure { interval: None, ..ratio } } else { ratio });
            figures.insert(over, ratio.map(Value::exact));
        }
    }
}

/// How a figure compares with another: equal where the two cannot be told apart, by their spread or
/// because they differ by less than `noise`.
pub(crate) fn told_apart(one: &Figure, other: &Figure, noise: f64) -> Ordering {
    if one.is_near(other) || (one.point - other.point).abs() < noise {
        Ordering::Equal
    } else {
        one.point.total_cmp(&other.point)
    }
}
