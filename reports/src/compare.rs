//! Point estimates with intervals, and whether two of them can be told apart.
//!
//! The unit is the trial: what is resampled is whole trials, never single latencies, because the
//! latencies of one trial share its accidents. Sources: Efron & Tibshirani, *An Introduction to
//! the Bootstrap*, 1993, ch. 13 (percentile interval); Fisher & Hall, 1991 (exact enumeration).

use std::collections::BTreeMap;

use pushoff_model::LatencyHistogram;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;

/// Up to so many trials, every resample is enumerated with its exact weight: 462 for six.
pub(crate) const EXACT_UP_TO: usize = 6;
/// Beyond, so many are drawn, as is customary for a percentile interval.
pub(crate) const RESAMPLES: usize = 1_000;
/// The seed of the drawn resamples, fixed so that the same records give the same report.
const SEED: u64 = 0x7075_7368_6f66_6600;
/// The tails that a 95 % interval leaves out, each.
const TAIL: f64 = 0.025;

/// Where 95 % of the resamples lie, both ends included.
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

    /// Whether the two cannot be told apart: their intervals overlap.
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

/// Estimates several figures of the same trials at once. `statistic` is given how often each trial
/// counts; where it has no value for all trials together, there is no figure.
pub(crate) fn estimate(
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
        .map(|(point, spread)| point.map(|point| Figure { point, interval: percentile_interval(spread) }))
        .collect()
}

/// Estimates a ratio of two sums over the trials, such as processor time a delivery.
pub(crate) fn estimate_ratio(parts: &[(f64, f64)], resamples: &[Resample]) -> Option<Figure> {
    let ratio = |drawn: &[u32]| {
        let (top, bottom) = parts.iter().zip(drawn).fold((0.0, 0.0), |(top, bottom), (part, &times)| {
            (top + part.0 * f64::from(times), bottom + part.1 * f64::from(times))
        });
        vec![(bottom > 0.0).then(|| top / bottom)]
    };
    estimate(parts.len(), resamples, ratio).pop().flatten()
}

fn percentile_interval(mut spread: Vec<(f64, f64)>) -> Option<Interval> {
    spread.sort_by(|one, other| one.0.total_cmp(&other.0));
    let total: f64 = spread.iter().map(|(_, weight)| weight).sum();
    let at = |share: f64| {
        let mut below = 0.0;
        spread.iter().find_map(|&(value, weight)| {
            below += weight;
            (below >= share * total - 1e-12).then_some(value)
        })
    };
    Some(Interval { low: at(TAIL)?, high: at(1.0 - TAIL)? })
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

    #[test]
    fn the_interval_of_three_trials_is_their_range() {
        let figure = estimate_ratio(&[(1.0, 1.0), (2.0, 1.0), (4.0, 1.0)], &resamples(3)).unwrap();
        assert_eq!(figure.interval, Some(Interval { low: 1.0, high: 4.0 }));
        assert!((figure.point - 7.0 / 3.0).abs() < 1e-12);
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
    fn figures_whose_intervals_touch_cannot_be_told_apart() {
        let figure = |low, high| Figure { point: low, interval: Some(Interval { low, high }) };
        assert!(figure(1.0, 2.0).overlaps(&figure(2.0, 3.0)));
        assert!(!figure(1.0, 2.0).overlaps(&figure(2.1, 3.0)));
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
        fn an_interval_holds_what_lies_between_the_extreme_trials(
            values in proptest::collection::vec(0.0_f64..1e9, 2..9),
        ) {
            let parts: Vec<_> = values.iter().map(|&value| (value, 1.0)).collect();
            let figure = estimate_ratio(&parts, &resamples(parts.len())).unwrap();
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = values.iter().copied().fold(0.0, f64::max);
            prop_assert!(figure.low() >= least - 1e-6 && figure.high() <= most + 1e-6);
            prop_assert!(figure.low() <= figure.high());
        }
    }
}
