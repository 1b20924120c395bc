//! Cost as it grows: what a connection costs at several sizes, and the slopes.

use maud::{Markup, html};

use super::{grid, pictures};
use crate::ReportError;
use crate::charts;
use crate::growth::Family;
use crate::study::Study;

pub(super) fn section(study: &Study<'_>) -> Result<Markup, ReportError> {
    let families: Result<Vec<_>, _> = study.families.iter().map(family).collect();
    Ok(html! {
        @if !study.families.is_empty() {
            section #growth {
                h2 { "As it grows" }
                p.note { "A level line is a connection that costs the same however many there are." }
                @for family in families? { (family) }
            }
        }
    })
}

fn family(family: &Family) -> Result<Markup, ReportError> {
    let anchor = family.label.replace([' ', ','], "");
    let id = format!("growth-{anchor}");
    let charts = charts::growth(family)?;
    Ok(html! {
        h3 id=(id) { (family.label) }
        div.charts { @for chart in &charts { (pictures::figure(&anchor, chart)) } }
        (grid::lines(&id, None, &family.table()))
    })
}
