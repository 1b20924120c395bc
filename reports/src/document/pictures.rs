//! The charts: latency and cost of each workload.

use crate::ReportError;
use crate::blocks::{Block, Figure, Section};
use crate::charts::{self, Chart};
use crate::findings::comparison::Comparison;
use crate::findings::study::Study;

pub(super) fn section(study: &Study<'_>) -> Result<Section, ReportError> {
    let shown = || study.answers().filter(|it| !study.is_on_several_servers(&it.group));
    let figure = |it: &Comparison<'_>, chart: Result<Option<Chart>, ReportError>| {
        let figure = |chart| Figure { chart, anchor: it.group.anchor(), about: it.group.label.clone() };
        chart.map(|chart| chart.map(figure)).transpose()
    };
    let latency = shown().filter_map(|it| figure(it, charts::percentiles(it)));
    let costs = shown().filter_map(|it| figure(it, charts::cost(it)));
    let figures: Vec<Figure> = latency.chain(costs).collect::<Result<_, _>>()?;
    if figures.is_empty() {
        return Ok(Section::default());
    }
    let note = "Hover over a chart for the nearest value, or focus a chart and walk its points with the arrow keys.";
    Ok(Section::titled("pictures", "Charts", vec![Block::note(note), Block::Row(figures)]))
}
