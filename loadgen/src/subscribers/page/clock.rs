//! Measures the offset between a page's clock and the run's clock.
//!
//! Each question for the page's time gives two bounds for the page's zero on the run's clock: the moment of the
//! question and the moment of the answer. The intersection of all bounds is the result. Both clocks derive from the
//! host's monotonic clock. Source: RFC 5905 §8 (NTP's round trips), keeping the bounds instead of their middle.

use pushoff_model::RunInstant;

use crate::numbers::{float, whole};

/// Bounds for a page's zero on the run's clock, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Zero {
    earliest: f64,
    latest: f64,
}

impl Default for Zero {
    fn default() -> Self {
        Self { earliest: f64::NEG_INFINITY, latest: f64::INFINITY }
    }
}

impl Zero {
    /// Narrows the bounds: a page that was asked at `asked` and had answered by `answered` said `page_ms`.
    pub(super) fn narrow(&mut self, asked: RunInstant, page_ms: f64, answered: RunInstant) {
        let page = page_ms * 1e6;
        self.earliest = self.earliest.max(float(asked.as_nanos()) - page);
        self.latest = self.latest.min(float(answered.as_nanos()) - page);
    }

    fn middle(&self) -> f64 {
        f64::midpoint(self.earliest, self.latest)
    }

    /// How far the middle of the bounds may be off, in either direction.
    pub(super) fn uncertainty_ns(&self) -> u64 {
        whole((self.latest - self.earliest).abs() / 2.0)
    }

    /// How far a later measurement of the same page differs from this one.
    pub(super) fn moved_ns(&self, later: &Self) -> u64 {
        whole((later.middle() - self.middle()).abs())
    }

    /// How long the page's zero lies after the run's zero.
    pub(super) fn offset_ns(&self) -> u64 {
        whole(self.middle())
    }

    /// Converts a page's time to the run's clock.
    pub(super) fn moment(&self, page_ms: f64) -> RunInstant {
        RunInstant::from_nanos(whole(page_ms.mul_add(1e6, self.middle())))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(nanos: u64) -> RunInstant {
        RunInstant::from_nanos(nanos)
    }

    #[test]
    fn two_lopsided_round_trips_say_more_than_either() {
        let mut zero = Zero::default();
        // The page's zero is at 1,000,000 ns. The first answer is slow, then the second question.
        zero.narrow(at(2_000_000 - 10_000), 1.0, at(2_000_000 + 900_000));
        assert_eq!(zero.uncertainty_ns(), 455_000);
        zero.narrow(at(5_000_000 - 800_000), 4.0, at(5_000_000 + 20_000));
        assert_eq!(zero.uncertainty_ns(), 15_000);
        assert_eq!((zero.offset_ns(), zero.moment(3.0)), (1_005_000, at(4_005_000)));
    }

    proptest! {
        #[test]
        fn the_true_zero_is_within_the_uncertainty(
            zero in 0_u32..1_000_000_000,
            trips in prop::collection::vec((0_u32..1_000_000_000, 0_u32..5_000_000, 0_u32..5_000_000), 1..50),
        ) {
            let mut found = Zero::default();
            let truth = u64::from(zero) + 5_000_000;
            for (page, there, back) in trips {
                let moment = truth + u64::from(page);
                found.narrow(at(moment - u64::from(there)), f64::from(page) / 1e6, at(moment + u64::from(back)));
            }
            prop_assert!(found.offset_ns().abs_diff(truth) <= found.uncertainty_ns() + 2);
        }

        #[test]
        fn a_clock_that_stands_still_has_not_moved(page in 0_u32..1_000_000_000, trip in 0_u32..5_000_000) {
            let mut one = Zero::default();
            one.narrow(at(u64::from(page)), f64::from(page) / 1e6, at(u64::from(page) + u64::from(trip)));
            prop_assert_eq!(one.moved_ns(&one.clone()), 0);
        }
    }
}
