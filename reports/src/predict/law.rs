//! How a cost follows from what it is counted by: a sum of so much a message, a poll, a user, raised
//! to an exponent where the busier a server is, the less each of them costs.

use serde::{Deserialize, Serialize};

use super::drivers::{Driver, Drivers};
use crate::compare::{Figure, Interval};

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

/// A fitted law: pivot × (Σ value × driver ÷ pivot)^exponent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Law {
    /// What one of each costs, where all together cost the pivot. None is below zero.
    pub(crate) terms: Vec<Term>,
    /// 1 where costs add up; below, where the busier the less each costs.
    pub(crate) exponent: f64,
    /// The cost at which the terms are exact.
    pub(crate) pivot: f64,
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
        let work: f64 = self.terms.iter().map(|term| term.value * drivers[term.driver]).sum();
        if work <= 0.0 {
            return Figure { point: 0.0, interval: None };
        }
        let point = self.pivot * (work / self.pivot).powf(self.exponent);
        let half = self.reach * self.relative_error(drivers, work) * widening;
        Figure { point, interval: Some(Interval { low: point * (-half).exp(), high: point * half.exp() }) }
    }

    /// The standard error of a prediction on the scale of ratios: that of the terms, and the scatter
    /// of single cells about the law.
    fn relative_error(&self, drivers: &Drivers, work: f64) -> f64 {
        let mut variance = 0.0;
        for (row, one) in self.covariance.iter().zip(&self.terms) {
            for (covariance, other) in row.iter().zip(&self.terms) {
                variance += covariance * drivers[one.driver] * drivers[other.driver];
            }
        }
        (self.exponent / work).mul_add(self.exponent / work * variance.max(0.0), self.scatter.powi(2)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law(exponent: f64) -> Law {
        let term = |driver, value| Term { driver, value, low: value / 2.0, high: value * 2.0 };
        Law {
            terms: vec![term(Driver::Messages, 2.0), term(Driver::Publishes, 10.0)],
            exponent,
            pivot: 100.0,
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
    fn costs_add_up_and_with_an_exponent_below_one_they_shrink_with_use() {
        let cost = |exponent, messages, publishes| law(exponent).predict(&drivers(messages, publishes), 1.0).point;
        assert!((cost(1.0, 20.0, 6.0) - 100.0).abs() < 1e-9);
        assert!((cost(0.8, 20.0, 6.0) - 100.0).abs() < 1e-9, "exact at the pivot");
        assert!((cost(1.0, 200.0, 60.0) - 1_000.0).abs() < 1e-6);
        assert!((cost(0.8, 200.0, 60.0) - 100.0 * 10_f64.powf(0.8)).abs() < 1e-6);
    }

    #[test]
    fn the_interval_holds_scatter_and_terms_and_widens_on_demand() {
        let half = |figure: Figure| (figure.high() / figure.point).ln();
        let plain = law(1.0).predict(&drivers(20.0, 6.0), 1.0);
        // Variance: 0.01 × 20² + 1 × 6² = 40, over 100², and the scatter's 0.1².
        assert!((half(plain) - 2.0 * (0.004_f64 + 0.01).sqrt()).abs() < 1e-9);
        let wide = law(1.0).predict(&drivers(20.0, 6.0), 3.0);
        assert!((half(wide) - 3.0 * half(plain)).abs() < 1e-9);
    }

    #[test]
    fn nothing_costs_nothing() {
        assert_eq!(law(0.9).predict(&Drivers::default(), 1.0), Figure { point: 0.0, interval: None });
    }
}
