//! How costs that were measured in rounds compare, with intervals that stay valid however often they are looked at.
//!
//! A run is a randomised block design: a round measures each thing once, next to the others. The logarithm of a cost is
//! taken as what the machine did to the round, plus what the thing costs, plus an error of one variance, which nobody
//! knows and all trials together show. Least squares give the ratio of two costs also where a round lacks one of them.
//! Source: Montgomery, *Design and Analysis of Experiments*, ch. 4 (also for rounds that are not whole).
//!
//! The interval is a confidence sequence: with the promised probability it holds the true ratio after every round at
//! once, so that a run may stop as soon as it decides. It is the set of ratios whose Bayes factor stays below 1 ÷
//! error, for the t test with a normal prior on the effect in standard deviations; that Bayes factor is a test
//! martingale (Ville's inequality bounds how often it ever rises so far). Sources: Lai, *Ann. Statist.* 4, 1976; Rouder
//! et al., *Psychon. Bull. Rev.* 16, 2009 (the Bayes factor); Hendriksen, de Heide & Grünwald, *Bayesian Anal.* 16,
//! 2021 (optional stopping); Lindon, Ham, Tingley & Bojinov, *Anytime-Valid Inference in Linear Models*, 2022.

use nalgebra::{DMatrix, DVector};

use crate::resample::as_float;
use crate::{Figure, Interval};

/// Variance of the prior on the effect, in variances of one trial. Chosen here: a difference of ten standard deviations
/// is usual for bytes, which repeat to a thousandth; a smaller prior only helps beyond ten rounds.
const PRIOR: f64 = 100.0;
/// The most rounds that are foretold.
const MOST_ROUNDS: usize = 1_000;

/// The logarithms of costs, round by round.
#[derive(Clone, Debug, Default)]
pub struct Rounds {
    /// In each round, the things that it has and their costs.
    logs: Vec<Vec<(usize, f64)>>,
}

/// The ratio of two costs over several rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoundsRatio {
    /// The logarithm of the ratio.
    mean: f64,
    /// Standard deviation of the logarithm of one trial's cost.
    deviation: f64,
    /// Variance of `mean`, in variances of one trial.
    variance: f64,
    /// Degrees of freedom that `deviation` has.
    freedom: usize,
}

impl Rounds {
    /// Of the costs of each round: which thing, and its cost. A cost that is not above zero has no ratio and is left
    /// out.
    #[must_use]
    pub fn of(rounds: impl IntoIterator<Item = Vec<(usize, f64)>>) -> Self {
        let logs = |round: Vec<(usize, f64)>| {
            round.into_iter().filter(|(_, cost)| *cost > 0.0).map(|(thing, cost)| (thing, cost.ln())).collect()
        };
        Self { logs: rounds.into_iter().map(logs).collect() }
    }

    /// How many times the cost of `other` that of `one` is; `None` where no chain of rounds joins the two.
    #[must_use]
    pub fn ratio(&self, one: usize, other: usize) -> Option<RoundsRatio> {
        let joined = self.joined_with(other);
        let rounds: Vec<_> = self.logs.iter().filter(|round| round.iter().any(|(it, _)| joined.contains(it))).collect();
        // The unknowns are the costs of the things relative to `other`, which has no row of its own.
        let row = |thing: usize| joined.iter().filter(|&&it| it != other).position(|&it| it == thing);
        let unknowns = joined.len() - 1;
        let mut normal = DMatrix::<f64>::zeros(unknowns, unknowns);
        let mut right = DVector::<f64>::zeros(unknowns);
        let mut squares = 0.0;
        for round in &rounds {
            let size = as_float(round.len());
            let mean = round.iter().map(|(_, log)| log).sum::<f64>() / size;
            for &(thing, log) in *round {
                squares += (log - mean).powi(2);
                let Some(row_of_thing) = row(thing) else { continue };
                right[row_of_thing] += log - mean;
                normal[(row_of_thing, row_of_thing)] += 1.0;
                for column in round.iter().filter_map(|&(it, _)| row(it)) {
                    normal[(row_of_thing, column)] -= 1.0 / size;
                }
            }
        }
        let inverse = normal.cholesky()?.inverse();
        let effects = &inverse * &right;
        let trials: usize = rounds.iter().map(|round| round.len()).sum();
        let freedom = (trials - rounds.len()).checked_sub(unknowns)?;
        let rest = (squares - effects.dot(&right)).max(0.0);
        let deviation = if freedom > 0 { (rest / as_float(freedom)).sqrt() } else { f64::INFINITY };
        let row = row(one)?;
        Some(RoundsRatio { mean: effects[row], deviation, variance: inverse[(row, row)], freedom })
    }

