//! Least squares for the [`Law`]s: of relative errors, and with no cost below zero.
//!
//! Costs range over four decades, so what is made small is the error in per cent: each cell counts the
//! same. Non-negative least squares (Lawson & Hanson 1974, ch. 23) have their solution in one subset of
//! the terms, the others being zero; of so few terms all subsets are tried.

use nalgebra::{DMatrix, DVector};
use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::drivers::{Driver, Drivers};
use super::law::{Law, Term};

/// Where a 95 % interval ends.
const UPPER_END: f64 = 0.975;
/// The least scatter that is believed of a few cells: half a per mille, the resolution of a histogram.
const LEAST_SCATTER: f64 = 5e-4;
/// A cost of which the least part is below this of its largest term is taken for none: it is what is
/// left of rounding.
const LEAST_PART: f64 = 1e-9;

/// What one cell measured: so many of each, at that cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observation {
    pub(super) drivers: Drivers,
    /// Above 0.
    pub(super) cost: f64,
}

/// The law by some of these drivers that lies nearest to the observations; none where they are too few.
///
/// Where costs are `exact`, counted and not timed, as many observations as terms are enough.
pub(super) fn fit(drivers: &[Driver], exact: bool, observations: &[Observation]) -> Option<Law> {
    let seen = |driver: &Driver| observations.iter().any(|it| it.drivers[*driver] > 0.0);
    let drivers: Vec<Driver> = drivers.iter().copied().filter(seen).collect();
    let subsets = 1..1_u32 << drivers.len();
    let solutions = subsets.filter_map(|subset| {
        let is_chosen = |(place, driver): (usize, &Driver)| (subset >> place & 1 == 1).then_some(*driver);
        let chosen: Vec<Driver> = drivers.iter().enumerate().filter_map(is_chosen).collect();
        let spare = usize::from(!exact);
        (observations.len() >= chosen.len() + spare).then(|| Solution::of(&chosen, observations)).flatten()
    });
    let best = solutions.min_by(|one, other| {
        one.residual.total_cmp(&other.residual).then(one.drivers.len().cmp(&other.drivers.len()))
    })?;
    best.law(observations)
}

/// The least squares of one subset of terms, all above zero.
struct Solution {
    drivers: Vec<Driver>,
    values: DVector<f64>,
    /// (XᵀX)⁻¹ of the relative errors.
    inverse: DMatrix<f64>,
    residual: f64,
}

impl Solution {
    fn of(drivers: &[Driver], observations: &[Observation]) -> Option<Self> {
        let design = DMatrix::from_fn(observations.len(), drivers.len(), |row, column| {
            observations[row].drivers[drivers[column]] / observations[row].cost
        });
        let ones = DVector::repeat(observations.len(), 1.0);
        // Columns of one length, so that what is singular shows whatever the units.
        let norms: Vec<f64> = design.column_iter().map(|column| column.norm()).collect();
        if norms.iter().any(|norm| *norm <= 0.0) {
            return None;
        }
        let scaled =
            DMatrix::from_fn(design.nrows(), design.ncols(), |row, column| design[(row, column)] / norms[column]);
        let inverse = (scaled.transpose() * &scaled).cholesky()?.inverse();
        if inverse.iter().any(|part| part.abs() > 1.0 / LEAST_PART) {
            return None;
        }
        let solved = &inverse * (scaled.transpose() * &ones);
        let residual = (&scaled * &solved - ones).norm_squared();
        let values = DVector::from_fn(drivers.len(), |place, _| solved[place] / norms[place]);
        let inverse = DMatrix::from_fn(drivers.len(), drivers.len(), |row, column| {
            inverse[(row, column)] / (norms[row] * norms[column])
        });
        let all_cost = values.iter().all(|value| *value > 0.0);
        all_cost.then(|| Self { drivers: drivers.to_vec(), values, inverse, residual })
    }

