//! How a cost follows from what it is counted by: a sum of so much a message, a poll, a user.

use serde::{Deserialize, Serialize};

use super::drivers::{Driver, Drivers};
use pushoff_stats::{Figure, Interval};

/// What one of a driver costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Term {
    /// Of what.
    pub(crate) driver: Driver,
    /// So much, in the unit of the law.
    pub(crate) value: f64,
    /// The ends of its 95 % interval.
    pub(crate) low: f64,
    /// The upper one.
    pub(crate) high: f64,
}

/// A fitted law: Σ value × driver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Law {
    /// What one of each costs. None is below zero.
    pub(crate) terms: Vec<Term>,
    /// The covariance of the terms' values.
    pub(crate) covariance: Vec<Vec<f64>>,
    /// By how much a cell lies beside the law, a standard deviation on the scale of ratios.
    pub(crate) scatter: f64,
    /// Standard deviations to the end of a 95 % interval: Student's t.
    pub(crate) reach: f64,
    /// How many cells it rests on.
    pub(crate) cells: usize,
}

impl Law {
    /// What that many of each cost, and between what it lies 19 times out of 20; `widening` makes the
    /// interval wider, on the scale of ratios, where the law is asked beyond what it was fitted to.
    pub(crate) fn predict(&self, drivers: &Drivers, widening: f64) -> Figure {
        let point: f64 = self.terms.iter().map(|term| term.value * drivers[term.driver]).sum();
        if point <= 0.0 {
            return Figure { point: 0.0, interval: None };
        }
        let half = self.reach * self.relative_error(drivers, point) * widening;
        Figure { point, interval: Some(Interval { low: point * (-half).exp(), high: point * half.exp() }) }
    }

    /// The standard error of a prediction on the scale of ratios: that of the terms, and the scatter
    /// of single cells about the law.
    fn relative_error(&self, drivers: &Drivers, point: f64) -> f64 {
        let mut variance = 0.0;
        for (row, one) in self.covariance.iter().zip(&self.terms) {
            for (covariance, other) in row.iter().zip(&self.terms) {
                variance += covariance * drivers[one.driver] * drivers[other.driver];
            }
        }
        (variance.max(0.0) / point.powi(2) + self.scatter.powi(2)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law() -> Law {
        let term = |driver, value| Term { driver, value, low: value / 2.0, high: value * 2.0 };
        Law {
            terms: vec![term(Driver::Messages, 2.0), term(Driver::Publishes, 10.0)],
            covariance: vec![vec![0.01, 0.0], vec![0.0, 1.0]],
            scatter: 0.1,
            reach: 2.0,
            cells: 9,
        }
    }

    fn drivers(messages: f64, publishes: f64) -> Drivers {
        let mut drivers = Drivers::default();
        drivers[Driver::Messages] = messages;
        drivers[Driver::Publishes] = publishes;
        drivers
    }

    #[test]
    fn costs_add_up() {
        assert!((law().predict(&drivers(20.0, 6.0), 1.0).point - 100.0).abs() < 1e-9);
    }

    #[test]
    fn the_interval_holds_scatter_and_terms_and_widens_on_demand() {
        let half = |figure: Figure| (figure.high() / figure.point).ln();
        let plain = law().predict(&drivers(20.0, 6.0), 1.0);
        // Variance: 0.01 × 20² + 1 × 6² = 40, over 100², and the scatter's 0.1².
        assert!((half(plain) - 2.0 * (0.004_f64 + 0.01).sqrt()).abs() < 1e-9);
        let wide = law().predict(&drivers(20.0, 6.0), 3.0);
        assert!((half(wide) - 3.0 * half(plain)).abs() < 1e-9);
    }

    #[test]
    fn nothing_costs_nothing() {
        assert_eq!(law().predict(&Drivers::default(), 1.0), Figure { point: 0.0, interval: None });
    }
}
