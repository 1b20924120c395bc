//! Percentiles of merged histograms.

use std::collections::BTreeMap;

use pushoff_model::LatencyHistogram;

use super::{Figure, Resample, estimate};

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
