//! What the cost model predicts over what was measured, a chart for each figure: good predictions lie on the diagonal.

use super::axis::{Axis, rounded};
use super::canvas::{Hold, Ink, LINE, Margins, draw};
use super::{Chart, NOTHING, Rows, widen};
use crate::ReportError;
use crate::unitcosts::{beside, error, written};
use crate::words::text::capitalised;
use pushoff_planner::costs::{Check, Checked, summaries};

/// The checks that are drawn, each with the chart's key; the others are listed.
const DRAWN: [(Check, &str); 4] = [
    (Check::Processor, "predicted-cpu"),
    (Check::Memory, "predicted-memory"),
    (Check::Bytes, "predicted-bytes"),
    (Check::LatencyP99, "predicted-p99"),
];
/// How far from the diagonal the band reaches, as a part of what was measured: the goal of most.
const BAND: f64 = 0.1;

/// Draws what was checked of each of [`DRAWN`].
pub(crate) fn charts(checked: &[Checked]) -> Result<Vec<Chart>, ReportError> {
    DRAWN.into_iter().filter_map(|(check, key)| chart(checked, check, key).transpose()).collect()
}

/// Whether a check has a chart.
pub(crate) fn is_drawn(check: Check) -> bool {
    DRAWN.iter().any(|(drawn, _)| *drawn == check)
}

fn chart(checked: &[Checked], check: Check, key: &'static str) -> Result<Option<Chart>, ReportError> {
    // What cannot stand on a log axis is in the rows.
    let seen = || checked.iter().filter(|it| it.check == check && it.measured > 0.0 && it.predicted.point > 0.0);
    let mut range = NOTHING;
    for it in seen() {
        widen(&mut range, it.measured);
        widen(&mut range, it.predicted.point);
    }
    if range.1 <= 0.0 {
        return Ok(None);
    }
    let (low, high) = rounded(range);
    let axis = |name| Axis::log(name, (low, high), written(check));
    let drawing = draw(axis("measured"), axis("predicted"), Margins { left: 160, right: 60 }, |canvas| {
        let (less, more) = (1.0 - BAND, 1.0 + BAND);
        canvas.band(&[(low / less, low), (high, high * less)], &[(low, low * more), (high / more, high)], Ink::INK)?;
        canvas.line(&[(low, low), (high, high)], Ink::FAINT, 3)?;
        let at = (canvas.right() - 12, canvas.bottom() - LINE / 2 - 8);
        canvas.text(at, "band: ±10 %", Ink::FAINT, Hold::Right)?;
        for it in seen() {
            let [predicted, measured, error] = beside(it);
            let says = format!("{}, {}: {predicted}; measured {measured}: {error}", it.label, it.transport.label());
            canvas.spot((canvas.at_x(it.measured), canvas.at_y(it.predicted.point)), it.transport, &says);
        }
        Ok(())
    })?;
    Ok(Some(Chart {
        key,
        title: title(checked, check),
        description: format!(
            "Scatter chart of predicted over measured {}, both on the same log axis. Each point is a cell with the marker \
             of its transport. On the diagonal both are equal; the band reaches 10 % to either side.",
            check.label()
        ),
        drawing,
        rows: rows(checked, check),
    }))
}

fn title(checked: &[Checked], check: Check) -> String {
    let name = capitalised(check.label());
    summaries(checked).iter().find(|it| it.check == check).map_or(name.clone(), |it| {
        format!("{name}: median error of {} predictions {}, worst {}", it.cells, error(it.median), error(it.worst))
    })
}

/// Every cell's figure as predicted and as measured.
pub(crate) fn rows(checked: &[Checked], check: Check) -> Rows {
    let body = checked.iter().filter(|it| it.check == check).map(|it| {
        let cell = format!("{}, {}", it.label, it.transport.label());
        [cell].into_iter().chain(beside(it)).collect()
    });
    Rows::new(["cell", "predicted", "measured", "error"], body.collect())
}

#[cfg(test)]
mod tests {
    use pushoff_model::Transport;

    use super::*;
    use pushoff_stats::{Figure, Interval};

    fn checked(check: Check, predicted: f64, measured: f64) -> Checked {
        let interval = Interval { low: predicted * 0.8, high: predicted * 1.25 };
        Checked {
            label: "feed".into(),
            transport: Transport::Sse,
            check,
            predicted: Figure { point: predicted, interval: Some(interval) },
            measured,
            error: predicted / measured - 1.0,
        }
    }

    #[test]
    fn a_point_a_cell_and_all_of_them_as_rows() {
        let all = [
            checked(Check::Processor, 11e6, 10e6),
            checked(Check::Processor, 300e6, 400e6),
            checked(Check::Processor, 52e6, 50e6),
            checked(Check::Segments, 7.0, 7.0),
        ];
        let charts = charts(&all).unwrap();
        assert_eq!(charts.iter().map(|chart| chart.key).collect::<Vec<_>>(), ["predicted-cpu"]);
        let chart = &charts[0];
        assert_eq!(chart.title, "Server CPU: median error of 3 predictions 10.0 %, worst 25.0 %");
        assert_eq!(chart.drawing.0.matches("pt spot").count(), 3);
        assert!(chart.drawing.0.contains("feed, SSE: 300 ms (240–375); measured 400 ms: −25.0 %"));
        assert_eq!(chart.rows.body.len(), 3);
        assert_eq!(rows(&all, Check::Segments).body, [["feed, SSE", "7 (5.60–8.75)", "7", "0 %"]]);
    }
}
