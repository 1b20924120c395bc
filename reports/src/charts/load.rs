//! Latency as the load grows: every load that was measured, the knee of each transport, and beyond.

use super::axis::{Axis, snug};
use super::canvas::{Ink, Margins, draw};
use super::{Chart, NOTHING, Rows, widen};
use crate::ReportError;
use crate::findings::search::{AT_A_LOAD, Curve, LoadPoint, Searched};
use crate::metric::Metric;
use crate::words::number::{ABSENT, Quantity, asked_share, tick};

/// Draws p99 over the offered load; `None` where nothing was measured.
pub(crate) fn chart(searched: &Searched<'_>) -> Result<Option<Chart>, ReportError> {
    let within = searched.slo.within.as_secs_f64() * 1e9;
    let (mut loads, mut latency) = (NOTHING, (within / 3.0, within));
    for (point, p99) in searched.curves.iter().flat_map(|curve| &curve.points).filter_map(seen) {
        widen(&mut loads, point.offered_per_second);
        widen(&mut latency, p99);
    }
    if loads.1 <= 0.0 || loads.0 <= 0.0 {
        return Ok(None);
    }
    let axes = (
        Axis::log("deliveries a second that were due", snug(loads), Quantity::Rate),
        Axis::latency("delivery latency, p99", snug(latency)),
    );
    let drawing = draw(axes.0, axes.1, Margins::LINES, |canvas| {
        let limit = asked_share(searched.slo.share.as_f64());
        let opening = if searched.is_bounded { "SLO" } else { "no bound" };
        canvas.slo_across(within, &format!("{opening}: {limit} in {}", tick(within)))?;
        for curve in searched.curves.iter().rev() {
            let ink = Ink::of(curve.transport);
            let line: Vec<_> =
                curve.points.iter().filter_map(seen).map(|(it, p99)| (it.offered_per_second, p99)).collect();
            canvas.line(&line, ink, if curve.transport.is_ranked() { 6 } else { 3 })?;
            if let Some(capacity) = curve.capacity {
                let (most, y) = (capacity.deliveries_per_second, canvas.at_y(within));
                canvas.rule((canvas.at_x(most.low()), y), (canvas.at_x(most.high()), y), ink, 20)?;
                canvas.rule((canvas.at_x(most.point), y - 44), (canvas.at_x(most.point), y + 44), ink, 8)?;
            }
        }
        let last = |curve: &Curve| {
            let (point, p99) = curve.points.iter().filter_map(seen).next_back()?;
            Some((point.offered_per_second, p99, curve.transport))
        };
        canvas.end_labels(&searched.curves.iter().filter_map(last).collect::<Vec<_>>())?;
        for curve in &searched.curves {
            for (point, p99) in curve.points.iter().filter_map(seen) {
                let at = (canvas.at_x(point.offered_per_second), canvas.at_y(p99));
                canvas.point(at, curve.transport, point.is_void(), &says(curve, point, p99));
            }
        }
        Ok(())
    })?;
    Ok(Some(Chart {
        key: "load",
        title: title(searched),
        description: "Line chart of the 99th percentile of delivery latency over the deliveries a second that were \
                      due, both on log axes, a line a transport with a point a load. The SLO is a horizontal line; on \
                      it each transport's capacity is marked with its interval as a band. Hollow points are void."
            .into(),
        drawing,
        rows: rows(searched),
    }))
}

fn seen(point: &LoadPoint) -> Option<(&LoadPoint, f64)> {
    let p99 = point.figures.get(Metric::P99)?.point;
    (p99 > 0.0 && point.offered_per_second > 0.0).then_some((point, p99))
}

fn says(curve: &Curve, point: &LoadPoint, p99: f64) -> String {
    let void = if point.is_void() { format!(", void: {}", point.validity.label()) } else { String::new() };
    format!(
        "{}, {} due: p99 {}{void}",
        curve.transport.label(),
        Quantity::Rate.write(point.offered_per_second),
        Quantity::Time.write(p99)
    )
}

/// The first sentence of the verdict says what is seen.
fn title(searched: &Searched<'_>) -> String {
    let sentence = searched.sentence.to_string();
    let first = sentence.split_inclusive(". ").next().unwrap_or_default();
    first.trim_end().trim_end_matches('.').to_owned()
}

fn rows(searched: &Searched<'_>) -> Rows {
    let head = ["transport", "due", "trials", "limit", "SLO"].into_iter().chain(AT_A_LOAD.map(Metric::label));
    let body = searched.curves.iter().flat_map(|curve| {
        curve.points.iter().map(move |it| {
            let judged = match (it.holds, it.is_void()) {
                (true, _) => "holds",
                (false, true) => "void",
                (false, false) => "breaks",
            };
            let figure = |metric: Metric| {
                let figure = it.figures.get(metric);
                figure.map_or_else(|| ABSENT.to_owned(), |it| metric.unit().write(it.point))
            };
            let load = [
                curve.transport.label().to_owned(),
                Quantity::Rate.write(it.offered_per_second),
                it.trials.to_string(),
                it.validity.label().to_owned(),
                judged.to_owned(),
            ];
            load.into_iter().chain(AT_A_LOAD.map(figure)).collect::<Vec<_>>()
        })
    });
    Rows::new(head, body.collect())
}
