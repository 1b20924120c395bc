//! Point estimates with intervals, and whether two of them can be told apart.
//!
//! The unit is the trial: what is resampled is whole trials, never single latencies, because the
//! latencies of one trial share its accidents. The bootstrap gives the standard error, of any
//! statistic of merged trials; Student's t makes an interval of it that few trials deserve. A
//! percentile interval would be as narrow as the range of three trials, and told apart in a
//! default run what eight trials could not. Sources: Efron & Tibshirani, *An Introduction to the
//! Bootstrap*, 1993, ch. 12; Hesterberg, *What Teachers Should Know About the Bootstrap*, 2015,
//! §4 (t, and the factor √(n/(n−1))); Fisher & Hall, 1991 (exact enumeration).

use std::collections::BTreeMap;

use pushoff_model::LatencyHistogram;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;
use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// Up to so many trials, every resample is enumerated with its exact weight: 462 for six.
pub(crate) const EXACT_UP_TO: usize = 6;
/// Beyond, so many are drawn: a standard error needs 200 (Efron & Tibshirani, §6.4).
pub(crate) const RESAMPLES: usize = 1_000;
/// The seed of the drawn resamples, fixed so that the same records give the same report.
const SEED: u64 = 0x7075_7368_6f66_6600;
/// Where a 95 % interval ends: it leaves out a tail of 2.5 % on each side.
const UPPER_END: f64 = 0.975;

/// Where the figure of very many such trials would lie, 19 times out of 20.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Interval {
    /// The lower end.
    pub(crate) low: f64,
    /// The upper end.
    pub(crate) high: f64,
}

/// A figure over the valid trials of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Figure {
    /// The figure of all trials together.
    pub(crate) point: f64,
    /// Absent with a single trial, which says nothing about the spread.
    pub(crate) interval: Option<Interval>,
}

impl Figure {
    /// The least that the figure may be, as far as the data tells.
    pub(crate) fn low(&self) -> f64 {
        self.interval.map_or(self.point, |interval| interval.low)
    }

    /// The most that the figure may be, as far as the data tells.
    pub(crate) fn high(&self) -> f64 {
        self.interval.map_or(self.point, |interval| interval.high)
    }

    /// Whether the two cannot be told apart: their difference lies within both uncertainties taken
    /// together, as those of independent figures add up, in squares. (That two intervals touch is
    /// asked of too little: they do so where the figures differ with near certainty.)
    pub(crate) fn is_near(&self, other: &Self) -> bool {
        let positive = self.low() > 0.0 && other.low() > 0.0;
        let scaled = |value: f64| if positive { value.ln() } else { value };
        let half = |it: &Self| (scaled(it.high()) - scaled(it.point)).max(scaled(it.point) - scaled(it.low()));
        (scaled(self.point) - scaled(other.point)).abs() <= half(self).hypot(half(other))
    }
}

impl Figure {
    /// Whether the intervals touch: for figures that are known to within a step and no finer, whose
    /// errors are bounds and so add up in full.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.low() <= other.high() && other.low() <= self.high()
    }
}

/// One way to draw as many trials as there are, with replacement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resample {
    /// How often each trial was drawn.
    pub(crate) drawn: Vec<u32>,
    /// How likely this draw is.
    weight: f64,
}

/// The resamples of so many trials; none below two.
pub(crate) fn resamples(trials: usize) -> Vec<Resample> {
    match trials {
        0 | 1 => Vec::new(),
        2..=EXACT_UP_TO => enumerate(trials),
        _ => draw(trials),
    }
}

