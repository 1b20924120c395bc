//! What a page takes for the same, and what a browser allows it.

use maud::{Markup, html};

use super::grid;
use crate::ReportError;
use crate::browser::facts;
use crate::study::Study;
use crate::table::Table;

#[expect(clippy::unnecessary_wraps, reason = "a section may fail; this one does not")]
pub(super) fn section(study: &Study<'_>) -> Result<Markup, ReportError> {
    let tables: Vec<Table<'_>> = study.pages.iter().map(crate::cost::Pages::table).collect();
    Ok(html! {
        @if !study.pages.is_empty() {
            section #browser {
                h2 { "In a browser" }
                p.note {
                    "The same plan, received by pages in Chromium: from the intended time until the page's client "
                    "dispatches the message, beside what the other clients took for it in the same run."
                }
                @for (pages, table) in study.pages.iter().zip(&tables) {
                    @let id = format!("pages-{}", crate::group::anchor(&pages.label));
                    h3 id=(id) { (pages.label) }
                    (grid::lines(&id, None, table))
                }
                (grid::meanings(tables.iter()))
                @for facts in facts(study) {
                    h3 { (facts.title) }
                    dl.facts { @for (name, value) in &facts.all { dt { (name) } dd { (value) } } }
                }
            }
        }
    })
}
