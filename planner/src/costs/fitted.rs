//! A fitted model of one cost: the sum of a value for each message, poll, user and so on.

use serde::{Deserialize, Serialize};

use super::regressors::{Regressor, Regressors};
use pushoff_stats::{Figure, Interval};

/// What one unit of a regressor costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Term {
    /// Which regressor.
    #[serde(rename = "driver")]
    pub regressor: Regressor,
    /// The cost, in the unit of the model.
    pub value: f64,
    /// The ends of its 95 % interval.
    pub low: f64,
    /// The upper one.
    pub high: f64,
}

/// A fitted model: Σ value × count of the regressor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedModel {
    /// What one of each costs. None is below zero.
    pub terms: Vec<Term>,
    /// The covariance of the terms' values.
    pub covariance: Vec<Vec<f64>>,
    /// Standard deviation of the fitted cells about the model, on the scale of ratios.
    pub scatter: f64,
    /// Standard deviations to the end of a 95 % interval: Student's t.
    pub reach: f64,
    /// How many cells it rests on.
    pub cells: usize,
}

impl FittedModel {
    /// The cost of these counts, with a 95 % interval. `widening` makes the interval wider, on the scale of
    /// ratios, where the load lies outside the measured range.
    #[must_use]
    pub fn predict(&self, counts: &Regressors, widening: f64) -> Figure {
        let point: f64 = self.terms.iter().map(|term| term.value * counts[term.regressor]).sum();
        if point <= 0.0 {
            return Figure { point: 0.0, interval: None };
        }
        let half = self.reach * self.relative_error(counts, point) * widening;
        Figure { point, interval: Some(Interval { low: point * (-half).exp(), high: point * half.exp() }) }
    }

    /// The standard error of a prediction on the scale of ratios: the error of the terms and the scatter of
    /// single cells about the model.
    fn relative_error(&self, counts: &Regressors, point: f64) -> f64 {
        let mut variance = 0.0;
        for (row, one) in self.covariance.iter().zip(&self.terms) {
            for (covariance, other) in row.iter().zip(&self.terms) {
                variance += covariance * counts[one.regressor] * counts[other.regressor];
            }
        }
        (variance.max(0.0) / point.powi(2) + self.scatter.powi(2)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> FittedModel {
        let term = |regressor, value| Term { regressor, value, low: value / 2.0, high: value * 2.0 };
        FittedModel {
            terms: vec![term(Regressor::Messages, 2.0), term(Regressor::Publishes, 10.0)],
            covariance: vec![vec![0.01, 0.0], vec![0.0, 1.0]],
            scatter: 0.1,
            reach: 2.0,
            cells: 9,
        }
    }

    fn counts(messages: f64, publishes: f64) -> Regressors {
        let mut counts = Regressors::default();
        counts[Regressor::Messages] = messages;
        counts[Regressor::Publishes] = publishes;
        counts
    }

    #[test]
    fn costs_add_up() {
        assert!((model().predict(&counts(20.0, 6.0), 1.0).point - 100.0).abs() < 1e-9);
    }

    #[test]
    fn the_interval_holds_scatter_and_terms_and_widens_on_demand() {
        let half = |figure: Figure| (figure.high() / figure.point).ln();
        let plain = model().predict(&counts(20.0, 6.0), 1.0);
        // Variance: 0.01 × 20² + 1 × 6² = 40, over 100², and the scatter's 0.1².
        assert!((half(plain) - 2.0 * (0.004_f64 + 0.01).sqrt()).abs() < 1e-9);
        let wide = model().predict(&counts(20.0, 6.0), 3.0);
        assert!((half(wide) - 3.0 * half(plain)).abs() < 1e-9);
    }

    #[test]
    fn nothing_costs_nothing() {
        assert_eq!(model().predict(&Regressors::default(), 1.0), Figure { point: 0.0, interval: None });
    }
}
