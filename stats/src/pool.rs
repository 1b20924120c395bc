//! Percentiles of merged histograms.

use std::collections::BTreeMap;

use pushoff_model::LatencyHistogram;

use super::{Figure, Resample, estimate};

/// The histograms of several trials side by side, so that any merge of them is cheap to read.
///
/// Percentiles are never averaged: a resample adds counts, and the percentile is read from the sum.
#[derive(Debug)]
pub struct Pool {
    /// Each latency that occurred in any trial, in nanoseconds, ascending.
    values: Vec<u64>,
    /// How many were at most so long, trial by trial: a row a value, so that a percentile is a bisection.
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

    /// The latencies at these quantiles with their intervals.
    pub fn estimate(&self, trials: usize, resamples: &[Resample], quantiles: &[f64]) -> Vec<Option<Figure>> {
        estimate(trials, resamples, |drawn| self.quantiles(drawn, quantiles))
    }
}
