//! Capacity: latency as the load grows, the knee of each transport, and what lies beyond it.

use maud::{Markup, html};

use super::comparison::asked;
use super::grid::Leads;
use super::{folded, grid, pictures};
use crate::ReportError;
use crate::charts;
use crate::describe;
use crate::search::{self, Searched};
use crate::study::Study;

pub(super) fn section(study: &Study<'_>) -> Result<Markup, ReportError> {
    let searches: Result<Vec<_>, ReportError> = study
        .searches
        .iter()
        .map(|it| Ok(folded(study.is_beside(&it.group), &it.group.label, &searched(it, study.noise_ns)?)))
        .collect();
    Ok(html! {
        @if !study.searches.is_empty() {
            section #capacity {
                h2 { "How much each carries" }
                p.note {
                    "The load grows until the SLO breaks; the border is then walked up and down in small steps. Past "
                    "the knee the curve goes on. Hollow points are void: the generator or the machine was the limit."
                }
                @for search in searches? { (search) }
            }
        }
    })
}

fn searched(it: &Searched<'_>, noise_ns: f64) -> Result<Markup, ReportError> {
    let anchor = it.group.anchor();
    let id = format!("capacity-{anchor}");
    let chart = charts::load(it)?;
    let table = search::table(it, noise_ns);
    Ok(html! {
        h3 id=(id) { (it.group.label) ": " (it.group.workload.question) }
        p.sentence { (it.sentence.linked(&anchor)) }
        (asked(&it.group, &describe::search(it.group.workload)))
        @if let Some(chart) = chart { div.charts.wide { (pictures::figure(&anchor, &chart)) } }
        (grid::columns(&id, Leads::Figures(&anchor), &table))
        (grid::meanings([&table].into_iter()))
    })
}
