//! How many times another figure a figure is.

use super::{Figure, Interval, estimate, resamples};

/// Of two that ran the same trials: these are drawn in pairs, so that what a trial did to both cancels
/// out. Each side is given how often each trial counts.
pub fn paired(
    trials: usize,
    one: impl Fn(&[u32]) -> Option<f64>,
    other: impl Fn(&[u32]) -> Option<f64>,
) -> Option<Figure> {
    let ratio = |drawn: &[u32]| Some(one(drawn)? / other(drawn).filter(|below| *below > 0.0)?);
    estimate(trials, &resamples(trials), |drawn| vec![ratio(drawn)]).pop().flatten()
}

impl Figure {
    /// How many times another of other trials, both above zero: on the scale of ratios their
    /// uncertainties add up in squares.
    pub fn over(&self, other: &Self) -> Option<Self> {
        if self.point <= 0.0 || other.point <= 0.0 {
            return None;
        }
        let point = self.point / other.point;
        let half = |it: &Self| {
            let interval = it.interval.filter(|interval| interval.low > 0.0)?;
            Some((interval.high / it.point).ln().max((it.point / interval.low).ln()))
        };
        let half = half(self).zip(half(other)).map(|(one, other)| one.hypot(other));
        let interval = half.map(|half| Interval { low: point * (-half).exp(), high: point * half.exp() });
        Some(Self { point, interval })
    }

    /// How much more it is than another of other trials: their uncertainties add up in squares.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let point = self.point - other.point;
        let half = |it: &Self| it.interval.map(|interval| (interval.high - it.point).max(it.point - interval.low));
        let half = half(self).zip(half(other)).map(|(one, other)| one.hypot(other));
        Self { point, interval: half.map(|half| Interval { low: point - half, high: point + half }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_trial_did_to_both_cancels_out_of_a_pair() {
        // Three trials of which the second was twice as slow for both.
        let mean = |values: [f64; 3]| {
            move |drawn: &[u32]| {
                let sum: f64 = values.iter().zip(drawn).map(|(value, &times)| value * f64::from(times)).sum();
                Some(sum / 3.0)
            }
        };
        let figure = paired(3, mean([2.0, 4.0, 2.0]), mean([1.0, 2.0, 1.0])).unwrap();
        assert!((figure.point - 2.0).abs() < 1e-12 && (figure.high() - figure.low()).abs() < 1e-9, "{figure:?}");
        assert_eq!(paired(3, mean([2.0, 4.0, 2.0]), mean([0.0; 3])), None);
    }

    #[test]
    fn of_independent_figures_the_uncertainties_add_up_in_squares() {
        let figure = |point: f64, half: f64| Figure {
            point,
            interval: Some(Interval { low: point * (-half).exp(), high: point * half.exp() }),
        };
        let ratio = figure(6.0, 0.3).over(&figure(2.0, 0.4)).unwrap();
        assert!((ratio.point - 3.0).abs() < 1e-12 && ((ratio.high() / 3.0).ln() - 0.5).abs() < 1e-9, "{ratio:?}");
        assert_eq!(figure(6.0, 0.3).over(&Figure { point: 0.0, interval: None }), None);
        let within = |point: f64, half: f64| Figure {
            point,
            interval: Some(Interval { low: point - half, high: point + half }),
        };
        assert_eq!(within(7.0, 3.0).minus(&within(2.0, 4.0)), within(5.0, 5.0));
        assert_eq!(within(7.0, 3.0).minus(&Figure { point: 2.0, interval: None }).interval, None);
    }
}
