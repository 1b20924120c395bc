//! A table on the page: a column a transport with the figures below each other, a row a cell where the figures are
//! few, or the cells of a transport together where each figure has ratios.

use maud::{Markup, html};
use pushoff_model::Transport;

use crate::document::blocks::{Layout, TableBlock};
use crate::metric::Scope;
use crate::metric::Standing;
use crate::name::name;
use crate::prose::Place;
use crate::table::{Column, Entry, Mark, Over, Row, Table};
use crate::words::number::{ABSENT, unbroken};

pub(super) fn table(block: &TableBlock) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby=(block.labelled_by) {
            @match block.layout {
                Layout::Columns => (columns(block)),
                Layout::Rows => (rows(block)),
                Layout::Grouped => (grouped(&block.table)),
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
            tbody {
                tr.worth {
                    th scope="row" title="what limited the trials, and so what their figures are worth" { "limit" }
                    @for row in &table.rows { (worth(row)) }
                }
            }
            @for scope in Scope::ALL { (rows_of(scope, block)) }
        }
    }
}

fn rows_of(scope: Scope, block: &TableBlock) -> Markup {
    let table = &block.table;
    let own: Vec<usize> =
        table.in_order().into_iter().filter(|&index| table.columns[index].metric.scope() == scope).collect();
    let has_standing = table.rows.iter().any(|row| row.standing.is_some());
    html! {
        @if !own.is_empty() {
            tbody {
                tr.kind { th colspan=(table.rows.len() + 1) scope="rowgroup" { span { (scope.label()) } } }
                @if scope == Scope::Slo && has_standing {
                    tr { th scope="row" { "SLO" } @for row in &table.rows { (standing(row)) } }
                }
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
    html! {
        table.lines {
            thead { tr {
                th scope="col" { "transport" }
                @for &index in &order { th scope="col" title=(table.columns[index].help()) { (table.columns[index].label()) } }
                th scope="col" { "limit" }
            } }
            tbody {
                @for row in &table.rows {
                    tr {
                        th scope="row" { (linked(block.trials.as_deref(), row)) (row.of.as_deref().unwrap_or_default()) }
                        @for &index in &order { (figure(row, &row.entries[index], None)) }
                        (worth(row))
                    }
                }
            }
        }
    }
}

/// The cells of a transport together, each figure with its ratios below it.
fn grouped(table: &Table) -> Markup {
    let own: Vec<usize> =
        (0..table.columns.len()).filter(|&index| table.columns[index].over == Over::Nothing).collect();
    let has_standings = table.rows.iter().any(|row| row.standing.is_some());
    html! {
        table.lines.servers {
            thead { tr {
                th scope="col" { "transport" } th scope="col" { "server" }
                @for &index in &own { th scope="col" title=(table.columns[index].help()) { (table.columns[index].label()) } }
                @if has_standings { th scope="col" { "SLO" } }
                th scope="col" { "limit" }
            } }
            @for transport in Transport::ALL { (rows_together(table, &own, transport, has_standings)) }
        }
    }
}

fn rows_together(table: &Table, own: &[usize], transport: Transport, has_standings: bool) -> Markup {
    let rows: Vec<&Row> = table.rows.iter().filter(|row| row.transport() == transport).collect();
    html! {
        @if !rows.is_empty() {
            tbody {
                @for (index, row) in rows.iter().enumerate() {
                    tr {
                        @if index == 0 { th scope="rowgroup" rowspan=(rows.len()) { (name(transport)) } }
                        th scope="row" { (row.key.conditions.server) }
                        @for &column in own { (with_ratios(table, row, column)) }
                        @if has_standings { (standing(row)) }
                        td title=(row.validity.meaning()) { small { (row.validity.label()) } }
                    }
                }
            }
        }
    }
}

fn with_ratios(table: &Table, row: &Row, column: usize) -> Markup {
    let metric = table.columns[column].metric;
    let ratio = |over: Over| {
        let place = table.columns.iter().position(|it| *it == Column { metric, over })?;
        Some(&row.entries[place]).filter(|entry| entry.value.is_some())
    };
    html! {
        td.void[row.void.is_some()] title=[row.void.as_deref()] {
            (entry(&row.entries[column]))
            @for (over, words) in [(Over::Baseline, "base"), (Over::Floor, "floor")] {
                @if let Some(ratio) = ratio(over) { small.over { "÷ " (words) " " (ratio.whole()) } }
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

fn standing(row: &Row) -> Markup {
    let Some(standing) = &row.standing else { return html! { td {} } };
    let class = match standing {
        Standing::Meets => "c-good",
        Standing::Fails { .. } => "c-bad",
        Standing::Undecided { .. } | Standing::Void { .. } | Standing::Unranked => "c-faint",
    };
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

fn place(block: &TableBlock, column: Column, row: &Row) -> Option<Led> {
    let anchor = block.trials.as_ref().filter(|_| block.has_places)?;
    Some(Led { id: Place::Cell(row.transport(), column.metric).id(anchor), trials: trials_of(anchor, row) })
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
            Mark::Tied => span.point { span.tie title="too close to call" { "≈" } " " (entry.point) },
            Mark::Fault => b.point.c-bad { (entry.point) },
        }
        @if let Some(interval) = &entry.interval { " " small { (interval) } }
    }
}
