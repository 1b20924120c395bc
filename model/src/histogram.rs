//! A latency histogram that keeps three significant digits and travels as HdrHistogram V2.
//!
//! Percentiles are never averaged: histograms are merged, and percentiles read from the result.
//! Source: the HdrHistogram V2 compressed encoding, as `.hlog` files carry it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer as HdrDecoder, Serializer as _, V2DeflateSerializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use crate::time::nanos;

/// Significant decimal digits kept of every latency: an error of at most 0.1 %.
pub const SIGNIFICANT_DIGITS: u8 = 3;

/// Durations in nanoseconds, counted to three significant digits, from 1 ns without upper bound.
#[derive(Clone, Debug, PartialEq)]
pub struct LatencyHistogram(Histogram<u64>);

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self::new()
    }
}

impl LatencyHistogram {
    /// An empty histogram that grows with what it is given, so that nothing is clamped.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "0 to 5 digits are allowed, and 3 are asked for"
    )]
    pub fn new() -> Self {
        Self(Histogram::new(SIGNIFICANT_DIGITS).expect("3 digits are allowed"))
    }

    /// Counts one latency. One of less than a nanosecond counts as a nanosecond.
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a resizing histogram takes every u64")]
    pub fn record(&mut self, latency: Duration) {
        // Not `saturating_record`, which clamps to what the histogram has already grown to.
        self.0.record(nanos(latency).max(1)).expect("a resizing histogram grows");
    }

    /// Adds what `other` counted.
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "both resize and share their precision")]
    pub fn merge(&mut self, other: &Self) {
        self.0.add(&other.0).expect("a resizing histogram grows");
    }

    /// How many latencies were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// How many were at most `limit`, to the histogram's precision.
    #[must_use]
    pub fn count_within(&self, limit: Duration) -> u64 {
        if self.0.is_empty() { 0 } else { self.0.count_between(0, nanos(limit)) }
    }

    /// The latency that a share `quantile` (0 to 1) of all did not exceed; `None` when empty.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_nanos(self.0.value_at_quantile(quantile)))
    }

    /// The largest latency; `None` when empty.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_nanos(self.0.max()))
    }

    /// The mean latency; `None` when empty.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_secs_f64(self.0.mean() / 1e9))
    }

    /// The underlying HDR histogram, in nanoseconds, for iterating and for `.hlog` files.
    #[must_use]
    pub const fn hdr(&self) -> &Histogram<u64> {
        &self.0
    }
}

impl Serialize for LatencyHistogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&self.0, &mut bytes).map_err(ser::Error::custom)?;
        serializer.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for LatencyHistogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(de::Error::custom)?;
        let mut histogram: Histogram<u64> = HdrDecoder::new()
            .deserialize(&mut bytes.as_slice())
            .map_err(|error| de::Error::custom(format!("not a V2 HdrHistogram: {error}")))?;
        if histogram.sigfig() != SIGNIFICANT_DIGITS {
            return Err(de::Error::custom("a histogram here keeps three significant digits"));
        }
        histogram.auto(true);
        Ok(Self(histogram))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn reads_back_as_it_was_written(values in proptest::collection::vec(1_u64..10_000_000_000_000, 0..200)) {
            let mut histogram = LatencyHistogram::new();
            for &value in &values {
                histogram.record(Duration::from_nanos(value));
            }
            let text = serde_json::to_string(&histogram).unwrap();
            let back: LatencyHistogram = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(back.count(), values.len() as u64);
            prop_assert_eq!(back.max(), histogram.max());
            prop_assert_eq!(back.quantile(0.5), histogram.quantile(0.5));
        }
    }

    #[test]
    fn an_empty_histogram_has_no_quantile() {
        let empty = LatencyHistogram::new();
        assert_eq!(empty.quantile(0.5), None);
        assert_eq!(empty.mean(), None);
        assert_eq!(empty.count_within(Duration::MAX), 0);
    }

    #[test]
    fn merging_counts_both_even_when_one_reaches_further() {
        let mut one = LatencyHistogram::new();
        one.record(Duration::from_micros(1));
        let mut other = LatencyHistogram::new();
        other.record(Duration::from_hours(1));
        one.merge(&other);
        assert_eq!(one.count(), 2);
        assert!(one.max().unwrap() >= Duration::from_hours(1));
        assert_eq!(one.count_within(Duration::from_millis(1)), 1);
    }
}
