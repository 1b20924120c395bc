//! Estimates over the trials of one cell: ratios of sums, means, percentiles of merged histograms.
//!
//! Pure. A figure that one of the trials lacks a part of is absent, not made from the others.

use std::sync::Arc;

use pushoff_model::LatencyHistogram;
use pushoff_model::record::Measurement;
use pushoff_model::workload::Slo;

use crate::{
    Figure, Interval, Pool, Resample, Scale, enough, estimate, estimate_ratio, estimate_ratio_on, messages_to_tell,
    resamples,
};

/// Estimates over the same trials.
#[derive(Clone, Debug)]
pub struct Sums<'a> {
    pub(crate) trials: &'a [&'a Measurement],
    resamples: Arc<[Resample]>,
}

impl<'a> Sums<'a> {
    /// Over these trials.
    pub fn of(trials: &'a [&'a Measurement]) -> Self {
        Self { resamples: resamples(trials.len()), trials }
    }

    /// What was counted in the measure phase, by its length.
    pub fn per_second(&self, of: impl Fn(&Measurement) -> u64) -> Option<Figure> {
        self.ratio(|trial| Some((of(trial), trial.measured_ns))).map(|figure| figure.times(1e9))
    }

    /// The histograms of all trials; `None` where a trial lacks it.
    pub fn pool(&self, of: impl Fn(&Measurement) -> Option<&LatencyHistogram>) -> Option<Pool> {
        let histograms: Option<Vec<_>> = self.trials.iter().map(|trial| of(trial)).collect();
        histograms.map(|histograms| Pool::new(&histograms))
    }

    /// The percentiles that so many independent `events` are [`enough`] for.
    pub fn percentiles<const N: usize>(
        &self,
        pool: Option<&Pool>,
        events: u64,
        shares: [f64; N],
    ) -> [Option<Figure>; N] {
        let Some(pool) = pool else { return [None; N] };
        let figures = pool.estimate(events, self.trials.len(), &self.resamples, &shares);
        let mut shown = [None; N];
        for ((place, figure), share) in shown.iter_mut().zip(figures).zip(shares) {
            *place = figure.filter(|_| enough(events, share));
        }
        shown
    }

    /// The time within which the SLO's share of the deliveries due arrived; `None` where so many did not
    /// arrive at all, or where so few messages show that share within no time. `pool` holds the delivery latencies of
    /// these trials.
    #[expect(clippy::cast_precision_loss, reason = "a count of latencies needs no more than 53 bits")]
    pub fn tightest(&self, pool: &Pool, slo: &Slo) -> Option<Figure> {
        if messages_to_tell(1.0, slo.share.as_f64()).is_none_or(|needed| self.messages_due() < needed) {
            return None;
        }
        let asked = |it: &Measurement| slo.share.as_f64() * it.window.due as f64;
        let parts: Vec<(f64, f64)> =
            self.trials.iter().map(|it| (asked(it), it.delivery_latency.count() as f64)).collect();
        // What did not arrive is later than any time; so would the interval's end be.
        if parts.iter().any(|(asked, arrived)| asked > arrived) {
            return None;
        }
        let tightest = |drawn: &[u32]| {
            let sum = |side: fn(&(f64, f64)) -> f64| -> f64 {
                parts.iter().zip(drawn).map(|(part, &times)| side(part) * f64::from(times)).sum()
            };
            let (asked, arrived) = (sum(|part| part.0), sum(|part| part.1));
            if arrived > 0.0 { pool.quantiles(drawn, &[asked / arrived]) } else { vec![None] }
        };
        let figure = estimate(self.trials.len(), &self.resamples, tightest).pop().flatten()?;
        let sum = |side: fn(&(f64, f64)) -> f64| -> f64 { parts.iter().map(side).sum() };
        let messages = self.trials.iter().map(|it| it.window.published).sum();
        Some(pool.widened(messages, sum(|it| it.0) / sum(|it| it.1), self.trials.len(), figure))
    }

    /// A ratio of two sums; `None` where a trial lacks a part.
    #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more than 53 bits")]
    pub fn ratio(&self, of: impl Fn(&Measurement) -> Option<(u64, u64)>) -> Option<Figure> {
        let parts: Option<Vec<_>> =
            self.trials.iter().map(|trial| of(trial).map(|(top, bottom)| (top as f64, bottom as f64))).collect();
        estimate_ratio(&parts?, &self.resamples)
    }

    /// A ratio of two sums of which the upper is a difference, such as of memory, and may lie below zero.
    pub fn difference(&self, of: impl Fn(&Measurement) -> Option<(f64, f64)>) -> Option<Figure> {
        let parts: Option<Vec<_>> = self.trials.iter().map(|trial| of(trial)).collect();
        estimate_ratio_on(Scale::Differences, &parts?, &self.resamples)
    }

    /// A ratio of two sums that are not whole numbers.
    pub fn quotient(&self, of: impl Fn(&Measurement) -> Option<(f64, f64)>) -> Option<Figure> {
        let parts: Option<Vec<_>> = self.trials.iter().map(|trial| of(trial)).collect();
        estimate_ratio(&parts?, &self.resamples)
    }

    /// A product of several ratios of sums over the same trials.
    pub fn product<const N: usize>(&self, of: impl Fn(&Measurement) -> Option<[(f64, f64); N]>) -> Option<Figure> {
        let parts: Option<Vec<_>> = self.trials.iter().map(|trial| of(trial)).collect();
        let parts = parts?;
        let product = |drawn: &[u32]| {
            let mut product = 1.0;
            for index in 0..N {
                let sum = |side: fn(&(f64, f64)) -> f64| -> f64 {
                    parts.iter().zip(drawn).map(|(part, &times)| side(&part[index]) * f64::from(times)).sum()
                };
                let bottom = sum(|part| part.1);
                if bottom <= 0.0 {
                    return vec![None];
                }
                product *= sum(|part| part.0) / bottom;
            }
            vec![Some(product)]
        };
        estimate(parts.len(), &self.resamples, product).pop().flatten()
    }

    /// The mean of all latencies: the sum of the trials' sums over the sum of their counts.
    #[expect(clippy::cast_precision_loss, reason = "a mean needs no more than 53 bits")]
    pub fn mean(&self, of: impl Fn(&Measurement) -> Option<&LatencyHistogram>) -> Option<Figure> {
        let parts: Option<Vec<_>> = self
            .trials
            .iter()
            .map(|trial| of(trial).map(|all| (all.hdr().mean() * all.count() as f64, all.count() as f64)))
            .collect();
        estimate_ratio(&parts?, &self.resamples)
    }
}

impl Figure {
    /// The figure in a unit that is `factor` times smaller, such as seconds in nanoseconds.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        let interval = self.interval.map(|Interval { low, high }| Interval { low: low * factor, high: high * factor });
        Self { point: self.point * factor, interval }
    }

    /// The sum of both: the uncertainties of independent figures add up in squares.
    pub fn plus(&self, other: &Self) -> Self {
        let point = self.point + other.point;
        let down = (self.point - self.low()).hypot(other.point - other.low());
        let up = (self.high() - self.point).hypot(other.high() - other.point);
        let interval = self.interval.or(other.interval).map(|_| Interval { low: point - down, high: point + up });
        Self { point, interval }
    }

    /// A histogram counts no time at all as its least, a nanosecond.
    pub fn or_none(self) -> Self {
        if self.point <= 1.0 { Self { point: 0.0, interval: None } } else { self }
    }
}
