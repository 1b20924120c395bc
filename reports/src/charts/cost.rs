//! What a delivery costs the server: the figure that ranks those that are good enough.

use plotters::style::text_anchor::HPos;
use pushoff_model::Transport;

use super::axis::{Axis, snug};
use super::canvas::{Ink, Margins, draw};
use super::{Chart, NOTHING, Rows, widen};
use crate::ReportError;
use crate::findings::comparison::Comparison;
use crate::metric::Metric;
use crate::words::text::list;
use pushoff_stats::Figure;

/// What is drawn.
const DRAWN: Metric = Metric::DeliveryCpu;
/// Where the most is more than so many times the least, the axis is logarithmic: evenly spaced the others would lie
/// in a corner. Chosen here.
const FAR: f64 = 12.0;

/// Draws the cost of a delivery, the least first.
pub(crate) fn chart(comparison: &Comparison<'_>) -> Result<Option<Chart>, ReportError> {
    let costs = sorted(comparison.charted().map(|(cell, _, figures)| (cell.transport(), figures.get(DRAWN))));
    let mut range = NOTHING;
    for (_, cost) in &costs {
        widen(&mut range, cost.low().max(cost.point / FAR));
        widen(&mut range, cost.high());
    }
    if costs.is_empty() {
        return Ok(None);
    }
    let (name, unit) = ("server CPU a delivery", DRAWN.unit());
    let is_far = range.1 > FAR * range.0;
    let axis = if is_far { Axis::log(name, snug(range), unit) } else { Axis::even(name, range.1, unit) };
    let drawing = draw(axis, Axis::rows(), Margins::ROWS, |canvas| {
        canvas.row_labels(&costs.iter().map(|(transport, _)| *transport).collect::<Vec<_>>())?;
        for (index, (transport, cost)) in costs.iter().enumerate() {
            let (y, ink) = (canvas.row(index, costs.len()), Ink::of(*transport));
            canvas.rule((canvas.at_x(cost.low()), y), (canvas.at_x(cost.high()), y), ink, 5)?;
            for end in [cost.low(), cost.high()] {
                canvas.rule((canvas.at_x(end), y - 14), (canvas.at_x(end), y + 14), ink, 5)?;
            }
            canvas.text((canvas.right() + 20, y), &unit.write(cost.point), Ink::INK, HPos::Left)?;
            let says = format!("{}: {}", transport.label(), unit.write_figure(cost));
            canvas.point((canvas.at_x(cost.point), y), *transport, false, &says);
        }
        Ok(())
    })?;
    let rows = costs.iter().map(|(transport, cost)| vec![transport.label().to_owned(), unit.write_figure(cost)]);
    Ok(Some(Chart {
        key: "cost",
        title: title(comparison),
        description: format!(
            "Dot chart of the server's processor time for one delivery with its 95 % interval, a row a transport, the \
             least first, {}.",
            if is_far { "on a log axis" } else { "on an axis from zero" }
        ),
        drawing,
        rows: Rows::new(["transport", name], rows.collect()),
    }))
}

fn sorted(costs: impl Iterator<Item = (Transport, Option<Figure>)>) -> Vec<(Transport, Figure)> {
    let mut known: Vec<_> = costs.filter_map(|(transport, cost)| Some((transport, cost?))).collect();
    known.sort_by(|one, other| one.1.point.total_cmp(&other.1.point));
    known
}

/// The least and the most, or that they cannot be told apart.
fn title(comparison: &Comparison<'_>) -> String {
    let ranked = sorted(comparison.compared().map(|(transport, figures)| (transport, figures.get(DRAWN))));
    let (Some(least), Some(most)) = (ranked.first(), ranked.last()) else {
        return "Server CPU a delivery: too few trials to compare".into();
    };
    if least.1.is_near(&most.1) {
        return "Server CPU a delivery: no difference shown".into();
    }
    let near = ranked.iter().filter(|(_, cost)| cost.is_near(&least.1));
    let near = list(&near.map(|(transport, _)| *transport).collect::<Vec<_>>());
    let [low, high] = [least.1, most.1].map(|cost| DRAWN.unit().write(cost.point));
    format!("A delivery costs the server least on {near} ({low}), most on {} ({high})", most.0.label())
}
