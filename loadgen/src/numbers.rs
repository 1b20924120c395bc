//! Conversions between counts and floats.

/// A count as a float. Exact below 2^53, which is 104 days of nanoseconds.
#[expect(clippy::cast_precision_loss, reason = "no count and no time here reaches 2^53")]
pub(crate) const fn float(count: u64) -> f64 {
    count as f64
}

/// The nearest count; negative values become 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates at both ends")]
pub(crate) const fn whole(number: f64) -> u64 {
    number.round() as u64
}

/// A quotient; 0 if the divisor is 0.
pub(crate) fn share(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { float(part) / float(all) }
}
