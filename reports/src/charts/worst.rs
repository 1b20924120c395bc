//! The worst delivery of each interval of the measure phase: stalls show as peaks.

use pushoff_model::Transport;
use pushoff_model::record::Measurement;

use super::axis::Axis;
use super::canvas::{Ink, Margins, draw};
use super::{Chart, Rows, Scales};
use crate::ReportError;
use crate::findings::comparison::Comparison;
use crate::words::number::{ABSENT, Quantity, tick};

/// The most points a line: beyond, neighbours are joined and the worse one kept.
const MOST_POINTS: usize = 40;

struct Line {
    transport: Transport,
    /// When, in nanoseconds from the start of the measure phase, and the worst latency then.
    points: Vec<(f64, f64)>,
}

/// Draws the worst latency over time.
pub(super) fn chart(comparison: &Comparison<'_>, scales: &Scales) -> Result<Option<Chart>, ReportError> {
    let lines: Vec<Line> = comparison
        .charted()
        .map(|(cell, ..)| Line { transport: cell.transport(), points: worst(&cell.valid()) })
        .filter(|line| !line.points.is_empty())
        .collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let within = comparison.slo.within.as_secs_f64() * 1e9;
    let axes = (
        Axis::time("time into the measure phase", scales.duration),
        Axis::latency("worst delivery latency", scales.latency),
    );
    let drawing = draw(axes.0, axes.1, Margins::LINES, |canvas| {
        canvas.slo_across(within, &format!("SLO {}", tick(within)))?;
        for line in lines.iter().rev() {
            let width = if line.transport.is_ranked() { 5 } else { 3 };
            canvas.line(&line.points, Ink::of(line.transport), width)?;
        }
        let ends: Vec<_> = lines.iter().filter_map(|it| it.points.last().map(|&(x, y)| (x, y, it.transport))).collect();
        canvas.end_labels(&ends)?;
        for line in &lines {
            for &(when, latency) in &line.points {
                let says = says(line.transport, when, latency);
                canvas.point((canvas.at_x(when), canvas.at_y(latency)), line.transport, false, &says);
            }
        }
        Ok(())
    })?;
    Ok(Some(Chart {
        key: "worst",
        title: title(&lines),
        description: "Line chart of the worst delivery latency of each interval over the measure phase, the worst of \
                      all trials, a line a transport, latency on a log axis."
            .into(),
        drawing,
        rows: rows(&lines),
    }))
}

/// The worst of all trials, interval by interval; nothing where nothing was delivered.
#[expect(clippy::cast_precision_loss, reason = "a place on a drawing")]
fn worst(trials: &[&Measurement]) -> Vec<(f64, f64)> {
    let length = trials.iter().map(|trial| trial.series.interval_ns).max().unwrap_or(0);
    let same = || trials.iter().map(|trial| &trial.series).filter(|series| series.interval_ns == length);
    let intervals = same().map(|series| series.worst_ns.len()).max().unwrap_or(0);
    let joined = intervals.div_ceil(MOST_POINTS).max(1);
    (0..intervals.div_ceil(joined))
        .filter_map(|index| {
            let span = index * joined..(index + 1) * joined;
            let worst = same().flat_map(|series| series.worst_ns.iter().enumerate());
            let worst = worst.filter(|(at, _)| span.contains(at)).map(|(_, worst)| *worst).max()?;
            let middle = (index as f64 + 0.5) * joined as f64 * length as f64;
            (worst > 0).then_some((middle, worst as f64))
        })
        .collect()
}

fn says(transport: Transport, when: f64, latency: f64) -> String {
    format!("{}, at {}: {}", transport.label(), Quantity::Time.write(when), Quantity::Time.write(latency))
}

fn title(lines: &[Line]) -> String {
    let all = lines.iter().filter(|line| line.transport.is_ranked());
    let worst = all
        .flat_map(|line| line.points.iter().map(|point| (line.transport, point)))
        .max_by(|one, other| one.1.1.total_cmp(&other.1.1));
    worst.map_or_else(
        || "Only the floor was measured".into(),
        |(transport, (_, latency))| {
            let latency = Quantity::Time.write(*latency);
            format!("No delivery took longer than {latency}; the worst was on {}", transport.label())
        },
    )
}

fn rows(lines: &[Line]) -> Rows {
    let mut times: Vec<f64> = lines.iter().flat_map(|line| line.points.iter().map(|point| point.0)).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let head = ["time".to_owned()].into_iter().chain(lines.iter().map(|line| line.transport.label().to_owned()));
    let body = times.iter().map(|time| {
        let at = |line: &Line| {
            let found = line.points.iter().find(|point| point.0.total_cmp(time).is_eq());
            found.map_or_else(|| ABSENT.to_owned(), |point| Quantity::Time.write(point.1))
        };
        [Quantity::Time.write(*time)].into_iter().chain(lines.iter().map(at)).collect()
    });
    Rows { head: head.collect(), body: body.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use pushoff_model::workload::built_in;

    #[test]
    fn many_intervals_are_joined_and_a_peak_survives() {
        let workload = built_in("ticker").unwrap().unwrap();
        let mut trial = fixture::measurement(&workload, Transport::Sse, 1);
        trial.series.worst_ns = vec![1_000; 1_000];
        trial.series.worst_ns[777] = 9_000;
        let points = worst(&[&trial]);
        assert!(points.len() <= MOST_POINTS);
        assert!(points.iter().any(|point| point.1 > 8_999.0));
    }

    #[test]
    fn an_interval_without_deliveries_has_no_point() {
        let workload = built_in("ticker").unwrap().unwrap();
        let mut trial = fixture::measurement(&workload, Transport::Sse, 1);
        trial.series.worst_ns = vec![5, 0, 7];
        assert_eq!(worst(&[&trial]).len(), 2);
    }
}
