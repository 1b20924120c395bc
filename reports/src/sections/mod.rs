//! The sections of the page: one file each, listed once in [`ALL`], in the order of the page.

mod answers;
mod browser;
mod comparison;
mod cost;
mod costmodel;
mod curves;
mod decision_maps;
mod environment;
mod grid;
mod growth;
pub(crate) mod method;
mod million;
mod pictures;
pub(crate) mod planner;
mod records;
mod servers;
mod validity;

use maud::{Markup, html};

use crate::ReportError;
use crate::study::Study;

/// Renders one section.
type Section = fn(&Study<'_>) -> Result<Markup, ReportError>;

const ALL: [Section; 15] = [
    answers::section,
    servers::section,
    comparison::section,
    cost::section,
    curves::section,
    growth::section,
    browser::section,
    million::section,
    planner::section,
    costmodel::section,
    pictures::section,
    method::section,
    validity::section,
    environment::section,
    records::section,
];

/// What would drown the rest, folded away under its name.
fn folded(is_folded: bool, name: &str, inner: &Markup) -> Markup {
    html! {
        @if is_folded { details { summary { (name) } (inner) } } @else { (inner) }
    }
}

/// Every section, top to bottom.
///
/// # Errors
/// When a chart cannot be drawn or a record cannot be embedded.
pub(crate) fn all(study: &Study<'_>) -> Result<Vec<Markup>, ReportError> {
    ALL.iter().map(|section| section(study)).collect()
}
