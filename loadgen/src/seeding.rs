//! Independent random streams from the one seed of a trial.
//!
//! The algorithm is fixed, so a seed gives the same results on every machine and in every version. Source: Blackman
//! and Vigna, xoshiro256++ (2019).

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

/// The uses of randomness, each with its own stream.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// The order of trials.
    Order = 1,
    /// Due times.
    Arrivals = 2,
    /// Bodies of messages.
    Bodies = 3,
    /// Poll offsets.
    Polls = 4,
    /// Back-off.
    BackOff = 5,
}

/// The stream for one purpose of one participant.
pub(crate) fn stream(seed: u64, purpose: Purpose, number: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(mix(mix(seed ^ purpose as u64) ^ number))
}

/// The finaliser of `SplitMix64` (Steele et al., OOPSLA 2014): similar inputs give unrelated outputs.
pub(crate) const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}
