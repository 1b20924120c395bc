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
