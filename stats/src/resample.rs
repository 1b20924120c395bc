//! The ways to draw trials with replacement: all of them while they are few, many of them then.
//!
//! Source: Fisher & Hall, *Bootstrap algorithms for small samples*, 1991 (exact enumeration).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Up to so many trials, every resample is enumerated with its exact weight: 462 for six.
pub(crate) const EXACT_UP_TO: usize = 6;
/// Beyond, so many are drawn: a standard error needs 200 (Efron & Tibshirani, §6.4).
const RESAMPLES: usize = 1_000;
/// The seed of the drawn resamples, fixed so that the same records give the same report.
const SEED: u64 = 0x7075_7368_6f66_6600;

/// One way to draw as many trials as there are, with replacement.
#[derive(Clone, Debug, PartialEq)]
pub struct Resample {
    /// How often each trial was drawn.
    pub drawn: Vec<u32>,
    /// How likely this draw is.
    pub(crate) weight: f64,
}

/// The resamples of so many trials; none below two. They depend on that number alone, and are made once.
pub fn resamples(trials: usize) -> Arc<[Resample]> {
    static MADE: Mutex<BTreeMap<usize, Arc<[Resample]>>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let make = || -> Arc<[Resample]> {
        match trials {
            0 | 1 => Vec::new().into(),
            2..=EXACT_UP_TO => enumerate(trials).into(),
            _ => draw(trials).into(),
        }
    };
    Arc::clone(made.entry(trials).or_insert_with(make))
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
pub(crate) const fn as_float(number: usize) -> f64 {
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