/// Every multiset of `trials` out of `trials`, with its multinomial probability.
fn enumerate(trials: usize) -> Vec<Resample> {
    let mut multisets = vec![(Vec::with_capacity(trials), trials)];
    for place in 0..trials {
        let last = place + 1 == trials;
        multisets = multisets
            .into_iter()
            .flat_map(|(drawn, left)| {
                let counts = if last { left..=left } else { 0..=left };
                counts.map(move |count| {
                    let mut drawn = drawn.clone();
                    drawn.push(count);
                    (drawn, left - count)
                })
            })
            .collect();
    }
    let ways = factorial(trials) / power(trials, trials);
    let resample = |drawn: Vec<usize>| Resample {
        weight: ways / drawn.iter().map(|&count| factorial(count)).product::<f64>(),
        drawn: drawn.into_iter().map(|count| u32::try_from(count).unwrap_or(u32::MAX)).collect(),
    };
    multisets.into_iter().map(|(drawn, _)| resample(drawn)).collect()
}

fn factorial(number: usize) -> f64 {
    (1..=number).map(as_float).product()
}

fn power(base: usize, exponent: usize) -> f64 {
    (0..exponent).map(|_| as_float(base)).product()
}

#[expect(clippy::cast_precision_loss, reason = "a number of trials is far below 2^53")]
const fn as_float(number: usize) -> f64 {
    number as f64
}

fn draw(trials: usize) -> Vec<Resample> {
    let mut random = StdRng::seed_from_u64(SEED);
    (0..RESAMPLES)
        .map(|_| {
            let mut drawn = vec![0; trials];
            for _ in 0..trials {
                drawn[random.random_range(0..trials)] += 1;
            }
            Resample { drawn, weight: 1.0 / as_float(RESAMPLES) }
        })
        .collect()
}

/// On which scale the error of a figure lies evenly about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Of latencies, rates and costs: their errors multiply, and they are never below zero.
    Ratios,
    /// Of differences of two readings: their errors add, and they may lie below zero.
    Differences,
}

