//! A table on the page: a column a transport with the figures below each other, or a row a transport
//! where the figures are few.

use maud::{Markup, html};

use crate::kind::Kind;
use crate::name::name;
use crate::number::{ABSENT, unbroken};
use crate::prose::Place;
use crate::rank::Standing;
use crate::table::{Entry, Mark, Row, Table};

/// What leads from a table to the trials of a group, by the group's anchor.
#[derive(Clone, Copy)]
pub(super) enum Leads<'a> {
    /// The transports' names.
    Names(&'a str),
    /// Each figure, too, which then has an id to be led to.
    Figures(&'a str),
}

impl<'a> Leads<'a> {
    const fn anchor(self) -> &'a str {
        match self {
            Self::Names(anchor) | Self::Figures(anchor) => anchor,
        }
    }
}

/// A column a transport.
pub(super) fn columns(labelled_by: &str, leads: Leads<'_>, table: &Table<'_>) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby=(labelled_by) {
            table.compare {
                thead { tr {
                    td {}
                    @for row in &table.rows {
                        th scope="col" class=(column_class(row)) {
                            @if row.is_choice { small { "taken" } }
                            (linked(Some(leads.anchor()), row))
                        }
                    }
                } }
                tbody {
                    tr.worth {
                        th scope="row" title="what limited the trials, and so what their figures are worth" { "limit" }
                        @for row in &table.rows { (worth(row)) }
                    }
                }
                @for kind in Kind::ALL {
                    (rows_of(kind, leads, table))
                }
            }
        }
        @for note in &table.notes { p.note { (unbroken(note)) } }
    }
}

/// A row a transport. `trials` is the part of an id that names lead to, where they lead anywhere.
pub(super) fn lines(labelled_by: &str, trials: Option<&str>, table: &Table<'_>) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby=(labelled_by) {
            table.lines {
                thead { tr {
                    th scope="col" { "transport" }
                    @for column in &table.columns { th scope="col" title=(column.help) { (column.head) } }
                    th scope="col" { "limit" }
                } }
                tbody {
                    @for row in &table.rows {
                        tr {
                            th scope="row" { (linked(trials, row)) }
                            @for entry in &row.entries { (figure(row, entry, None)) }
                            (worth(row))
                        }
                    }
                }
            }
        }
        @for note in &table.notes { p.note { (unbroken(note)) } }
    }
}

fn linked(trials: Option<&str>, row: &Row<'_>) -> Markup {
    html! {
        @match trials {
            Some(anchor) => a href=(trials_of(anchor, row)) { (name(row.transport)) },
            None => (name(row.transport)),
        }
    }
}

fn trials_of(anchor: &str, row: &Row<'_>) -> String {
    format!("#trials-{anchor}-{}", row.transport)
}

fn rows_of(kind: Kind, leads: Leads<'_>, table: &Table<'_>) -> Markup {
    let rows = || table.columns.iter().enumerate().filter(move |(_, column)| column.kind == kind);
    let has_standing = table.rows.iter().any(|row| row.standing.is_some());
    html! {
        @if rows().next().is_some() {
            tbody {
                tr.kind { th colspan=(table.rows.len() + 1) scope="rowgroup" { span { (kind.label()) } } }
                @if kind == Kind::Enough && has_standing {
                    tr { th scope="row" { "SLO" } @for row in &table.rows { (standing(row)) } }
                }
                @for (index, column) in rows() {
                    tr {
                        th scope="row" title=(column.help) { (column.head) }
                        @for row in &table.rows { (figure(row, &row.entries[index], place(leads, column.head, row))) }
                    }
                }
            }
        }
    }
}

const fn column_class(row: &Row<'_>) -> &'static str {
    if row.is_choice {
        "chosen"
    } else if row.void.is_some() {
        "void"
    } else if row.transport.is_ranked() {
        ""
    } else {
        "floor"
    }
}

/// A verdict on a void cell is the one thing in its column that is not struck through.
fn plain_class(row: &Row<'_>) -> &'static str {
    if row.void.is_some() { "" } else { column_class(row) }
}

fn worth(row: &Row<'_>) -> Markup {
    let words = row.validity.label();
    html! {
        td class=(plain_class(row)) title=(row.void.as_deref().unwrap_or_else(|| row.validity.meaning())) {
            @if row.void.is_some() { strong.c-bad { "void: " (words) } } @else { small { (words) } }
        }
    }
}

fn standing(row: &Row<'_>) -> Markup {
    let Some(standing) = row.standing else { return html! { td {} } };
    let class = match standing {
        Standing::Meets => "c-good",
        Standing::Fails { .. } => "c-bad",
        Standing::Undecided { .. } | Standing::Void { .. } | Standing::Unranked => "c-faint",
    };
    let words = if row.transport.is_ranked() { standing.label() } else { "not ranked" };
    html! {
        td class=(plain_class(row)) title=[standing.reason()] { strong class=(class) { (words) } }
    }
}

/// A figure that can be led to: its id, and where its trials are.
struct Led {
    id: String,
    trials: String,
}

fn place(leads: Leads<'_>, head: &'static str, row: &Row<'_>) -> Option<Led> {
    match leads {
        Leads::Names(_) => None,
        Leads::Figures(anchor) => {
            Some(Led { id: Place::Cell(row.transport, head).id(anchor), trials: trials_of(anchor, row) })
        }
    }
}

fn figure(row: &Row<'_>, entry: &Entry, led: Option<Led>) -> Markup {
    let class = if entry.point == ABSENT { plain_class(row) } else { column_class(row) };
    html! {
        td class=(class) id=[led.as_ref().map(|it| &it.id)] title=[row.reason()] {
            (self::entry(entry))
            // Seen by whoever was led here.
            @if let Some(led) = led { " " a.origin href=(led.trials) { "Trials of " (row.transport.label()) } }
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

/// What the rows of some tables mean, each once.
pub(super) fn meanings<'a>(tables: impl Iterator<Item = &'a Table<'a>>) -> Markup {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for column in tables.flat_map(|table| &table.columns) {
        if !seen.contains(&(column.head, column.help)) {
            seen.push((column.head, column.help));
        }
    }
    html! {
        @if !seen.is_empty() {
            details {
                summary { "What each figure means" }
                dl.meanings { @for (head, help) in seen { dt { (head) } dd { (help) } } }
            }
        }
    }
}
