//! The charts: latency and cost of each workload.

use super::blocks::Figure;
use super::{Block, Section};
use crate::charts::{self, Chart};
use crate::findings::comparison::Comparison;
use crate::findings::study::Study;

pub(super) fn section(study: &Study<'_>) -> Section {
    let shown = || study.answers().filter(|it| !study.is_beside(&it.group));
    let figure = |it: &Comparison<'_>, chart: Option<Chart>| {
        Some(Figure { chart: chart?, anchor: it.group.anchor(), about: it.group.label.clone() })
    };
    let latency = shown().filter_map(|it| figure(it, charts::percentiles(it)));
    let figures: Vec<Figure> = latency.chain(shown().filter_map(|it| figure(it, charts::cost(it)))).collect();
    if figures.is_empty() {
        return Section::default();
    }
    let note = "Hover over a chart for the nearest value, or focus a chart and walk its points with the arrow keys.";
    Section::titled("pictures", "Charts", vec![Block::note(note), Block::Row(figures)])
}
