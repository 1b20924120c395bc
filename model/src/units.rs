//! Quantities with their units in the type. Bare numbers appear only at an edge, with a suffix.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How many messages a second a publisher is asked to send: 0.00001 to 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64")]
pub struct OfferedRate(f64);

impl OfferedRate {
    /// The highest rate that a publisher can be asked for, messages a second: a microsecond is
    /// the finest that the pacing is meant for. Chosen here.
    pub const MAX: f64 = 1_000_000.0;

    /// The lowest, messages a second: about one a day, which is the longest that a trial can be.
    pub const MIN: f64 = 0.000_01;

    /// The rate, where it is from [`Self::MIN`] to [`Self::MAX`].
    #[must_use]
    pub fn per_second(rate: f64) -> Option<Self> {
        (Self::MIN..=Self::MAX).contains(&rate).then_some(Self(rate))
    }

    /// Messages a second.
    #[must_use]
    pub const fn as_per_second(self) -> f64 {
        self.0
    }

    /// The mean time between two messages.
    #[must_use]
    pub fn mean_gap(self) -> Duration {
        Duration::from_secs_f64(1.0 / self.0)
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ByteCount(pub u64);

/// A part of a whole, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64")]
pub struct Share(f64);

impl Share {
    /// Nothing.
    pub const NONE: Self = Self(0.0);
    /// One in ten.
    pub const TENTH: Self = Self(0.1);

    /// The share, where it is between 0 and 1.
    #[must_use]
    pub fn new(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Self(share))
    }

    /// The part of one.
    #[must_use]
    pub const fn as_f64(self) -> f64 {
        self.0
    }
}

/// A record may hold any number.
impl TryFrom<f64> for OfferedRate {
    type Error = String;

    fn try_from(rate: f64) -> Result<Self, String> {
        let wrong = || format!("a rate is {} to {} messages a second, not {rate}", Self::MIN, Self::MAX);
        Self::per_second(rate).ok_or_else(wrong)
    }
}

/// A record may hold any number.
impl TryFrom<f64> for Share {
    type Error = String;

    fn try_from(share: f64) -> Result<Self, String> {
        Self::new(share).ok_or_else(|| format!("a share is 0 to 1, not {share}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_positive_finite_number() {
        for wrong in [0.0, -1.0, 1e-300, f64::NAN, f64::INFINITY, OfferedRate::MAX * 2.0] {
            assert_eq!(OfferedRate::per_second(wrong), None, "{wrong}");
        }
        assert_eq!(OfferedRate::per_second(20.0).unwrap().mean_gap(), Duration::from_millis(50));
    }
}
