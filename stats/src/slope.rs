//! The straight line through points.

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use crate::{Figure, Interval, UPPER_END};

/// The least-squares line through points, its interval by Student's t where a point is left over.
#[expect(clippy::cast_precision_loss, reason = "a number of sizes is far below 2^53")]
#[must_use]
pub fn slope(points: &[(f64, f64)]) -> Option<Figure> {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|it| it.0), mean(|it| it.1));
    let spread: f64 = points.iter().map(|it| (it.0 - x).powi(2)).sum();
    if points.len() < 2 || spread <= 0.0 {
        return None;
    }
    let point = points.iter().map(|it| (it.0 - x) * (it.1 - y)).sum::<f64>() / spread;
    let left: f64 = points.iter().map(|it| (it.1 - y - point * (it.0 - x)).powi(2)).sum();
    let interval = (points.len() > 2).then(|| StudentsT::new(0.0, 1.0, count - 2.0).ok()).flatten().map(|t| {
        let half = t.inverse_cdf(UPPER_END) * (left / (count - 2.0) / spread).sqrt();
        Interval { low: point - half, high: point + half }
    });
    Some(Figure { point, interval })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_costs_the_same_at_every_size_has_no_slope_and_what_doubles_has_one_of_one() {
        let at = |size: f64, cost: f64| (size.ln(), cost.ln());
        assert!(slope(&[at(100.0, 7.0), at(10_000.0, 7.0)]).unwrap().point.abs() < 1e-12);
        let figure = slope(&[at(100.0, 1.0), at(1_000.0, 10.0), at(10_000.0, 100.0)]).unwrap();
        assert!((figure.point - 1.0).abs() < 1e-9 && (figure.high() - 1.0).abs() < 1e-6, "{figure:?}");
    }

    #[test]
    fn two_sizes_have_a_slope_without_an_interval_and_one_has_none() {
        assert!(slope(&[(1.0, 1.0), (2.0, 2.0)]).unwrap().interval.is_none());
        assert!(slope(&[(1.0, 1.0)]).is_none() && slope(&[]).is_none());
    }
}
