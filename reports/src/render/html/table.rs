//! A table on the page: a column a transport with the figures below each other, or a row a cell where these are few.

use maud::{Markup, html};

use crate::blocks::{Layout, TableBlock};
use crate::metric::Metric;
use crate::metric::Scope;
use crate::metric::Standing;
use crate::name::name;
use crate::prose::Place;
use crate::table::{Entry, Mark, Row};
use crate::words::number::{ABSENT, unbroken};

pub(super) fn table(block: &TableBlock) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby=(block.labelled_by) {
            @match block.layout {
                Layout::Columns => (columns(block)),
                Layout::Rows => (rows(block)),
            }
        }
        @for note in &block.table.notes { p.note { (unbroken(note)) } }
    }
}

/// A column a transport.
fn columns(block: &TableBlock) -> Markup {
    let table = &block.table;
    html! {
        table.compare {
            thead { tr {
                td {}
                @for row in &table.rows {
                    th scope="col" class=(column_class(row)) {
                        @if row.is_choice { small { "taken" } }
                        (linked(block.trials.as_deref(), row))
                    }
                }
            } }
            @if table.has_limits() {
                tbody {
                    tr.worth { th scope="row" { "limit" } @for row in &table.rows { (worth(row)) } }
                }
            }
            @for scope in Scope::ALL { (rows_of(scope, block)) }
        }
    }
}

fn rows_of(scope: Scope, block: &TableBlock) -> Markup {
    let table = &block.table;
    let own: Vec<usize> = table.in_order().into_iter().filter(|&index| table.columns[index].scope() == scope).collect();
    html! {
        @if !own.is_empty() {
            tbody {
                tr.kind { th colspan=(table.rows.len() + 1) scope="rowgroup" { span { (scope.label()) } } }
                @for index in own {
                    @let column = table.columns[index];
                    tr {
                        th scope="row" title=(column.help()) { (column.label()) }
                        @for row in &table.rows { (figure(row, &row.entries[index], place(block, column, row))) }
                    }
                }
            }
        }
    }
}

/// A row a cell.
fn rows(block: &TableBlock) -> Markup {
    let (table, order) = (&block.table, block.table.in_order());
    let (has_standings, has_limits) = (table.has_standings(), table.has_limits());
    html! {
        table.lines {
            thead { tr {
                th scope="col" { "transport" }
                @if has_standings { th scope="col" { "SLO" } }
                @for &index in &order { th scope="col" title=(table.columns[index].help()) { (table.columns[index].label()) } }
                @if has_limits { th scope="col" { "limit" } }
            } }
            tbody {
                @for row in &table.rows {
                    tr class=(column_class(row)) {
                        th scope="row" {
                            (linked(block.trials.as_deref(), row)) (row.of.as_deref().unwrap_or_default())
                            @if row.is_choice { small { " taken" } }
                        }
                        @if has_standings { (standing(row)) }
                        @for &index in &order { (figure(row, &row.entries[index], place(block, table.columns[index], row))) }
                        @if has_limits { (worth(row)) }
                    }
                }
            }
        }
    }
}

fn linked(trials: Option<&str>, row: &Row) -> Markup {
    html! {
        @match trials {
            Some(anchor) => a href=(trials_of(anchor, row)) { (name(row.transport())) },
            None => (name(row.transport())),
        }
    }
}

fn trials_of(anchor: &str, row: &Row) -> String {
    format!("#trials-{anchor}-{}", row.transport())
}

const fn column_class(row: &Row) -> &'static str {
    if row.is_choice {
        "chosen"
    } else if row.void.is_some() {
        "void"
    } else if row.transport().is_ranked() {
        ""
    } else {
        "floor"
    }
}

/// A verdict on a void cell is the one thing in its column that is not struck through.
const fn plain_class(row: &Row) -> &'static str {
    if row.void.is_some() { "" } else { column_class(row) }
}

fn worth(row: &Row) -> Markup {
    let words = row.validity.label();
    html! {
        td class=(plain_class(row)) title=(row.void.as_deref().unwrap_or_else(|| row.validity.meaning())) {
            @if row.void.is_some() { strong.c-bad { "void: " (words) } } @else { small { (words) } }
        }
    }
}

pub(super) const fn standing_class(standing: &Standing) -> &'static str {
    match standing {
        Standing::Meets => "c-good",
        Standing::Fails { .. } => "c-bad",
        Standing::Undecided { .. } | Standing::Void { .. } | Standing::Unranked => "c-faint",
    }
}

fn standing(row: &Row) -> Markup {
    let Some(standing) = &row.standing else { return html! { td {} } };
    let class = standing_class(standing);
    let words = if row.transport().is_ranked() { standing.label() } else { "not ranked" };
    html! {
        td class=(plain_class(row)) title=[standing.reason()] { strong class=(class) { (words) } }
    }
}

/// A figure that can be led to: its id, and where its trials are.
struct Led {
    id: String,
    trials: String,
}

fn place(block: &TableBlock, column: Metric, row: &Row) -> Option<Led> {
    let anchor = block.trials.as_ref().filter(|_| block.has_places)?;
    Some(Led { id: Place::Cell(row.transport(), column).id(anchor), trials: trials_of(anchor, row) })
}

fn figure(row: &Row, entry: &Entry, led: Option<Led>) -> Markup {
    let class = if entry.point == ABSENT { plain_class(row) } else { column_class(row) };
    html! {
        td class=(class) id=[led.as_ref().map(|it| &it.id)] title=[row.reason()] {
            (self::entry(entry))
            // Seen by whoever was led here.
            @if let Some(led) = led { " " a.origin href=(led.trials) { "Trials of " (row.transport().label()) } }
        }
    }
}

/// A figure with its mark and its interval.
pub(super) fn entry(entry: &Entry) -> Markup {
    html! {
        @match entry.mark {
            Mark::None => span.point { (entry.point) },
            Mark::Best => b.point.best { (entry.point) span.unseen { " (best)" } },
            Mark::Tied => span.point { span.tie title="not shown to differ from the best" { "≈" } " " (entry.point) },
            Mark::Fault => b.point.c-bad { (entry.point) },
        }
        @if let Some(interval) = &entry.interval { " " small { (interval) } }
    }
}