    fn law(&self, observations: &[Observation]) -> Option<Law> {
        let degrees = observations.len().saturating_sub(self.drivers.len()).max(1);
        let degrees = f64::from(u32::try_from(degrees).ok()?);
        let errors = observations.iter().map(|it| {
            let parts = self.drivers.iter().zip(&self.values);
            (parts.map(|(driver, value)| it.drivers[*driver] * value).sum::<f64>() / it.cost).ln().powi(2)
        });
        let scatter = (errors.sum::<f64>() / degrees).sqrt().max(LEAST_SCATTER);
        let reach = StudentsT::new(0.0, 1.0, degrees).ok()?.inverse_cdf(UPPER_END);
        let covariance = &self.inverse * scatter.powi(2);
        let term = |place: usize| {
            let (value, half) = (self.values[place], reach * covariance[(place, place)].sqrt());
            Term { driver: self.drivers[place], value, low: (value - half).max(0.0), high: value + half }
        };
        Some(Law {
            terms: (0..self.drivers.len()).map(term).collect(),
            covariance: covariance.row_iter().map(|row| row.iter().copied().collect()).collect(),
            scatter,
            reach,
            cells: observations.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fit(observations: &[Observation]) -> Option<Law> {
        super::fit(&[Driver::Messages, Driver::Publishes, Driver::Kibibytes], false, observations)
    }

    fn observation(messages: f64, publishes: f64, kibibytes: f64, cost: f64) -> Observation {
        let mut drivers = Drivers::default();
        drivers[Driver::Messages] = messages;
        drivers[Driver::Publishes] = publishes;
        drivers[Driver::Kibibytes] = kibibytes;
        Observation { drivers, cost }
    }

    /// Loads as a grid has them.
    const LOADS: [(f64, f64, f64); 8] = [
        (100.0, 10.0, 12.0),
        (1_000.0, 10.0, 125.0),
        (40_000.0, 40.0, 5_000.0),
        (1_000.0, 1_000.0, 500.0),
        (4_000.0, 400.0, 2_000.0),
        (10_000.0, 1.0, 80_000.0),
        (98.0, 98.0, 12.0),
        (20_000.0, 400.0, 20_000.0),
    ];

    fn made(cost: impl Fn(f64, f64, f64) -> f64) -> Vec<Observation> {
        LOADS
            .iter()
            .map(|&(messages, publishes, kib)| observation(messages, publishes, kib, cost(messages, publishes, kib)))
            .collect()
    }

    fn value(law: &Law, driver: Driver) -> f64 {
        law.terms.iter().find(|term| term.driver == driver).map_or(0.0, |term| term.value)
    }

    #[test]
    fn what_was_put_in_is_found_again() {
        let law = fit(&made(|messages, publishes, kib| 5.0 * messages + 60.0 * publishes + 0.3 * kib)).unwrap();
        for (driver, expected) in [(Driver::Messages, 5.0), (Driver::Publishes, 60.0), (Driver::Kibibytes, 0.3)] {
            assert!((value(&law, driver) / expected - 1.0).abs() < 1e-6, "{law:?}");
        }
    }

    #[test]
    fn nothing_costs_less_than_nothing() {
        // A KiB seems to save time: it is left out instead.
        let law = fit(&made(|messages, publishes, kib| 5.0 * messages + 60.0 * publishes - 0.01 * kib)).unwrap();
        assert!(law.terms.iter().all(|term| term.value > 0.0 && term.low >= 0.0));
        assert!(value(&law, Driver::Kibibytes).abs() < f64::EPSILON);
    }

    #[test]
    fn what_always_goes_together_is_not_told_apart_and_does_not_fail() {
        let twins: Vec<_> = LOADS.iter().map(|load| observation(load.0, load.0, 0.0, 7.0 * load.0)).collect();
        let law = fit(&twins).unwrap();
        let total: f64 = law.terms.iter().map(|term| term.value).sum();
        assert!((total - 7.0).abs() < 1e-6, "{law:?}");
    }

    #[test]
    fn too_few_cells_fit_nothing() {
        let one = &made(|messages, _, _| messages)[..1];
        assert!(fit(&[]).is_none() && fit(one).is_none());
        assert!(super::fit(&[Driver::Messages], true, one).is_some(), "what is counted is exact");
    }

    proptest! {
        #[test]
        fn of_noisy_cells_the_interval_is_honest(errors in prop::array::uniform8(-0.1..0.1_f64)) {
            let mut cells = made(|messages, publishes, _| 5.0 * messages + 60.0 * publishes);
            for (cell, error) in cells.iter_mut().zip(errors) {
                cell.cost *= error.exp();
            }
            let law = fit(&cells).unwrap();
            for cell in &cells {
                let predicted = law.predict(&cell.drivers, 1.0);
                // Errors within a tenth: no prediction may be off by more than twice that.
                prop_assert!((predicted.point / cell.cost).ln().abs() < 0.2, "{predicted:?} for {}", cell.cost);
            }
        }
    }
}
