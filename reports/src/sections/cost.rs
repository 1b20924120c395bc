//! What each transport costs: a sheet a workload, its bytes as a chart, and the clients' tax.

use maud::{Markup, html};

use super::grid::Leads;
use super::{folded, grid, pictures};
use crate::ReportError;
use crate::charts;
use crate::cost::{self, Costs};
use crate::describe;
use crate::group::Group;
use crate::number::unbroken;
use crate::study::Study;
use crate::table::Table;

pub(super) fn section(study: &Study<'_>) -> Result<Markup, ReportError> {
    let compared = study.comparisons.iter().map(|it| (&it.group, it.costs.as_slice(), it.sources.as_slice()));
    let held = study.holdings.iter().map(|it| (&it.group, it.costs.as_slice(), &[][..]));
    let sheets: Vec<_> = compared.chain(held).collect();
    if sheets.is_empty() {
        return Ok(html! {});
    }
    let tables: Vec<Table<'_>> =
        sheets.iter().map(|(group, costs, sources)| cost::table(group, costs, sources, study.noise_ns)).collect();
    let charts: Result<Vec<_>, _> = sheets.iter().map(|(group, costs, _)| bytes(group, costs)).collect();
    Ok(html! {
        section #costs {
            h2 { "What each costs" }
            p.note {
                "Bytes are the kernel's count above TCP, split by what the clients found in them; memory is what was "
                "held with everybody connected less what was held before."
            }
            @let charts = html! { div.charts { @for chart in charts? { (chart) } } };
            (folded(!study.besides.is_empty(), "Bytes of every server", &charts))
            @for ((group, ..), table) in sheets.iter().zip(&tables) { (sheet(group, is_first(study, group), table)) }
            (taxes(study))
            (grid::meanings(tables.iter()))
        }
    })
}

fn bytes(group: &Group<'_>, costs: &[Costs]) -> Result<Markup, ReportError> {
    let chart = charts::bytes(group, costs)?;
    Ok(html! { @if let Some(chart) = chart { (pictures::figure(&group.anchor(), &chart)) } })
}

/// Whether a sheet lies open: that of an answer, and the largest of those that differ in size.
fn is_first(study: &Study<'_>, group: &Group<'_>) -> bool {
    let is_larger = |it: &Group<'_>| {
        it.differs_in_size_alone(group) && it.workload.subscribers > group.workload.subscribers && !it.is_search
    };
    !group.is_second && !study.is_beside(group) && !study.groups().any(is_larger)
}

fn sheet(group: &Group<'_>, is_open: bool, table: &Table<'_>) -> Markup {
    let id = format!("costs-{}", group.anchor());
    html! {
        details open[is_open] {
            summary { h3.within id=(id) { (group.label) } }
            p.note { (unbroken(&describe::load(group.workload))) ", " (group.client) " client." }
            (grid::columns(&id, Leads::Names(&group.anchor()), table))
        }
    }
}

fn taxes(study: &Study<'_>) -> Markup {
    html! {
        @for taxes in &study.taxes {
            @let id = format!("tax-{}", taxes.label.replace(' ', ""));
            h3 id=(id) { (taxes.label) ": what the client library costs" }
            p.note { "The same cell with the library that an application would use and with a lean client." }
            (grid::lines(&id, None, &taxes.table()))
        }
    }
}