    /// How many times the cost of the first thing that has any this one's is; `None` where nothing joins the two.
    #[must_use]
    pub fn relative(&self, thing: usize) -> Option<f64> {
        let first = self.logs.iter().flatten().map(|(it, _)| *it).min()?;
        if thing == first { Some(1.0) } else { Some(self.ratio(thing, first)?.mean.exp()) }
    }

    /// The things that a chain of rounds joins with this one, itself the first.
    fn joined_with(&self, thing: usize) -> Vec<usize> {
        let mut joined = vec![thing];
        let mut next = 0;
        while let Some(&from) = joined.get(next) {
            let rounds = self.logs.iter().filter(|round| round.iter().any(|(it, _)| *it == from));
            for &(it, _) in rounds.flatten() {
                if !joined.contains(&it) {
                    joined.push(it);
                }
            }
            next += 1;
        }
        joined
    }
}

impl RoundsRatio {
    /// The ratio that fits all rounds best (the geometric mean of the rounds' ratios, where every round has both), with
    /// the interval that leaves the true one out in at most a share `error` of runs, whenever it is looked at. That has
    /// no bounds after too few trials.
    #[must_use]
    pub fn figure(&self, error: f64) -> Figure {
        Figure { point: self.mean.exp(), interval: Some(self.interval(error)) }
    }

    fn interval(&self, error: f64) -> Interval {
        let half = self.half_width(error);
        Interval { low: (self.mean - half).exp(), high: (self.mean + half).exp() }
    }

    /// How many rounds of so many things would decide, if ratio and deviation are what they seem: the interval lies
    /// within the margin on both sides, or wholly beyond it. `None` where a thousand would not do.
    #[must_use]
    pub fn rounds_to_settle(&self, things: usize, margin: f64, error: f64) -> Option<usize> {
        let margin = margin.ln_1p();
        (2..=MOST_ROUNDS).find(|&rounds| {
            let freedom = (rounds - 1) * things.saturating_sub(1);
            let half = Self { variance: 2.0 / as_float(rounds), freedom, ..*self }.half_width(error);
            self.mean.abs() + half <= margin || self.mean.abs() - half > margin
        })
    }

