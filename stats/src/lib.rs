//! Point estimates with intervals, and whether two of them can be told apart.
//!
//! The unit is the trial: what is resampled is whole trials, never single latencies, because the
//! latencies of one trial share its accidents. The bootstrap gives the standard error, of any
//! statistic of merged trials; Student's t makes an interval of it that few trials deserve. A
//! percentile interval would be as narrow as the range of three trials, and told apart in a
//! default run what eight trials could not. Sources: Efron & Tibshirani, *An Introduction to the
//! Bootstrap*, 1993, ch. 12; Hesterberg, *What Teachers Should Know About the Bootstrap*, 2015,
//! §4 (t, and the factor √(n/(n−1))); Fisher & Hall, 1991 (exact enumeration).

mod contrast;
mod pool;
mod ratio;
mod resample;
mod rounds;
mod share;
mod statistic;
mod sums;

use serde::Serialize;
use statrs::distribution::{ContinuousCDF as _, StudentsT};

pub use contrast::{Sampled, adjusted};
pub use pool::Pool;
pub use ratio::paired;
use resample::as_float;
pub use resample::{Resample, resamples};
pub use rounds::{Rounds, RoundsRatio};
pub use share::{messages_to_tell, score_interval};
pub use statistic::Statistic;
pub use sums::Sums;

/// Whether so many independent events are enough for a percentile: one of share *p* needs 1 ÷ (1 − *p*), below which it
/// is only another name for the largest. A message is one event, however many readers it has: their latencies share its
/// accidents.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a count of events needs no more than 53 bits")]
pub fn enough(events: u64, share: f64) -> bool {
    share >= 1.0 || events as f64 * (1.0 - share) >= 0.999
}

/// Where a 95 % interval ends: it leaves out a tail of 2.5 % on each side.
const UPPER_END: f64 = 0.975;

/// Where the figure of very many such trials would lie, 19 times out of 20.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A figure over the valid trials of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The figure of all trials together.
    pub point: f64,
    /// Absent with a single trial, which says nothing about the spread.
    pub interval: Option<Interval>,
}

impl Figure {
    /// The least that the figure may be, as far as the data tells.
    pub fn low(&self) -> f64 {
        self.interval.map_or(self.point, |interval| interval.low)
    }

    /// The most that the figure may be, as far as the data tells.
    pub fn high(&self) -> f64 {
        self.interval.map_or(self.point, |interval| interval.high)
    }

    /// Whether the two cannot be told apart: their difference lies within both uncertainties taken
    /// together, as those of independent figures add up, in squares. (That two intervals touch is
    /// asked of too little: they do so where the figures differ with near certainty.)
    pub fn is_near(&self, other: &Self) -> bool {
        let positive = self.low() > 0.0 && other.low() > 0.0;
        let scaled = |value: f64| if positive { value.ln() } else { value };
        let half = |it: &Self| (scaled(it.high()) - scaled(it.point)).max(scaled(it.point) - scaled(it.low()));
        (scaled(self.point) - scaled(other.point)).abs() <= half(self).hypot(half(other))
    }
}

impl Figure {
    /// Whether the intervals touch: for figures that are known to within a step and no finer, whose
    /// errors are bounds and so add up in full.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.low() <= other.high() && other.low() <= self.high()
    }
}

/// On which scale the error of a figure lies evenly about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Of latencies, rates and costs: their errors multiply, and they are never below zero.
    Ratios,
    /// Of differences of two readings: their errors add, and they may lie below zero.
    Differences,
}

/// Estimates several figures of the same trials at once. `statistic` is given how often each trial
/// counts; where it has no value for all trials together, there is no figure.
pub fn estimate(
    trials: usize,
    resamples: &[Resample],
    statistic: impl Fn(&[u32]) -> Vec<Option<f64>>,
) -> Vec<Option<Figure>> {
    estimate_on(Scale::Ratios, trials, resamples, statistic)
}

/// As [`estimate`], on a scale of one's choice.
fn estimate_on(
    scale: Scale,
    trials: usize,
    resamples: &[Resample],
    statistic: impl Fn(&[u32]) -> Vec<Option<f64>>,
) -> Vec<Option<Figure>> {
    let points = statistic(&vec![1; trials]);
    let mut spreads = vec![Vec::with_capacity(resamples.len()); points.len()];
    for resample in resamples {
        for (spread, value) in spreads.iter_mut().zip(statistic(&resample.drawn)) {
            spread.extend(value.map(|value| (value, resample.weight)));
        }
    }
    points
        .into_iter()
        .zip(spreads)
        .map(|(point, spread)| point.map(|point| Figure { point, interval: t_interval(scale, point, &spread, trials) }))
        .collect()
}

/// Estimates a ratio of two sums over the trials, such as processor time a delivery.
pub fn estimate_ratio(parts: &[(f64, f64)], resamples: &[Resample]) -> Option<Figure> {
    estimate_ratio_on(Scale::Ratios, parts, resamples)
}

/// As [`estimate_ratio`], on a scale of one's choice.
pub fn estimate_ratio_on(scale: Scale, parts: &[(f64, f64)], resamples: &[Resample]) -> Option<Figure> {
    let ratio = |drawn: &[u32]| {
        let (top, bottom) = parts.iter().zip(drawn).fold((0.0, 0.0), |(top, bottom), (part, &times)| {
            (top + part.0 * f64::from(times), bottom + part.1 * f64::from(times))
        });
        vec![(bottom > 0.0).then(|| top / bottom)]
    };
    estimate_on(scale, parts.len(), resamples, ratio).pop().flatten()
}

/// Student's interval around `point`, with the standard error that the bootstrap shows.
///
/// On the scale of ratios only where everything is positive: no such interval reaches below zero.
fn t_interval(scale: Scale, point: f64, spread: &[(f64, f64)], trials: usize) -> Option<Interval> {
    let degrees = as_float(trials.checked_sub(1)?);
    let t = StudentsT::new(0.0, 1.0, degrees).ok()?.inverse_cdf(UPPER_END);
    let positive = scale == Scale::Ratios && point > 0.0 && spread.iter().all(|(value, _)| *value > 0.0);
    let scaled = |value: f64| if positive { value.ln() } else { value };
    let total: f64 = spread.iter().map(|(_, weight)| weight).sum();
    let mean = spread.iter().map(|(value, weight)| scaled(*value) * weight).sum::<f64>() / total;
    let variance = spread.iter().map(|(value, weight)| weight * (scaled(*value) - mean).powi(2)).sum::<f64>() / total;
    let half = t * (variance * as_float(trials) / degrees).sqrt();
    let least = match scale {
        Scale::Ratios => 0.0,
        Scale::Differences => f64::NEG_INFINITY,
    };
    let end = |half: f64| if positive { point * half.exp() } else { (point + half).max(least) };
    Some(Interval { low: end(-half), high: end(half) })
}

#[cfg(test)]
mod tests;
