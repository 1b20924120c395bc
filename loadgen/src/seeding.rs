//! Independent streams of chance from the one seed of a trial.
//!
//! The generator is a named algorithm, so that a seed means the same on every machine and in
//! every version. Source: Blackman and Vigna, xoshiro256++ (2019).

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

/// What chance decides, each from a stream of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// The order of trials.
    Order = 1,
    /// When messages are due.
    Arrivals = 2,
    /// What messages carry.
    Bodies = 3,
    /// When within their interval clients poll.
    Polls = 4,
    /// How long clients wait before they connect again.
    BackOff = 5,
}

/// The stream for one purpose of one participant.
pub(crate) fn stream(seed: u64, purpose: Purpose, number: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(mix(mix(seed ^ purpose as u64) ^ number))
}

/// The finaliser of `SplitMix64` (Steele et al., OOPSLA 2014): near inputs, unrelated outputs.
pub(crate) const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}