    /// Half the width of the interval of the logarithm: where the Bayes factor reaches 1 ÷ error.
    fn half_width(&self, error: f64) -> f64 {
        if self.freedom == 0 || !self.deviation.is_finite() {
            return f64::INFINITY;
        }
        let freedom = as_float(self.freedom);
        let growth = (self.variance + PRIOR) / self.variance;
        let bound = (growth / (error * error)).powf(1.0 / (freedom + 1.0));
        if bound >= growth {
            return f64::INFINITY;
        }
        let t_squared = freedom * (bound - 1.0) / (1.0 - bound / growth);
        (t_squared * self.variance).sqrt() * self.deviation
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;
    use rand_distr::{Distribution as _, Normal};

    /// The ratio of the first to the second of two things with these costs, a pair a round.
    fn paired(pairs: &[(f64, f64)]) -> RoundsRatio {
        Rounds::of(pairs.iter().map(|&(one, other)| vec![(0, one), (1, other)])).ratio(0, 1).unwrap()
    }

    /// Five things in a race as the runs have it: from the fourth round on, what is shown to be dearer takes part no
    /// more, and one trial of ten is missing. Things scatter by 4 to 8 %.
    #[test]
    fn a_race_that_looks_after_every_round_misses_a_truth_no_more_often_than_promised() {
        let mut random = StdRng::seed_from_u64(7);
        let truths: [f64; 5] = [1.0, 1.03, 1.07, 1.3, 2.0];
        let scatter = [0.08, 0.04, 0.06, 0.05, 0.04].map(|it| Normal::new(0.0, it).unwrap());
        let drift = Normal::new(0.0, 0.2).unwrap();
        let error = 0.05 / 4.0;
        let mut race = || {
            let (mut going, mut rounds) = (vec![true; 5], Vec::new());
            for number in 1..=20 {
                let round: f64 = drift.sample(&mut random);
                let mut cost = |thing: usize| truths[thing] * (round + scatter[thing].sample(&mut random)).exp();
                let here: Vec<(usize, f64)> = (0..5).filter(|&it| going[it]).map(|it| (it, cost(it))).collect();
                rounds.push(here.into_iter().filter(|_| rand::RngExt::random_bool(&mut random, 0.9)).collect());
                let fit = Rounds::of(rounds.clone());
                for thing in 1..5 {
                    let Some(ratio) = fit.ratio(thing, 0) else { continue };
                    let interval = ratio.interval(error);
                    if !(interval.low..=interval.high).contains(&truths[thing]) {
                        return true;
                    }
                    going[thing] &= number < 3 || interval.low <= 1.0;
                }
            }
            false
        };
        let runs = 1_000;
        let missed = (0..runs).filter(|_| race()).count();
        assert!(missed > 0 && missed <= runs / 20, "{missed} of {runs}");
    }

    #[test]
    fn one_round_bounds_nothing_and_more_rounds_narrow_the_interval() {
        let pairs = [(1.00, 1.0), (1.01, 1.0), (0.99, 1.0), (1.0, 1.0), (1.01, 1.0), (0.99, 1.0)];
        let high = |rounds: usize| paired(&pairs[..rounds]).interval(0.0125).high;
        assert!(high(1).is_infinite());
        assert!(high(3) < 1.2 && high(6) < high(4) && high(4) < high(3), "{} {} {}", high(3), high(4), high(6));
    }

    /// Whole rounds: the two-way analysis of variance by hand.
    #[test]
    fn the_scatter_of_all_things_bounds_each_ratio() {
        let logs = [[0.0, 0.1, 0.5], [0.2, 0.3, 0.7], [0.1, 0.2, 0.9]];
        let costs = logs.map(|round| round.map(f64::exp).into_iter().enumerate().collect());
        let ratio = Rounds::of(costs).ratio(1, 0).unwrap();
        assert!((ratio.mean - 0.1).abs() < 1e-12 && (ratio.variance - 2.0 / 3.0).abs() < 1e-12);
        // Of the third thing alone the last round departs, by 0.3; a third of that in each mean.
        assert!((ratio.deviation - (0.04_f64 / 4.0).sqrt()).abs() < 1e-9, "{ratio:?}");
        assert_eq!(ratio.freedom, 4);
    }

    #[test]
    fn two_things_of_different_rounds_compare_by_a_third_that_both_met() {
        let rounds = [vec![(0, 2.0), (1, 1.0)], vec![(1, 3.0), (2, 1.0)], vec![(3, 1.0)]];
        let rounds = Rounds::of(rounds);
        assert!((rounds.ratio(0, 2).unwrap().mean.exp() - 6.0).abs() < 1e-9);
        assert_eq!(rounds.ratio(0, 3), None);
        assert_eq!((rounds.relative(0), rounds.relative(3)), (Some(1.0), None));
        assert!(rounds.ratio(0, 2).unwrap().interval(0.0125).high.is_infinite(), "nothing shows the scatter");
    }

    #[test]
    fn costs_that_repeat_exactly_need_no_width() {
        let interval = paired(&[(3.0, 2.0); 3]).interval(0.0125);
        assert!((interval.low - 1.5).abs() < 1e-6 && (interval.high - 1.5).abs() < 1e-6, "{interval:?}");
    }

    #[test]
    fn a_cost_of_nothing_has_no_ratio() {
        assert_eq!(Rounds::of([vec![(0, 1.0), (1, 0.0)]]).ratio(0, 1), None);
        assert_eq!(Rounds::default().ratio(0, 1), None);
    }

    #[test]
    fn the_rounds_that_are_foretold_decide() {
        let ratio = paired(&[(1.02, 1.0), (0.98, 1.0), (1.03, 1.0), (0.97, 1.0)]);
        let needed = ratio.rounds_to_settle(2, 0.10, 0.0125).unwrap();
        let after = |rounds: usize| {
            let (variance, freedom) = (2.0 / as_float(rounds), rounds - 1);
            RoundsRatio { variance, freedom, ..ratio }.interval(0.0125).high
        };
        assert!(after(needed) <= 1.1 && after(needed - 1) > 1.1, "{needed}");
        assert!(ratio.rounds_to_settle(5, 0.10, 0.0125).unwrap() < needed, "more things show more of the scatter");
        assert!(paired(&[(3.0, 1.0), (1.0, 3.0)]).rounds_to_settle(2, 0.10, 0.0125).is_none());
    }
}
