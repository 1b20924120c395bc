//! The figures side by side: a table a workload, a column a transport, the floor apart.

use maud::{Markup, html};

use crate::ReportError;
use crate::describe;
use crate::name::name;
use crate::number::{ABSENT, unbroken};
use crate::rank::Standing;
use crate::study::{Comparison, Study};
use crate::table::{Entry, Kind, Mark, Row, Table};

#[expect(clippy::unnecessary_wraps, reason = "a section may fail; this one does not")]
pub(super) fn section(study: &Study<'_>) -> Result<Markup, ReportError> {
    Ok(html! {
        section {
            h2 { "Side by side" }
            p.note {
                "Each figure with its 95 % interval. " b.best { "Best" } " stands alone; "
                span.tie { "≈" } " marks what is too close to call. A transport's name leads to its trials."
            }
            @for comparison in &study.comparisons { (compared(comparison)) }
            (meanings(study))
        }
    })
}

fn compared(comparison: &Comparison<'_>) -> Markup {
    let table = Table::of(comparison);
    let workload = comparison.group.workload;
    let id = format!("table-{}", comparison.group.anchor());
    html! {
        h3 id=(id) {
            (comparison.group.label)
        }
        p.note { (unbroken(&describe::load(workload))) ". SLO: " (unbroken(&describe::slo(workload))) "." }
        div.scroll tabindex="0" role="region" aria-labelledby=(id) {
            table.compare {
                thead { tr {
                    td {}
                    @for row in &table.rows {
                        th scope="col" class=(column_class(row)) {
                            @if row.is_choice { small { "taken" } }
                            a href=(format!("#trials-{}-{}", comparison.group.anchor(), row.transport)) { (name(row.transport)) }
                        }
                    }
                } }
                @for kind in Kind::ALL {
                    (rows_of(kind, &table))
                }
            }
        }
        @for note in &table.notes { p.note { (note) } }
    }
}

fn rows_of(kind: Kind, table: &Table<'_>) -> Markup {
    let rows = || table.columns.iter().enumerate().filter(move |(_, column)| column.kind == kind);
    html! {
        @if rows().next().is_some() {
            tbody {
                tr.kind { th colspan=(table.rows.len() + 1) scope="rowgroup" { span { (kind.label()) } } }
                @if kind == Kind::Enough {
                    tr { th scope="row" { "SLO" } @for row in &table.rows { (standing(row)) } }
                }
                @for (index, column) in rows() {
                    tr {
                        th scope="row" title=(column.help) { (column.head) }
                        @for row in &table.rows { (figure(row, &row.entries[index])) }
                    }
                }
            }
        }
    }
}

fn column_class(row: &Row<'_>) -> &'static str {
    match (row.is_choice, row.standing) {
        (true, _) => "chosen",
        (_, Standing::Void { .. }) => "void",
        (_, Standing::Unranked) => "floor",
        (_, Standing::Meets | Standing::Fails { .. } | Standing::Undecided { .. }) => "",
    }
}

fn standing(row: &Row<'_>) -> Markup {
    let class = match row.standing {
        Standing::Meets => "c-good",
        Standing::Fails { .. } => "c-bad",
        Standing::Undecided { .. } | Standing::Void { .. } | Standing::Unranked => "c-faint",
    };
    // The verdict on a void cell is the one thing in its column that is not struck through.
    let column = if matches!(row.standing, Standing::Void { .. }) { "" } else { column_class(row) };
    let words = if row.transport.is_ranked() { row.standing.label() } else { "not ranked" };
    html! {
        td class=(column) title=[row.standing.reason()] { strong class=(class) { (words) } }
    }
}

fn figure(row: &Row<'_>, entry: &Entry) -> Markup {
    let column = column_class(row);
    let is_absent = entry.point == ABSENT;
    html! {
        td class=(if is_absent { column.replace("void", "") } else { column.to_owned() }) title=[row.standing.reason()] {
            @match entry.mark {
                Mark::None => span.point { (entry.point) },
                Mark::Best => b.point.best { (entry.point) span.unseen { " (best)" } },
                Mark::Tied => span.point { span.tie title="too close to call" { "≈" } " " (entry.point) },
                Mark::Fault => b.point.c-bad { (entry.point) },
            }
            @if let Some(interval) = &entry.interval { " " small { (interval) } }
        }
    }
}

fn meanings(study: &Study<'_>) -> Markup {
    let mut seen = Vec::new();
    for comparison in &study.comparisons {
        for column in Table::of(comparison).columns {
            if !seen.iter().any(|(head, _)| *head == column.head) {
                seen.push((column.head, column.help));
            }
        }
    }
    html! {
        @if !seen.is_empty() {
            details {
                summary { "What each row means" }
                dl.meanings { @for (head, help) in seen { dt { (head) } dd { (help) } } }
            }
        }
    }
}
