//! The share of deliveries that arrived within a time: where the bulk lies.

use pushoff_model::Transport;

use super::axis::Axis;
use super::canvas::{Hold, Ink, Margins, draw};
use super::{Chart, Rows, Scales};
use crate::ReportError;
use crate::findings::comparison::Comparison;
use crate::metric::Metric;
use crate::words::number::{Quantity, tick};
use pushoff_stats::{Figure, Pool};

/// Points of a curve.
const STEPS: u32 = 100;

struct Curve {
    transport: Transport,
    /// Latency and the share that it took at most.
    points: Vec<(f64, f64)>,
    median: f64,
}

/// Draws the cumulative distribution.
pub(super) fn chart(comparison: &Comparison<'_>, scales: &Scales) -> Result<Option<Chart>, ReportError> {
    let mut curves: Vec<Curve> = comparison
        .charted()
        .filter_map(|(cell, _, figures)| {
            let histograms: Vec<_> = cell.valid().into_iter().map(|it| &it.delivery_latency).collect();
            let points = curve(&Pool::new(&histograms), histograms.len());
            Some(Curve { transport: cell.transport(), points, median: figures.get(Metric::P50)?.point })
        })
        .collect();
    if curves.is_empty() {
        return Ok(None);
    }
    curves.sort_by(|one, other| one.median.total_cmp(&other.median));
    let within = comparison.slo.within.as_secs_f64() * 1e9;
    let axes = (Axis::latency("delivery latency", scales.latency), Axis::shares("share of deliveries"));
    let drawing = draw(axes.0, axes.1, Margins::LINES, |canvas| {
        canvas.slo_up(within, &format!("SLO {}", tick(within)))?;
        for curve in &curves {
            let width = if curve.transport.is_ranked() { 6 } else { 3 };
            canvas.line(&curve.points, Ink::of(curve.transport), width)?;
        }
        for (index, curve) in curves.iter().enumerate() {
            // Each name at a height of its own, led to its curve there.
            let y = canvas.row(index, curves.len());
            let height = f64::from(canvas.bottom() - canvas.top());
            let share = f64::from(canvas.bottom() - y) / height;
            let at = curve.points.iter().find(|point| point.1 >= share).map_or(curve.median, |point| point.0);
            canvas.rule((canvas.at_x(at), y), (canvas.right() + 36, y), Ink::RULE, 3)?;
            canvas.text((canvas.right() + 42, y), curve.transport.label(), Ink::of(curve.transport), Hold::Left)?;
            let says =
                format!("{}: {:.0} % within {}", curve.transport.label(), share * 100.0, Quantity::Time.write(at));
            canvas.point((canvas.at_x(at), y), curve.transport, false, &says);
        }
        Ok(())
    })?;
    Ok(Some(Chart {
        key: "cdf",
        title: title(comparison),
        description: "Line chart of the share of deliveries that arrived within a time, a line a transport, time on \
                      a log axis, and the SLO's time as a vertical line."
            .into(),
        drawing,
        rows: rows(&curves),
    }))
}

fn curve(pool: &Pool, trials: usize) -> Vec<(f64, f64)> {
    let shares: Vec<f64> = (0..=STEPS).map(|step| f64::from(step) / f64::from(STEPS)).collect();
    let values = pool.quantiles(&vec![1; trials], &shares);
    values.into_iter().zip(shares).filter_map(|(value, share)| Some((value?, share))).collect()
}

/// From which to which the medians of the ranked transports run.
fn title(comparison: &Comparison<'_>) -> String {
    let mut medians: Vec<(Transport, Figure)> =
        comparison.compared().filter_map(|(transport, figures)| Some((transport, figures.get(Metric::P50)?))).collect();
    medians.sort_by(|one, other| one.1.point.total_cmp(&other.1.point));
    let (Some(least), Some(most)) = (medians.first(), medians.last()) else {
        return "Share of deliveries by time: too few trials to compare".into();
    };
    if comparison.are_near(&least.1, &most.1) {
        return "The medians are too close to call".into();
    }
    let near: Vec<Transport> = medians
        .iter()
        .filter(|(_, median)| comparison.are_near(median, &least.1))
        .map(|(transport, _)| *transport)
        .collect();
    let close = if near.len() > 1 { " (too close to call)" } else { "" };
    format!(
        "Half of all deliveries take up to {} on {}{close}, up to {} on {}",
        Quantity::Time.write(least.1.point),
        crate::words::text::list(&near),
        Quantity::Time.write(most.1.point),
        most.0.label()
    )
}

fn rows(curves: &[Curve]) -> Rows {
    let shares = [10_usize, 25, 50, 75, 90, 95, 99];
    let head = ["transport", "10 %", "25 %", "50 %", "75 %", "90 %", "95 %", "99 %"];
    let body = curves.iter().map(|curve| {
        let at = |share: &usize| curve.points.get(*share).map_or_else(String::new, |it| Quantity::Time.write(it.0));
        [curve.transport.label().to_owned()].into_iter().chain(shares.iter().map(at)).collect()
    });
    Rows::new(head, body.collect())
}
