//! What a delivery costs the server: the figure that ranks those that are good enough.

use pushoff_model::Transport;

use super::axis::Axis;
use super::canvas::{Hold, Ink, Margins, draw};
use super::{Chart, Rows, Scales};
use crate::ReportError;
use crate::findings::comparison::Comparison;
use crate::metric::Metric;
use crate::words::number::Quantity;
use pushoff_stats::Figure;

/// Draws processor time a delivery, least first.
pub(super) fn chart(comparison: &Comparison<'_>, scales: &Scales) -> Result<Option<Chart>, ReportError> {
    let mut costs: Vec<(Transport, Figure)> = comparison
        .charted()
        .filter_map(|(cell, _, figures)| Some((cell.transport(), figures.get(Metric::DeliveryCpu)?)))
        .collect();
    if costs.is_empty() {
        return Ok(None);
    }
    costs.sort_by(|one, other| one.1.point.total_cmp(&other.1.point));
    let axis = Axis::latency("server CPU a delivery", scales.cost);
    let drawing = draw(axis, Axis::rows(), Margins::ROWS, |canvas| {
        let transports: Vec<Transport> = costs.iter().map(|(transport, _)| *transport).collect();
        canvas.row_labels(&transports)?;
        for (index, (transport, cost)) in costs.iter().enumerate() {
            let (y, ink) = (canvas.row(index, costs.len()), Ink::of(*transport));
            canvas.rule((canvas.at_x(cost.low()), y), (canvas.at_x(cost.high()), y), ink, 5)?;
            for end in [cost.low(), cost.high()] {
                canvas.rule((canvas.at_x(end), y - 14), (canvas.at_x(end), y + 14), ink, 5)?;
            }
            canvas.text((canvas.right() + 20, y), &Quantity::Time.write(cost.point), Ink::INK, Hold::Left)?;
            let says = format!("{}: {}", transport.label(), Quantity::Time.write_figure(cost));
            canvas.point((canvas.at_x(cost.point), y), *transport, false, &says);
        }
        Ok(())
    })?;
    Ok(Some(Chart {
        key: "cost",
        title: title(comparison),
        description: "Dot chart of the server's processor time for one delivery with its 95 % interval, a row a \
                      transport, the least first, time on a log axis."
            .into(),
        drawing,
        rows: rows(&costs),
    }))
}

/// The least and the most, or that they cannot be told apart.
fn title(comparison: &Comparison<'_>) -> String {
    let mut ranked: Vec<(Transport, Figure)> = comparison
        .compared()
        .filter_map(|(transport, figures)| Some((transport, figures.get(Metric::DeliveryCpu)?)))
        .collect();
    ranked.sort_by(|one, other| one.1.point.total_cmp(&other.1.point));
    let (Some(least), Some(most)) = (ranked.first(), ranked.last()) else {
        return "What a delivery costs the server: too few trials to compare".into();
    };
    if least.1.is_near(&most.1) {
        return "What a delivery costs the server is too close to call".into();
    }
    let times = Quantity::Ratio.write(most.1.point / least.1.point);
    let times = times.trim_end_matches('×');
    let near: Vec<Transport> =
        ranked.iter().filter(|(_, cost)| cost.is_near(&least.1)).map(|(transport, _)| *transport).collect();
    let least_words = Quantity::Time.write(least.1.point);
    let opening = match near.as_slice() {
        [one] => format!("A delivery costs the server least on {}, {least_words}", one.label()),
        several => {
            format!("A delivery costs the server least on {} (too close to call)", crate::words::text::list(several))
        }
    };
    format!("{opening}; {times} times that on {}", most.0.label())
}

fn rows(costs: &[(Transport, Figure)]) -> Rows {
    let body = costs
        .iter()
        .map(|(transport, cost)| vec![transport.label().to_owned(), Quantity::Time.write_figure(cost)])
        .collect();
    Rows::new(["transport", "server CPU a delivery"], body)
}
