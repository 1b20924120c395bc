//! Non-negative least squares on relative errors: how a [`FittedModel`] is found.
//!
//! Costs range over four decades, so the error in per cent is minimised: each cell counts the same. The
//! solution of non-negative least squares (Lawson & Hanson 1974, ch. 23) is the ordinary solution of one
//! subset of the terms, with the other terms zero. There are few terms, so every subset is tried.

use nalgebra::{DMatrix, DVector};
use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::fitted::{FittedModel, Term};
use super::regressors::{Regressor, Regressors};

/// Where a 95 % interval ends.
const UPPER_END: f64 = 0.975;
/// The least scatter that is believed of a few cells: half a per mille, the resolution of a histogram.
const LEAST_SCATTER: f64 = 5e-4;
/// A term below this part of the largest is rounding error and counts as zero.
const LEAST_PART: f64 = 1e-9;

/// One measured cell: the counts of the regressors and the cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observation {
    pub(crate) counts: Regressors,
    /// Above 0.
    pub(crate) cost: f64,
}

/// The model by some of these regressors that lies nearest to the observations; none where they are too few.
///
/// Where costs are `exact`, counted and not timed, as many observations as terms are enough.
pub(crate) fn fit(regressors: &[Regressor], exact: bool, observations: &[Observation]) -> Option<FittedModel> {
    let seen = |regressor: &Regressor| observations.iter().any(|it| it.counts[*regressor] > 0.0);
    let regressors: Vec<Regressor> = regressors.iter().copied().filter(seen).collect();
    let subsets = 1..1_u32 << regressors.len();
    let solutions = subsets.filter_map(|subset| {
        let is_chosen = |(place, regressor): (usize, &Regressor)| (subset >> place & 1 == 1).then_some(*regressor);
        let chosen: Vec<Regressor> = regressors.iter().enumerate().filter_map(is_chosen).collect();
        let spare = usize::from(!exact);
        (observations.len() >= chosen.len() + spare).then(|| Solution::of(&chosen, observations)).flatten()
    });
    let best = solutions.min_by(|one, other| {
        one.residual.total_cmp(&other.residual).then(one.regressors.len().cmp(&other.regressors.len()))
    })?;
    best.model(observations)
}

/// The least squares of one subset of terms, all above zero.
struct Solution {
    regressors: Vec<Regressor>,
    values: DVector<f64>,
    /// (XᵀX)⁻¹ of the relative errors.
    inverse: DMatrix<f64>,
    residual: f64,
}

impl Solution {
    fn of(regressors: &[Regressor], observations: &[Observation]) -> Option<Self> {
        let design = DMatrix::from_fn(observations.len(), regressors.len(), |row, column| {
            observations[row].counts[regressors[column]] / observations[row].cost
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
        let values = DVector::from_fn(regressors.len(), |place, _| solved[place] / norms[place]);
        let inverse = DMatrix::from_fn(regressors.len(), regressors.len(), |row, column| {
            inverse[(row, column)] / (norms[row] * norms[column])
        });
        let all_cost = values.iter().all(|value| *value > 0.0);
        all_cost.then(|| Self { regressors: regressors.to_vec(), values, inverse, residual })
    }

    fn model(&self, observations: &[Observation]) -> Option<FittedModel> {
        let degrees = observations.len().saturating_sub(self.regressors.len()).max(1);
        let degrees = f64::from(u32::try_from(degrees).ok()?);
        let errors = observations.iter().map(|it| {
            let parts = self.regressors.iter().zip(&self.values);
            (parts.map(|(regressor, value)| it.counts[*regressor] * value).sum::<f64>() / it.cost).ln().powi(2)
        });
        let scatter = (errors.sum::<f64>() / degrees).sqrt().max(LEAST_SCATTER);
        let reach = StudentsT::new(0.0, 1.0, degrees).ok()?.inverse_cdf(UPPER_END);
        let covariance = &self.inverse * scatter.powi(2);
        let term = |place: usize| {
            let (value, half) = (self.values[place], reach * covariance[(place, place)].sqrt());
            Term { regressor: self.regressors[place], value, low: (value - half).max(0.0), high: value + half }
        };
        Some(FittedModel {
            terms: (0..self.regressors.len()).map(term).collect(),
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

    fn fit(observations: &[Observation]) -> Option<FittedModel> {
        super::fit(&[Regressor::Messages, Regressor::Publishes, Regressor::Kibibytes], false, observations)
    }

    fn observation(messages: f64, publishes: f64, kibibytes: f64, cost: f64) -> Observation {
        let mut counts = Regressors::default();
        counts[Regressor::Messages] = messages;
        counts[Regressor::Publishes] = publishes;
        counts[Regressor::Kibibytes] = kibibytes;
        Observation { counts, cost }
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

    fn value(fitted: &FittedModel, regressor: Regressor) -> f64 {
        fitted.terms.iter().find(|term| term.regressor == regressor).map_or(0.0, |term| term.value)
    }

    #[test]
    fn what_was_put_in_is_found_again() {
        let fitted = fit(&made(|messages, publishes, kib| 5.0 * messages + 60.0 * publishes + 0.3 * kib)).unwrap();
        for (regressor, expected) in
            [(Regressor::Messages, 5.0), (Regressor::Publishes, 60.0), (Regressor::Kibibytes, 0.3)]
        {
            assert!((value(&fitted, regressor) / expected - 1.0).abs() < 1e-6, "{fitted:?}");
        }
    }

    #[test]
    fn nothing_costs_less_than_nothing() {
        // A KiB seems to save time: it is left out instead.
        let fitted = fit(&made(|messages, publishes, kib| 5.0 * messages + 60.0 * publishes - 0.01 * kib)).unwrap();
        assert!(fitted.terms.iter().all(|term| term.value > 0.0 && term.low >= 0.0));
        assert!(value(&fitted, Regressor::Kibibytes).abs() < f64::EPSILON);
    }

    #[test]
    fn what_always_goes_together_is_not_told_apart_and_does_not_fail() {
        let twins: Vec<_> = LOADS.iter().map(|load| observation(load.0, load.0, 0.0, 7.0 * load.0)).collect();
        let fitted = fit(&twins).unwrap();
        let total: f64 = fitted.terms.iter().map(|term| term.value).sum();
        assert!((total - 7.0).abs() < 1e-6, "{fitted:?}");
    }

    #[test]
    fn too_few_cells_fit_nothing() {
        let one = &made(|messages, _, _| messages)[..1];
        assert!(fit(&[]).is_none() && fit(one).is_none());
        assert!(super::fit(&[Regressor::Messages], true, one).is_some(), "what is counted is exact");
    }

    proptest! {
        #[test]
        fn of_noisy_cells_the_interval_is_honest(errors in prop::array::uniform8(-0.1..0.1_f64)) {
            let mut cells = made(|messages, publishes, _| 5.0 * messages + 60.0 * publishes);
            for (cell, error) in cells.iter_mut().zip(errors) {
                cell.cost *= error.exp();
            }
            let fitted = fit(&cells).unwrap();
            for cell in &cells {
                let predicted = fitted.predict(&cell.counts, 1.0);
                // Errors within a tenth: no prediction may be off by more than twice that.
                prop_assert!((predicted.point / cell.cost).ln().abs() < 0.2, "{predicted:?} for {}", cell.cost);
            }
        }
    }
}
