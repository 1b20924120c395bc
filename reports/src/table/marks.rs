//! Which cells are best by a metric, and which cannot be told from the best.

use super::Subject;
use crate::metric::{Better, Bound, LEAST_TRIALS, Metric};
use pushoff_stats::Figure;

/// How a figure stands among those of its metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Like any other.
    None,
    /// Better than all others.
    Best,
    /// Cannot be told from the best.
    Tied,
    /// Should be zero and is not.
    Fault,
}

/// One mark a cell. Only ranked transports with enough valid trials take part, and bounds do not.
pub(crate) fn marks(metric: Metric, subjects: &[Subject<'_>], noise_ns: f64) -> Vec<Mark> {
    let takes_part = |it: &Subject<'_>| it.key.transport.is_ranked() && it.void.is_none() && it.trials >= LEAST_TRIALS;
    let known = |it: &Subject<'_>| it.figures?.value(metric).filter(|value| value.bound == Bound::Exact);
    let contest: Vec<Option<Figure>> =
        subjects.iter().map(|it| known(it).filter(|_| takes_part(it)).map(|value| value.figure)).collect();
    let latency = |index: usize| metric.latency().and_then(|latency| subjects[index].figures?.get(latency));
    contested(metric, &contest, |one, best| {
        let both = latency(one).zip(latency(best));
        let is_noise = both.is_some_and(|(one, other)| (one.point - other.point).abs() < noise_ns);
        let both = contest[one].zip(contest[best]);
        is_noise || both.is_some_and(|(one, best)| one.is_near(&best) || metric.is_of_a_search() && one.overlaps(&best))
    })
}

/// Marks the best of a contest, or all that are near it; both by their place.
fn contested(metric: Metric, contest: &[Option<Figure>], is_near: impl Fn(usize, usize) -> bool) -> Vec<Mark> {
    let none = vec![Mark::None; contest.len()];
    let points = || contest.iter().enumerate().filter_map(|(index, it)| Some((index, it.as_ref()?.point)));
    let by_point = |one: &(usize, f64), other: &(usize, f64)| one.1.total_cmp(&other.1);
    let best = match metric.better() {
        Better::Lower => points().min_by(by_point),
        Better::Higher => points().max_by(by_point),
        Better::Neither | Better::Zero => None,
    };
    let Some((best, _)) = best.filter(|_| points().count() > 1) else { return none };
    let near: Vec<usize> = points().map(|it| it.0).filter(|&index| index == best || is_near(index, best)).collect();
    let mut marks = none;
    for &index in &near {
        marks[index] = if near.len() == 1 { Mark::Best } else { Mark::Tied };
    }
    marks
}
