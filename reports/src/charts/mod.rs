//! The charts: one file each, listed once in [`ALL`].
//!
//! Small multiples: a row a workload, with axes shared down the page. A title says what is seen
//! and is never stronger than the intervals allow; every chart has its rows as a table.

mod axis;
mod bytes;
mod canvas;
mod cdf;
mod cost;
mod growth;
mod ink;
mod labels;
mod load;
mod percentiles;
mod polling;
mod predicted;
mod servers;
mod spread;
mod worst;

use maud::Markup;
use pushoff_model::Transport;

use crate::ReportError;
use crate::findings::comparison::Comparison;
use crate::findings::study::Study;
use crate::metric::Metric;
use crate::words::text::{capitalised, list};
use pushoff_stats::Pool;

pub(crate) use bytes::chart as bytes;
pub(crate) use growth::charts as growth;
pub(crate) use load::chart as load;
pub(crate) use predicted::{charts as predicted, is_drawn, rows as predictions};
pub(crate) use servers::chart as servers;

/// A chart and what says the same in words.
#[derive(Debug)]
pub(crate) struct Chart {
    /// The kind, for links.
    pub(crate) key: &'static str,
    /// What is seen.
    pub(crate) title: String,
    /// What is drawn, for a reader who cannot see it.
    pub(crate) description: String,
    /// The drawing.
    pub(crate) drawing: Markup,
    /// The figures behind it.
    pub(crate) rows: Rows,
}

/// A small table: a head and rows as long.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) head: Vec<String>,
    pub(crate) body: Vec<Vec<String>>,
}

impl Rows {
    fn new<const N: usize>(head: [&str; N], body: Vec<Vec<String>>) -> Self {
        Self { head: head.map(str::to_owned).to_vec(), body }
    }
}

/// Draws a chart of one workload; `None` where there is nothing to draw.
type Draw = fn(&Comparison<'_>, &Scales) -> Result<Option<Chart>, ReportError>;

/// Every chart, in the order of the page.
const ALL: [Draw; 6] = [percentiles::chart, cdf::chart, worst::chart, spread::chart, polling::chart, cost::chart];

/// The charts of one workload.
///
/// # Errors
/// When one cannot be drawn.
pub(crate) fn of(comparison: &Comparison<'_>, scales: &Scales) -> Result<Vec<Chart>, ReportError> {
    ALL.iter().filter_map(|draw| draw(comparison, scales).transpose()).collect()
}

/// What all charts of a page share, so that rows can be compared.
#[derive(Debug)]
pub(crate) struct Scales {
    /// The range of delivery latency, in nanoseconds.
    latency: (f64, f64),
    /// The most deliveries of a cell: how many nines there are to show.
    samples: f64,
    /// The longest measure phase, in nanoseconds.
    duration: f64,
    /// The range of processor time a delivery, in nanoseconds.
    cost: (f64, f64),
}

impl Scales {
    /// The scales that hold every cell that is charted, and every SLO.
    #[expect(clippy::cast_precision_loss, reason = "a place on a drawing")]
    pub(crate) fn of(study: &Study<'_>) -> Self {
        let mut scales = Self { latency: NOTHING, samples: 0.0, duration: 0.0, cost: NOTHING };
        for comparison in &study.comparisons {
            let within = comparison.slo.within.as_secs_f64() * 1e9;
            widen(&mut scales.latency, within);
            for (cell, _, figures) in comparison.charted() {
                let valid = cell.valid();
                let pool = Pool::new(&valid.iter().map(|it| &it.delivery_latency).collect::<Vec<_>>());
                // One of a hundred may lie left of the axis: a single quick delivery is no news.
                pool.quantiles(&vec![1; valid.len()], &[0.01, 1.0])
                    .into_iter()
                    .flatten()
                    .for_each(|it| widen(&mut scales.latency, it));
                scales.samples = scales.samples.max(figures.count(Metric::Samples));
                if let Some(cost) = figures.get(Metric::DeliveryCpu) {
                    widen(&mut scales.cost, cost.low());
                    widen(&mut scales.cost, cost.high());
                }
                for measurement in valid {
                    scales.duration = scales.duration.max(measurement.measured_ns as f64);
                }
            }
        }
        scales.latency = axis::rounded(scales.latency);
        scales.cost = axis::rounded(scales.cost);
        scales
    }
}

/// A range that holds nothing yet.
const NOTHING: (f64, f64) = (f64::INFINITY, 0.0);

const fn widen(range: &mut (f64, f64), value: f64) {
    *range = (range.0.min(value), range.1.max(value));
}

/// `SSE and WebSocket` at the start of a title, `All five` where they are.
fn named(transports: &[Transport]) -> String {
    let ranked = Transport::ALL.into_iter().filter(|transport| transport.is_ranked()).count();
    if transports.len() == ranked {
        return "All five".into();
    }
    capitalised(&list(transports))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn every_chart_has_a_title_a_description_and_its_rows() {
        let run = fixture::run();
        let study = Study::of(&run);
        let scales = Scales::of(&study);
        for comparison in &study.comparisons {
            let charts = of(comparison, &scales).unwrap();
            assert_eq!(charts.len(), ALL.len());
            for chart in charts {
                assert!(!chart.title.is_empty() && !chart.description.is_empty());
                assert!(!chart.rows.body.is_empty(), "{}", chart.key);
                assert!(chart.rows.body.iter().all(|row| row.len() == chart.rows.head.len()), "{}", chart.key);
                assert!(!chart.drawing.0.contains("FA01"), "a stand-in colour is left in {}", chart.key);
            }
        }
    }

    #[test]
    fn the_titles_say_what_the_fixture_shows() {
        let run = fixture::run();
        let study = Study::of(&run);
        let scales = Scales::of(&study);
        let titles: Vec<String> = study
            .comparisons
            .iter()
            .flat_map(|comparison| of(comparison, &scales).unwrap())
            .map(|chart| chart.title)
            .collect();
        insta::assert_snapshot!("titles", titles.join("\n"));
    }
}
