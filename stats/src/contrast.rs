//! Whether a figure differs from another by more than matters.
//!
//! Trials that took turns in one run make pairs: their ratio has a standard error of its own. Those of
//! two runs do not: on the scale of ratios both standard errors add up in squares, with Welch's degrees
//! of freedom. What is tested is not whether there is any difference (between two servers there always
//! is one), but whether there is more than the floor: a minimum-effect test, whose null hypothesis is
//! every ratio within it. Of many such tests some come out by chance alone: Benjamini & Hochberg's
//! procedure bounds the share of those among all that come out. Sources: Welch, *Biometrika* 34, 1947;
//! Murphy & Myors, *J. Appl. Psychol.* 84, 1999; Benjamini & Hochberg, *J. R. Stat. Soc. B* 57, 1995.

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::{Figure, Interval, UPPER_END};
use crate::resample::as_float;

/// A figure and how many trials it rests on.
#[derive(Clone, Copy, Debug)]
pub struct Sampled {
    /// The estimate over all trials.
    pub figure: Figure,
    /// How many trials it rests on.
    pub trials: usize,
}

/// How many times another figure a figure is.
#[derive(Clone, Copy, Debug)]
pub struct Contrast {
    pub ratio: Figure,
    /// How likely so great a ratio, or one so small, would be at the edge of the floor. Absent where one
    /// trial, or a figure that may be zero, says nothing of the spread.
    pub p: Option<f64>,
}

/// On the scale of ratios.
#[derive(Clone, Copy, Debug)]
struct StandardError {
    error: f64,
    degrees: f64,
}

impl Sampled {
    fn error(&self) -> Option<StandardError> {
        let interval = self.figure.interval.filter(|interval| interval.low > 0.0)?;
        let degrees = as_float(self.trials.checked_sub(1).filter(|degrees| *degrees > 0)?);
        let half = (interval.high / self.figure.point).ln().max((self.figure.point / interval.low).ln());
        let error = half / StudentsT::new(0.0, 1.0, degrees).ok()?.inverse_cdf(UPPER_END);
        Some(StandardError { error, degrees })
    }

    /// This over the figure of other trials; changes of the share `floor` do not matter. `None` where
    /// there is no ratio.
    pub fn over(&self, base: &Self, floor: f64) -> Option<Contrast> {
        let point = self.figure.point / base.figure.point;
        if base.figure.point <= 0.0 {
            return None;
        }
        let error = self.error().zip(base.error()).map(|(one, other)| {
            let error = one.error.hypot(other.error);
            let shares = one.error.powi(4) / one.degrees + other.error.powi(4) / other.degrees;
            StandardError { error, degrees: error.powi(4) / shares }
        });
        Contrast::of(point, error, floor)
    }

    /// As [`Self::over`], of a figure that is the ratio of pairs already.
    pub fn of_pairs(&self, floor: f64) -> Option<Contrast> {
        Contrast::of(self.figure.point, self.error(), floor)
    }
}

impl Contrast {
    fn of(point: f64, error: Option<StandardError>, floor: f64) -> Option<Self> {
        if point <= 0.0 || !point.is_finite() {
            return None;
        }
        let Some(StandardError { error, degrees }) = error else {
            return Some(Self { ratio: Figure { point, interval: None }, p: None });
        };
        let (distance, matters) = (point.ln().abs(), floor.ln_1p());
        let (half, p) = if error > 0.0 {
            let t = StudentsT::new(0.0, 1.0, degrees).ok()?;
            let beyond = t.sf((distance - matters) / error) + t.cdf(-(distance + matters) / error);
            (error * t.inverse_cdf(UPPER_END), beyond.min(1.0))
        } else {
            // Every trial said the same, as bytes may.
            (0.0, if distance > matters { 0.0 } else { 1.0 })
        };
        let interval = Interval { low: point * (-half).exp(), high: point * half.exp() };
        Some(Self { ratio: Figure { point, interval: Some(interval) }, p: Some(p) })
    }
}

