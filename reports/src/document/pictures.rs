//! The charts: a row a workload, axes shared down the page, each with its rows as a table.

use super::blocks::{Figure, Heading};
use super::{Block, Section};
use crate::ReportError;
use crate::charts::{self, Scales};
use crate::findings::study::Study;

pub(super) fn section(study: &Study<'_>) -> Result<Section, ReportError> {
    if study.answers().next().is_none() {
        return Ok(Section::default());
    }
    let scales = Scales::of(study);
    let mut blocks = vec![Block::note(
        "Hover over a point for its value, or focus a chart and walk its points with the arrow keys.",
    )];
    for it in study.answers() {
        let anchor = it.group.anchor();
        let figures = charts::of(it, &scales)?.into_iter().map(|chart| Figure { chart, anchor: anchor.clone() });
        let heading = Heading { id: format!("pictures-{anchor}"), text: it.group.label.clone(), says: None };
        let inner = vec![Block::Heading(heading), Block::Row(figures.collect())];
        blocks.extend(Block::folded(study.is_beside(&it.group), &it.group.label, inner));
    }
    Ok(Section::titled("pictures", "In pictures", blocks))
}