/// Estimates several figures of the same trials at once. `statistic` is given how often each trial
/// counts; where it has no value for all trials together, there is no figure.
pub(crate) fn estimate(
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
pub(crate) fn estimate_ratio(parts: &[(f64, f64)], resamples: &[Resample]) -> Option<Figure> {
    estimate_ratio_on(Scale::Ratios, parts, resamples)
}

/// As [`estimate_ratio`], on a scale of one's choice.
pub(crate) fn estimate_ratio_on(scale: Scale, parts: &[(f64, f64)], resamples: &[Resample]) -> Option<Figure> {
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

/// The histograms of several trials side by side, so that any merge of them is cheap to read.
///
/// Percentiles are never averaged: a resample adds counts, and the percentile is read from the sum.
#[derive(Debug)]
pub(crate) struct Pool {
    /// Each latency that occurred in any trial, in nanoseconds, ascending.
    values: Vec<u64>,
    /// How often each of them occurred, trial by trial.
    trials: Vec<Vec<u64>>,
}

impl Pool {
    /// Lays the histograms of the trials side by side.
    pub(crate) fn new(histograms: &[&LatencyHistogram]) -> Self {
        let mut buckets: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (trial, histogram) in histograms.iter().enumerate() {
            for bucket in histogram.hdr().iter_recorded() {
                let counts = buckets.entry(bucket.value_iterated_to()).or_insert_with(|| vec![0; histograms.len()]);
                counts[trial] += bucket.count_at_value();
            }
        }
        let of = |trial: usize| buckets.values().map(|counts| counts[trial]).collect();
        Self { trials: (0..histograms.len()).map(of).collect(), values: buckets.into_keys().collect() }
    }

    /// How many latencies there are in all.
    pub(crate) fn count(&self) -> u64 {
        self.trials.iter().flatten().sum()
    }

    /// The latencies at these quantiles, which must ascend, of the trials taken so often each.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank lies between 1 and the count; nanoseconds and counts need no more than 53 bits"
    )]
    pub(crate) fn quantiles(&self, drawn: &[u32], quantiles: &[f64]) -> Vec<Option<f64>> {
        let mut merged = vec![0; self.values.len()];
        for (counts, &times) in self.trials.iter().zip(drawn).filter(|(_, times)| **times > 0) {
            for (sum, count) in merged.iter_mut().zip(counts) {
                *sum += count * u64::from(times);
            }
        }
        let total: u64 = merged.iter().sum();
        let mut wanted = quantiles.iter().map(|quantile| ((quantile * total as f64).ceil() as u64).max(1)).peekable();
        let mut found = Vec::with_capacity(quantiles.len());
        let mut seen = 0;
        for (value, count) in self.values.iter().zip(merged) {
            seen += count;
            while wanted.next_if(|&rank| rank <= seen).is_some() {
                found.push(Some(*value as f64));
            }
        }
        found.resize(quantiles.len(), None);
        found
    }

    /// The latencies at these quantiles with their intervals.
    pub(crate) fn estimate(&self, trials: usize, resamples: &[Resample], quantiles: &[f64]) -> Vec<Option<Figure>> {
        estimate(trials, resamples, |drawn| self.quantiles(drawn, quantiles))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn histogram(nanoseconds: &[u64]) -> LatencyHistogram {
        let mut histogram = LatencyHistogram::new();
        for &latency in nanoseconds {
            histogram.record(Duration::from_nanos(latency));
        }
        histogram
    }

    #[test]
    fn three_trials_have_ten_resamples_and_their_weights_are_multinomial() {
        let all = resamples(3);
        assert_eq!(all.len(), 10);
        let weight = |drawn: [u32; 3]| all.iter().find(|resample| resample.drawn == drawn).unwrap().weight;
        assert!((weight([1, 1, 1]) - 6.0 / 27.0).abs() < 1e-12);
        assert!((weight([3, 0, 0]) - 1.0 / 27.0).abs() < 1e-12);
        assert!((weight([2, 1, 0]) - 3.0 / 27.0).abs() < 1e-12);
    }

    /// For a mean, the exact bootstrap with its factor is the textbook's s ÷ √n.
    #[test]
    fn the_interval_of_a_mean_is_students() {
        // The zero keeps it off the logarithmic scale: mean 4, s = 4, t(2) = 4.303.
        let figure = estimate_ratio(&[(0.0, 1.0), (4.0, 1.0), (8.0, 1.0)], &resamples(3)).unwrap();
        assert!((figure.high() - (4.0 + 4.302_65 * 4.0 / 3.0_f64.sqrt())).abs() < 1e-3, "{figure:?}");
        assert!(figure.low().abs() < 1e-12, "what cannot be negative is not said to be: {figure:?}");
    }

    #[test]
    fn the_interval_of_what_is_positive_reaches_as_many_times_up_as_down() {
        let figure = estimate_ratio(&[(1.0, 1.0), (2.0, 1.0), (4.0, 1.0)], &resamples(3)).unwrap();
        assert!((figure.point - 7.0 / 3.0).abs() < 1e-12);
        assert!((figure.high() / figure.point - figure.point / figure.low()).abs() < 1e-9, "{figure:?}");
        assert!(figure.low() > 0.0 && figure.low() < 1.0 && figure.high() > 4.0, "{figure:?}");
    }

    /// Two cells that are the same, measured by three trials each: to tell them apart is an error,
    /// and it must be made less often than 1 time in 20.
    #[test]
    fn three_trials_of_the_same_thing_are_hardly_ever_told_apart() {
        let mut random = StdRng::seed_from_u64(7);
        let mut cell = || {
            let noisy = |_| ((random.random_range(0.0_f64..1.0)).exp2(), 1.0);
            estimate_ratio(&(0..3).map(noisy).collect::<Vec<_>>(), &resamples(3)).unwrap()
        };
        let apart = (0..2_000).filter(|_| !cell().is_near(&cell())).count();
        assert!(apart < 70, "{apart} of 2,000 pairs were told apart");
    }

    #[test]
    fn a_difference_that_may_be_none_is_not_judged_by_ratios() {
        let parts = [(0.01, 1.0), (4.0, 1.0), (8.0, 1.0)];
        let figure = estimate_ratio_on(Scale::Differences, &parts, &resamples(3)).unwrap();
        assert!(figure.low() < 0.0 && figure.high() < 15.0, "{figure:?}");
        assert!((figure.high() - figure.point - (figure.point - figure.low())).abs() < 1e-9, "{figure:?}");
    }

    #[test]
    fn one_trial_has_no_interval() {
        assert!(resamples(1).is_empty());
        assert_eq!(estimate_ratio(&[(3.0, 2.0)], &[]), Some(Figure { point: 1.5, interval: None }));
    }

    #[test]
    fn many_trials_give_about_the_textbook_interval_and_always_the_same() {
        let parts: Vec<_> = (0..100).map(|number| (f64::from(number), 1.0)).collect();
        let figure = estimate_ratio(&parts, &resamples(100)).unwrap();
        let interval = figure.interval.unwrap();
        // 1.96 standard errors of the mean of 0 … 99.
        let half = 1.96 * 28.87 / 10.0;
        assert!((interval.low - (49.5 - half)).abs() < 0.6, "{interval:?}");
        assert!((interval.high - (49.5 + half)).abs() < 0.6, "{interval:?}");
        assert_eq!(Some(figure), estimate_ratio(&parts, &resamples(100)));
    }

    #[test]
    fn figures_are_told_apart_by_more_than_both_uncertainties_together() {
        // Each within a factor of e^0.3 or e^0.4 of its point: together e^0.5.
        let figure = |point: f64, half: f64| Figure {
            point,
            interval: Some(Interval { low: point * (-half).exp(), high: point * half.exp() }),
        };
        assert!(figure(1.0, 0.3).is_near(&figure(0.49_f64.exp(), 0.4)));
        assert!(!figure(1.0, 0.3).is_near(&figure(0.51_f64.exp(), 0.4)));
        // Around zero there are no ratios, only differences.
        let zero = Figure { point: 0.0, interval: Some(Interval { low: 0.0, high: 3.0 }) };
        let other = |point| Figure { point, interval: Some(Interval { low: point - 4.0, high: point + 4.0 }) };
        assert!(zero.is_near(&other(4.9)) && !zero.is_near(&other(5.1)));
    }

    proptest! {
        #[test]
        fn exact_weights_sum_to_one(trials in 2_usize..=EXACT_UP_TO) {
            let all = resamples(trials);
            prop_assert!((all.iter().map(|resample| resample.weight).sum::<f64>() - 1.0).abs() < 1e-9);
            prop_assert!(all.iter().all(|resample| resample.drawn.iter().sum::<u32>() as usize == trials));
        }

        #[test]
        fn a_pool_reads_the_percentiles_of_the_merged_histograms(
            one in proptest::collection::vec(1_u64..5_000_000_000, 1..60),
            other in proptest::collection::vec(1_u64..5_000_000_000, 1..60),
            quantile in 0.0_f64..=1.0,
        ) {
            let (one, other) = (histogram(&one), histogram(&other));
            let mut merged = one.clone();
            merged.merge(&other);
            let pool = Pool::new(&[&one, &other]);
            let wanted = merged.quantile(quantile).map(|value| value.as_nanos() as f64);
            prop_assert_eq!(pool.quantiles(&[1, 1], &[quantile]), vec![wanted]);
            prop_assert_eq!(pool.count(), merged.count());
        }

        #[test]
        fn an_interval_holds_its_point(values in proptest::collection::vec(0.0_f64..1e9, 2..9)) {
            let parts: Vec<_> = values.iter().map(|&value| (value, 1.0)).collect();
            let figure = estimate_ratio(&parts, &resamples(parts.len())).unwrap();
            prop_assert!(figure.low() <= figure.point * (1.0 + 1e-12) && figure.point <= figure.high() * (1.0 + 1e-12));
        }
    }
}
