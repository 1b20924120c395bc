//! What would your load need? Plans of many loads, for a page to let its reader choose among them.

use std::cell::LazyCell;

use crate::ReportError;
use crate::blocks::{Block, Section};
use crate::findings::study::Study;
use crate::plan::{Model, plans};

#[expect(clippy::unnecessary_wraps, reason = "a section may fail; this one does not")]
pub(super) fn section(study: &Study<'_>) -> Result<Section, ReportError> {
    if study.is_empty() {
        return Ok(Section::default());
    }
    let model = Model::of_report(study.model.clone(), study.is_own_model);
    Ok(Section::titled(
        "planner",
        "What would your load need?",
        vec![Block::Plans(LazyCell::new(Box::new(move || plans(&model))))],
    ))
}
