//! Percentiles of merged histograms.

use std::collections::BTreeMap;

use pushoff_model::LatencyHistogram;
use statrs::distribution::{ContinuousCDF as _, Normal};

use super::{Figure, Interval, Resample, UPPER_END, estimate};

/// Where a trial has fewer events than so many beyond a quantile, its own quantile is mostly chance. Chosen here: of
/// ten, the number that falls beyond varies by a third.
const FEW: f64 = 10.0;

/// The histograms of several trials side by side, so that any merge of them is cheap to read.
///
/// Percentiles are never averaged: a resample adds counts, and the percentile is read from the sum.
#[derive(Debug, PartialEq, Eq)]
pub struct Pool {
    /// Each latency that occurred in any trial, in nanoseconds, ascending.
    values: Vec<u64>,
    /// A row a value: how many latencies of each trial were at most that long. A percentile is then found by bisection.
    at_most: Vec<Vec<u64>>,
}

impl Pool {
    /// Lays the histograms of the trials side by side.
    pub fn new(histograms: &[&LatencyHistogram]) -> Self {
        let mut buckets: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (trial, histogram) in histograms.iter().enumerate() {
            for bucket in histogram.hdr().iter_recorded() {
                let counts = buckets.entry(bucket.value_iterated_to()).or_insert_with(|| vec![0; histograms.len()]);
                counts[trial] += bucket.count_at_value();
            }
        }
        let (values, mut at_most): (Vec<u64>, Vec<Vec<u64>>) = buckets.into_iter().unzip();
        let mut below = vec![0; histograms.len()];
        for row in &mut at_most {
            row.iter_mut().zip(&below).for_each(|(count, below)| *count += below);
            below.clone_from(row);
        }
        Self { values, at_most }
    }

    /// How many latencies there are in all.
    pub fn count(&self) -> u64 {
        self.at_most.last().map_or(0, |row| row.iter().sum())
    }

    /// The latencies at these quantiles of the trials taken so often each.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank lies between 1 and the count; nanoseconds and counts need no more than 53 bits"
    )]
    pub fn quantiles(&self, drawn: &[u32], quantiles: &[f64]) -> Vec<Option<f64>> {
        let merged =
            |row: &Vec<u64>| -> u64 { row.iter().zip(drawn).map(|(count, &times)| count * u64::from(times)).sum() };
        let total = self.at_most.last().map_or(0, merged);
        let at = |quantile: &f64| {
            let rank = ((quantile * total as f64).ceil() as u64).max(1);
            let place = self.at_most.partition_point(|row| merged(row) < rank);
            self.values.get(place).map(|value| *value as f64)
        };
        quantiles.iter().map(at).collect()
    }

    /// The latencies at these quantiles with their intervals, as so many independent `events` allow.
    pub fn estimate(
        &self,
        events: u64,
        trials: usize,
        resamples: &[Resample],
        quantiles: &[f64],
    ) -> Vec<Option<Figure>> {
        let figures = estimate(trials, resamples, |drawn| self.quantiles(drawn, quantiles));
        figures
            .into_iter()
            .zip(quantiles)
            .map(|(figure, &at)| Some(self.widened(events, at, trials, figure?)))
            .collect()
    }

    /// A figure at a quantile beyond which a trial has few of the `events`, its interval widened by how many more or less
    /// of so many independent ones might have fallen there: to the latencies at the ranks that 95 % of such samples would
    /// have put at the quantile. Few slow messages make a p99, and trials that happen to have alike many of them do not
    /// show how many others would have. This and what the figure's own interval holds, the trials' difference, add up in
    /// squares, on each side for itself.
    ///
    /// Source: Woodruff, *Confidence Intervals for Medians and Other Position Measures*, 1952.
    pub(crate) fn widened(&self, events: u64, quantile: f64, trials: usize, figure: Figure) -> Figure {
        let drawn = vec![1; trials];
        let sampled = self.sampled(&drawn, events, quantile);
        let Some((between, Interval { low, high })) = figure.interval.zip(sampled) else { return figure };
        let is_positive = figure.point > 0.0 && between.low > 0.0 && low > 0.0;
        let scaled = |value: f64| if is_positive { value.ln() } else { value };
        let beyond = |side: f64, one: f64, other: f64| {
            let from = |end: f64| scaled(end) - scaled(figure.point);
            let away = side.mul_add(from(one).hypot(from(other)), scaled(figure.point));
            if is_positive { away.exp() } else { away.max(0.0) }
        };
        let (low, high) = (beyond(-1.0, between.low, low), beyond(1.0, between.high, high));
        Figure { interval: Some(Interval { low: low.min(figure.point), high: high.max(figure.point) }), ..figure }
    }

    /// Where a quantile of the trials taken so often each, which saw so many independent events, might lie by the error of
    /// sampling alone; none where there are enough events beyond it.
    #[expect(clippy::cast_precision_loss, reason = "a count of events needs no more than 53 bits")]
    pub(crate) fn sampled(&self, drawn: &[u32], events: u64, quantile: f64) -> Option<Interval> {
        let trials: f64 = drawn.iter().map(|&times| f64::from(times)).sum();
        if events as f64 * (1.0 - quantile) >= FEW * trials {
            return None;
        }
        let half = Normal::standard().inverse_cdf(UPPER_END) * (quantile * (1.0 - quantile) / events as f64).sqrt();
        match self.quantiles(drawn, &[quantile - half, (quantile + half).min(1.0)])[..] {
            [Some(low), Some(high)] => Some(Interval { low, high }),
            _ => None,
        }
    }
}
