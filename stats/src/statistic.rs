//! A statistic of some trials, laid out so that any draw of them is cheap to read, and the ratio of two.

use pushoff_model::LatencyHistogram;
use pushoff_model::record::Measurement;

use crate::{Figure, Interval, Pool, Scale, enough, estimate_ratio_on, paired, resamples};

/// A statistic of some trials.
#[derive(Debug)]
pub enum Statistic {
    /// A percentile of merged histograms, by its share, and of how many independent messages they are.
    Quantile(Pool, f64, u64),
    /// A ratio of two sums, a pair a trial, times a factor.
    Ratio(Vec<(f64, f64)>, f64, Scale),
}

impl Statistic {
    /// A percentile of what happened to published messages; `None` where these are not [`enough`].
    pub fn of_messages<'t>(
        trials: &[&'t Measurement],
        share: f64,
        of: impl Fn(&'t Measurement) -> &'t LatencyHistogram,
    ) -> Option<Self> {
        let pool = Pool::new(&trials.iter().map(|trial| of(trial)).collect::<Vec<_>>());
        let messages = trials.iter().map(|trial| trial.window.published).sum();
        (pool.count() > 0 && enough(messages, share)).then_some(Self::Quantile(pool, share, messages))
    }

    /// A ratio of two sums; `None` where a trial lacks a part.
    #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more than 53 bits")]
    pub fn ratio(trials: &[&Measurement], of: impl Fn(&Measurement) -> Option<(u64, u64)>) -> Option<Self> {
        let of = |trial: &Measurement| of(trial).map(|(top, bottom)| (top as f64, bottom as f64));
        Self::of_sums(trials, Scale::Ratios, of)
    }

    /// A ratio of two sums of which the upper is a difference, and may lie below zero.
    pub fn difference(trials: &[&Measurement], of: impl Fn(&Measurement) -> Option<(f64, f64)>) -> Option<Self> {
        Self::of_sums(trials, Scale::Differences, of)
    }

    fn of_sums(trials: &[&Measurement], scale: Scale, of: impl Fn(&Measurement) -> Option<(f64, f64)>) -> Option<Self> {
        let parts: Option<Vec<_>> = trials.iter().map(|trial| of(trial)).collect();
        parts.filter(|parts| parts.iter().any(|it| it.1 > 0.0)).map(|parts| Self::Ratio(parts, 1.0, scale))
    }

    /// The same in a unit that is `by` times smaller.
    #[must_use]
    pub fn times(self, by: f64) -> Self {
        match self {
            Self::Ratio(parts, factor, scale) => Self::Ratio(parts, factor * by, scale),
            Self::Quantile(..) => self,
        }
    }

    /// Its value over the trials taken so often each.
    #[must_use]
    pub fn at(&self, drawn: &[u32]) -> Option<f64> {
        match self {
            Self::Quantile(pool, share, _) => pool.quantiles(drawn, &[*share]).pop().flatten(),
            Self::Ratio(parts, factor, _) => {
                let sum = |side: fn(&(f64, f64)) -> f64| -> f64 {
                    parts.iter().zip(drawn).map(|(part, &times)| side(part) * f64::from(times)).sum()
                };
                let bottom = sum(|part| part.1);
                (bottom > 0.0).then(|| sum(|part| part.0) / bottom * factor)
            }
        }
    }

    /// With its interval, over so many trials.
    #[must_use]
    pub fn figure(&self, trials: usize) -> Option<Figure> {
        let resamples = resamples(trials);
        match self {
            Self::Quantile(pool, share, messages) => {
                pool.estimate(*messages, trials, &resamples, &[*share]).pop().flatten()
            }
            Self::Ratio(parts, factor, scale) => {
                estimate_ratio_on(*scale, parts, &resamples).map(|figure| figure.times(*factor))
            }
        }
    }

    /// How many times another's value this one's is, over pairs of trials (a place in each): what a round
    /// did to both cancels out. What few messages beyond a percentile leave open on either side adds up in squares.
    #[must_use]
    pub fn over(&self, other: &Self, trials: [usize; 2], pairs: &[(usize, usize)]) -> Option<Figure> {
        // Of each side, every trial as often as its pair was drawn, and what has no pair never.
        let of_side = |trials: usize, side: fn(&(usize, usize)) -> usize, drawn: &[u32]| {
            let mut times = vec![0; trials];
            pairs.iter().zip(drawn).for_each(|(pair, often)| times[side(pair)] = *often);
            times
        };
        let drawn_here = |drawn: &[u32]| of_side(trials[0], |pair| pair.0, drawn);
        let drawn_there = |drawn: &[u32]| of_side(trials[1], |pair| pair.1, drawn);
        let ratio = paired(pairs.len(), |drawn| self.at(&drawn_here(drawn)), |drawn| other.at(&drawn_there(drawn)))?;
        if matches!((self, other), (Self::Quantile(here, ..), Self::Quantile(there, ..)) if here == there) {
            // The same trials err alike.
            return Some(ratio);
        }
        let all = vec![1; pairs.len()];
        let sampled = [self.sampled(&drawn_here(&all)), other.sampled(&drawn_there(&all))];
        let Some(Interval { low, high }) = ratio.interval.filter(|it| it.low > 0.0) else { return Some(ratio) };
        let [below, above] = [
            [(ratio.point / low).ln(), sampled[0][0], sampled[1][1]],
            [(high / ratio.point).ln(), sampled[0][1], sampled[1][0]],
        ]
        .map(|errors| errors.iter().fold(0.0, |sum: f64, error| sum.hypot(*error)).exp());
        Some(Figure { interval: Some(Interval { low: ratio.point / below, high: ratio.point * above }), ..ratio })
    }

    /// How far below and above its value a percentile of few messages might lie, on a log scale; 0 where that is known
    /// well enough, or is nothing that is sampled.
    fn sampled(&self, drawn: &[u32]) -> [f64; 2] {
        let Self::Quantile(pool, share, messages) = self else { return [0.0; 2] };
        // Each trial has its part of the messages.
        let (taken, all) = (drawn.iter().filter(|times| **times > 0).count() as u64, drawn.len().max(1) as u64);
        let ends = pool.sampled(drawn, messages * taken / all, *share);
        let value = self.at(drawn).filter(|it| *it > 0.0);
        value.zip(ends.filter(|it| it.low > 0.0)).map_or([0.0; 2], |(value, Interval { low, high })| {
            [(value / low).ln().max(0.0), (high / value).ln().max(0.0)]
        })
    }
}