/// Each p as what the false share would be if all that are no greater were believed.
pub fn adjusted(all: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by(|&one, &other| all[other].total_cmp(&all[one]));
    let mut adjusted = vec![1.0; all.len()];
    let mut least = 1.0_f64;
    for (greater, index) in order.into_iter().enumerate() {
        least = least.min(all[index] * as_float(all.len()) / as_float(all.len() - greater));
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};
    use rand_distr::{Distribution as _, LogNormal};

    use super::*;
    use crate::{estimate_ratio, paired, resamples};

    /// A figure of so many trials that scatter by a twentieth around `center`.
    fn sampled(random: &mut StdRng, center: f64, trials: usize) -> Sampled {
        let scatter = LogNormal::new(center.ln(), 0.05).unwrap();
        let parts: Vec<_> = (0..trials).map(|_| (scatter.sample(random), 1.0)).collect();
        Sampled { figure: estimate_ratio(&parts, &resamples(trials)).unwrap(), trials }
    }

    /// How many of 200 families of 30 comparisons have at least one that is called a change.
    fn alarms(trials: usize, floor: f64, ratio: f64) -> usize {
        let mut random = StdRng::seed_from_u64(11);
        let family = |random: &mut StdRng| {
            let p = |_| sampled(random, ratio, trials).over(&sampled(random, 1.0, trials), floor).unwrap().p.unwrap();
            adjusted(&(0..30).map(p).collect::<Vec<_>>())
        };
        (0..200).filter(|_| family(&mut random).iter().any(|p| *p <= 0.05)).count()
    }

    #[test]
    fn a_family_of_the_same_hardly_ever_holds_a_change() {
        for trials in [3, 4] {
            let (bare, floored) = (alarms(trials, 0.0, 1.0), alarms(trials, 0.05, 1.0));
            assert!(bare <= 16, "{trials} trials: {bare} of 200 without a floor");
            assert!(floored <= bare, "{trials} trials: {floored} of 200, {bare} without a floor");
        }
    }

    /// A ratio over rounds of which each makes both sides up to three times as slow, and that scatter by
    /// another tenth.
    fn of_rounds(random: &mut StdRng, center: f64, rounds: usize) -> Sampled {
        let scatter = LogNormal::new(0.0, 0.1).unwrap();
        let slowness: Vec<f64> = (0..rounds).map(|_| random.random_range(1.0..3.0)).collect();
        let mut side =
            |center: f64| -> Vec<f64> { slowness.iter().map(|it| it * center * scatter.sample(random)).collect() };
        let (new, base) = (side(center), side(1.0));
        let mean = |all: &[f64], drawn: &[u32]| all.iter().zip(drawn).map(|(it, &times)| it * f64::from(times)).sum();
        let figure = paired(rounds, |drawn| Some(mean(&new, drawn)), |drawn| Some(mean(&base, drawn))).unwrap();
        Sampled { figure, trials: rounds }
    }

    #[test]
    fn pairs_see_a_fifth_through_a_machine_that_changes_threefold_and_nothing_where_there_is_none() {
        let mut random = StdRng::seed_from_u64(3);
        let mut below = |center: f64, floor: f64| {
            let p = |random: &mut StdRng| of_rounds(random, center, 12).of_pairs(floor).unwrap().p.unwrap();
            (0..200).filter(|_| p(&mut random) <= 0.05).count()
        };
        let (same, edge, fifth) = (below(1.0, 0.0), below(1.05, 0.05), below(1.2, 0.05));
        assert!(same <= 18, "{same} of 200 without a floor");
        assert!(edge <= 18, "{edge} of 200 at the edge of the floor");
        assert!(fifth >= 170, "{fifth} of 200 of a fifth");
    }

    #[test]
    fn a_change_that_only_just_does_not_matter_is_hardly_ever_called_one() {
        let at_the_edge = alarms(4, 0.05, 1.05);
        assert!(at_the_edge <= 16, "{at_the_edge} of 200");
    }

    #[test]
    fn a_fifth_more_in_all_of_a_family_is_found_with_four_trials() {
        let found = alarms(4, 0.05, 1.2);
        assert!(found >= 190, "{found} of 200");
    }

    /// Two samples whose Welch test any statistics program gives: 1, 2, 4 against 4, 8, 16 in logarithms
    /// is a difference of 4 with t(4) = ln 4 ÷ (s √(2/3)), s = ln 2.
    #[test]
    fn without_a_floor_it_is_welchs_test() {
        let half = StudentsT::new(0.0, 1.0, 2.0).unwrap().inverse_cdf(UPPER_END) * 2_f64.ln() / 3_f64.sqrt();
        let of = |point: f64| Sampled {
            figure: Figure { point, interval: Some(Interval { low: point * (-half).exp(), high: point * half.exp() }) },
            trials: 3,
        };
        let contrast = of(8.0).over(&of(2.0), 0.0).unwrap();
        // Two-sided p of t = 2.449 with 4 degrees of freedom.
        assert!((contrast.p.unwrap() - 0.070_484).abs() < 1e-5, "{contrast:?}");
        assert!((contrast.ratio.point - 4.0).abs() < 1e-12);
        let far = (contrast.ratio.high() / 4.0).ln();
        assert!((far - 2.776_445 * 2_f64.ln() * (2.0_f64 / 3.0).sqrt()).abs() < 1e-5, "{contrast:?}");
    }

    /// Four pairs of logarithms 0.1, 0.2, 0.3, 0.4: t(3) = 0.25 ÷ (s/√4), s = 0.1291, is 3.873.
    #[test]
    fn without_a_floor_pairs_are_tested_as_students_pairs_are() {
        let half = StudentsT::new(0.0, 1.0, 3.0).unwrap().inverse_cdf(UPPER_END) * 0.129_099_445 / 2.0;
        let point = 0.25_f64.exp();
        let interval = Interval { low: point * (-half).exp(), high: point * half.exp() };
        let ratio = Sampled { figure: Figure { point, interval: Some(interval) }, trials: 4 };
        let contrast = ratio.of_pairs(0.0).unwrap();
        // Two-sided p of t = 3.873 with 3 degrees of freedom.
        assert!((contrast.p.unwrap() - 0.030_466).abs() < 1e-4, "{contrast:?}");
        assert!((contrast.ratio.high() - interval.high).abs() < 1e-9);
        assert!(ratio.of_pairs(0.05).unwrap().p > contrast.p, "less is left beyond a floor");
    }

    #[test]
    fn what_every_trial_said_alike_is_certain() {
        let of = |point: f64| Sampled {
            figure: Figure { point, interval: Some(Interval { low: point, high: point }) },
            trials: 3,
        };
        assert_eq!(of(106.0).over(&of(100.0), 0.05).unwrap().p, Some(0.0));
        assert_eq!(of(104.0).over(&of(100.0), 0.05).unwrap().p, Some(1.0));
    }

    #[test]
    fn one_trial_says_nothing_of_the_spread() {
        let of = |point: f64| Sampled { figure: Figure { point, interval: None }, trials: 1 };
        let contrast = of(2.0).over(&of(1.0), 0.05).unwrap();
        assert!(contrast.p.is_none() && contrast.ratio.interval.is_none());
        assert!(of(2.0).over(&of(0.0), 0.05).is_none(), "nothing is a multiple of nothing");
    }

    /// The example of Benjamini & Hochberg 1995, table 1: of fifteen, the four least come out at 5 %.
    #[test]
    fn the_adjustment_is_benjamini_and_hochbergs() {
        let all = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        let adjusted = adjusted(&all);
        assert_eq!(adjusted.iter().filter(|p| **p <= 0.05).count(), 4);
        assert!((adjusted[0] - 0.0015).abs() < 1e-12 && (adjusted[3] - 0.035_625).abs() < 1e-12, "{adjusted:?}");
    }
}
