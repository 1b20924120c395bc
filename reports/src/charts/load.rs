//! Latency as the load grows: every load that was measured, the knee of each transport, and beyond.

use super::axis::{Axis, snug};
use super::canvas::{Ink, Margins, draw};
use super::{Chart, NOTHING, Rows, widen};
use crate::ReportError;
use crate::findings::search::{Curve, Searched, Stand};
use crate::words::number::{ABSENT, Quantity, asked_share, tick};

/// Draws p99 over the offered load; `None` where nothing was measured.
pub(crate) fn chart(searched: &Searched<'_>) -> Result<Option<Chart>, ReportError> {
    let within = searched.slo.within.as_secs_f64() * 1e9;
    let (mut loads, mut latency) = (NOTHING, (within / 3.0, within));
    for (stand, p99) in searched.curves.iter().flat_map(|curve| &curve.stands).filter_map(seen) {
        widen(&mut loads, stand.offered_per_second);
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
                curve.stands.iter().filter_map(seen).map(|(it, p99)| (it.offered_per_second, p99)).collect();
            canvas.line(&line, ink, if curve.transport.is_ranked() { 6 } else { 3 })?;
            if let Some(capacity) = curve.capacity {
                let (most, y) = (capacity.deliveries_per_second, canvas.at_y(within));
                canvas.rule((canvas.at_x(most.low()), y), (canvas.at_x(most.high()), y), ink, 20)?;
                canvas.rule((canvas.at_x(most.point), y - 44), (canvas.at_x(most.point), y + 44), ink, 8)?;
            }
        }
        let last = |curve: &Curve| {
            let (stand, p99) = curve.stands.iter().filter_map(seen).next_back()?;
            Some((stand.offered_per_second, p99, curve.transport))
        };
        canvas.end_labels(&searched.curves.iter().filter_map(last).collect::<Vec<_>>())?;
        for curve in &searched.curves {
            for (stand, p99) in curve.stands.iter().filter_map(seen) {
                let at = (canvas.at_x(stand.offered_per_second), canvas.at_y(p99));
                canvas.point(at, curve.transport, stand.is_void(), &says(curve, stand, p99));
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

fn seen(stand: &Stand) -> Option<(&Stand, f64)> {
    stand.p99_ns.map(|p99| (stand, p99.point)).filter(|it| it.1 > 0.0 && stand.offered_per_second > 0.0)
}

fn says(curve: &Curve, stand: &Stand, p99: f64) -> String {
    let void = if stand.is_void() { format!(", void: {}", stand.validity.label()) } else { String::new() };
    format!(
        "{}, {} due: p99 {}{void}",
        curve.transport.label(),
        Quantity::Rate.write(stand.offered_per_second),
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
    let head = [
        "transport",
        "due",
        "trials",
        "limit",
        "SLO",
        "in time",
        "p50",
        "p99",
        "messages a segment",
        "lost",
        "missed",
        "unsent",
    ];
    let body = searched.curves.iter().flat_map(|curve| {
        curve.stands.iter().map(move |it| {
            let time = |figure: Option<pushoff_stats::Figure>| {
                figure.map_or_else(|| ABSENT.to_owned(), |it| Quantity::Time.write(it.point))
            };
            vec![
                curve.transport.label().to_owned(),
                Quantity::Rate.write(it.offered_per_second),
                it.trials.to_string(),
                it.validity.label().to_owned(),
                (if it.holds {
                    "holds"
                } else if it.is_void() {
                    "void"
                } else {
                    "breaks"
                })
                .to_owned(),
                it.share_within.map_or_else(|| ABSENT.to_owned(), |share| Quantity::Share.write(share.point)),
                time(it.p50_ns),
                time(it.p99_ns),
                it.messages_a_segment.map_or_else(|| ABSENT.to_owned(), |it| Quantity::Count.write(it.point)),
                it.lost.to_string(),
                it.missed.to_string(),
                it.unsent.to_string(),
            ]
        })
    });
    Rows::new(head, body.collect())
}
