//! The ratio of two costs over the rounds of a run, with an interval that stays valid however often it is looked at.
//!
//! Two trials of one round make a pair, so that what the machine did to both cancels out. The logarithm of a pair's
//! ratio is taken as normal, with a variance that nobody knows. The interval is a confidence sequence: with the
//! promised probability it holds the true ratio after every round at once, so that a run may stop as soon as the
//! interval decides. It is the set of ratios whose Bayes factor stays below 1 ÷ error, for the t test with a normal
//! prior on the effect in standard deviations; that Bayes factor is a test martingale (Ville's inequality bounds how
//! often it ever rises so far). Sources: Lai, *Ann. Statist.* 4, 1976; Rouder et al., *Psychon. Bull. Rev.* 16, 2009
//! (the Bayes factor); Hendriksen, de Heide & Grünwald, *Bayesian Anal.* 16, 2021 (optional stopping); Wang & Ramdas,
//! *Anytime-valid t-tests and confidence sequences for Gaussian means with unknown variance*, 2023.

use crate::Interval;
use crate::resample::as_float;

/// Variance of the prior on the effect, in standard deviations of one round squared. Chosen here: a difference of ten
/// standard deviations is usual for bytes, which repeat to a thousandth; a smaller prior only helps beyond ten rounds.
const PRIOR: f64 = 100.0;
/// The most rounds that are foretold.
const MOST_ROUNDS: usize = 1_000;

/// The ratio of two costs over several rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedRatio {
    /// Mean of the logarithms of the rounds' ratios.
    mean: f64,
    /// Their standard deviation.
    deviation: f64,
    /// How many rounds.
    pub rounds: usize,
}

impl PairedRatio {
    /// Of one pair of costs a round, both above zero; `None` where there is no round, or a cost is not above zero.
    #[must_use]
    pub fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        let logs: Option<Vec<f64>> =
            pairs.iter().map(|&(one, other)| (one > 0.0 && other > 0.0).then(|| (one / other).ln())).collect();
        let logs = logs.filter(|logs| !logs.is_empty())?;
        let rounds = as_float(logs.len());
        let mean = logs.iter().sum::<f64>() / rounds;
        let squares: f64 = logs.iter().map(|log| (log - mean).powi(2)).sum();
        let deviation = if logs.len() > 1 { (squares / (rounds - 1.0)).sqrt() } else { f64::INFINITY };
        Some(Self { mean, deviation, rounds: logs.len() })
    }

    /// The geometric mean of the rounds' ratios.
    #[must_use]
    pub fn point(&self) -> f64 {
        self.mean.exp()
    }

    /// The interval that leaves the true ratio out in at most a share `error` of runs, whenever it is looked at. It has
    /// no bounds after too few rounds: it is bounded from the third on for an error of 1 %.
    #[must_use]
    pub fn interval(&self, error: f64) -> Interval {
        let half = half_width(self.deviation, self.rounds, error);
        Interval { low: (self.mean - half).exp(), high: (self.mean + half).exp() }
    }

    /// After how many rounds in all the interval would decide, if mean and deviation stayed as they are: it lies within
    /// the margin on both sides, or wholly on one side of equality. `None` where a thousand rounds would not do.
    #[must_use]
    pub fn rounds_to_settle(&self, margin: f64, error: f64) -> Option<usize> {
        let margin = margin.ln_1p();
        (self.rounds.max(2)..=MOST_ROUNDS).find(|&rounds| {
            let half = half_width(self.deviation, rounds, error);
            self.mean.abs() > half || self.mean.abs() + half <= margin
        })
    }
}

/// Half the width of the interval of a mean: where the Bayes factor of n rounds reaches 1 ÷ error.
fn half_width(deviation: f64, rounds: usize, error: f64) -> f64 {
    if rounds < 2 || !deviation.is_finite() {
        return f64::INFINITY;
    }
    let rounds = as_float(rounds);
    let growth = rounds.mul_add(PRIOR, 1.0);
    let bound = (growth / (error * error)).powf(1.0 / rounds);
    if bound >= growth {
        return f64::INFINITY;
    }
    let t_squared = (rounds - 1.0) * (bound - 1.0) / (1.0 - bound / growth);
    t_squared.sqrt() * deviation / rounds.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;
    use rand_distr::{Distribution as _, Normal};

    #[test]
    fn a_run_that_looks_after_every_round_misses_the_truth_no_more_often_than_promised() {
        let mut random = StdRng::seed_from_u64(7);
        let (truth, spread) = (1.07_f64, Normal::new(0.0_f64, 0.08).unwrap());
        let runs = 2_000;
        let missed = (0..runs).filter(|_| {
            let mut pairs = Vec::new();
            (0..30).any(|_| {
                pairs.push((truth * spread.sample(&mut random).exp(), 1.0));
                let interval = PairedRatio::of(&pairs).unwrap().interval(0.05);
                !(interval.low..=interval.high).contains(&truth)
            })
        });
        let missed = missed.count();
        assert!(missed > 0 && missed <= runs / 20, "{missed} of {runs}");
    }

    #[test]
    fn two_rounds_bound_nothing_and_more_rounds_narrow_the_interval() {
        let pairs = [(1.00, 1.0), (1.01, 1.0), (0.99, 1.0), (1.0, 1.0), (1.01, 1.0), (0.99, 1.0)];
        let high = |rounds: usize| PairedRatio::of(&pairs[..rounds]).unwrap().interval(0.0125).high;
        assert!(high(1).is_infinite() && high(2).is_infinite());
        assert!(high(3) < 1.2 && high(6) < high(4) && high(4) < high(3), "{} {} {}", high(3), high(4), high(6));
    }

    #[test]
    fn costs_that_repeat_exactly_need_no_width() {
        let interval = PairedRatio::of(&[(3.0, 2.0); 3]).unwrap().interval(0.0125);
        assert!((interval.low - 1.5).abs() < 1e-12 && (interval.high - 1.5).abs() < 1e-12, "{interval:?}");
    }

    #[test]
    fn a_cost_of_nothing_has_no_ratio() {
        assert!(PairedRatio::of(&[(1.0, 0.0)]).is_none() && PairedRatio::of(&[]).is_none());
    }

    #[test]
    fn the_rounds_that_are_foretold_decide() {
        let pairs = [(1.02, 1.0), (0.98, 1.0), (1.03, 1.0), (0.97, 1.0)];
        let ratio = PairedRatio::of(&pairs).unwrap();
        let needed = ratio.rounds_to_settle(0.10, 0.0125).unwrap();
        let after = |rounds| PairedRatio { rounds, ..ratio }.interval(0.0125).high;
        assert!(after(needed) <= 1.1 && after(needed - 1) > 1.1, "{needed}");
        let wide = PairedRatio::of(&[(3.0, 1.0), (1.0, 3.0)]).unwrap();
        assert!(wide.rounds_to_settle(0.10, 0.0125).is_none());
    }
}
