//! The figures side by side: a table a workload, a column a transport, the floor apart.

use maud::{Markup, html};

use super::grid::Leads;
use super::{folded, grid};
use crate::ReportError;
use crate::describe;
use crate::group::Group;
use crate::number::unbroken;
use crate::prose::Place;
use crate::study::{Comparison, Study};
use crate::table::Table;

#[expect(clippy::unnecessary_wraps, reason = "a section may fail; this one does not")]
pub(super) fn section(study: &Study<'_>) -> Result<Markup, ReportError> {
    if study.comparisons.is_empty() {
        return Ok(html! {});
    }
    let tables: Vec<Table<'_>> = study.comparisons.iter().map(Table::of).collect();
    Ok(html! {
        section {
            h2 { @if study.besides.is_empty() { "Side by side" } @else { "Transports side by side" } }
            p.note {
                "Each figure with its 95 % interval; (?) is one that reaches beyond ten times the figure. " b.best { "Best" } " stands alone; "
                span.tie { "≈" } " marks what is too close to call. A transport's name leads to its trials."
            }
            @for (comparison, table) in study.comparisons.iter().zip(&tables) {
                @let group = &comparison.group;
                (folded(group.is_second || study.is_beside(group), &group.label, &compared(comparison, table)))
            }
            (grid::meanings(tables.iter()))
        }
    })
}

fn compared(comparison: &Comparison<'_>, table: &Table<'_>) -> Markup {
    let (group, id) = (&comparison.group, format!("table-{}", comparison.group.anchor()));
    html! {
        h3 id=(id) { (group.label) }
        (asked(group, &describe::load(group.workload)))
        (grid::columns(&id, Leads::Figures(&group.anchor()), table))
    }
}

/// What a workload asks for, and of whom: where its parameters lead.
pub(super) fn asked(group: &Group<'_>, load: &str) -> Markup {
    let workload = group.workload;
    html! {
        p.note id=(Place::Asked.id(&group.anchor())) {
            (unbroken(load)) ", " (group.client) " client. SLO: " (unbroken(&describe::slo(workload))) ". "
            (unbroken(&describe::pace(workload))) "."
        }
    }
}
