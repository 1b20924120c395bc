//! Every record, whole: to be looked at and to be saved from the page.

use crate::ReportError;
use crate::blocks::{Block, Section};
use crate::findings::study::Study;

pub(super) fn section(study: &Study<'_>) -> Result<Section, ReportError> {
    let mut lines = Vec::new();
    for record in &study.run.records {
        serde_json::to_writer(&mut lines, record).map_err(ReportError::Embed)?;
        lines.push(b'\n');
    }
    Ok(Section::titled("records", "Records", vec![Block::Records(lines)]).folded())
}
