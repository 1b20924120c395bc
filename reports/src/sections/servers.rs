//! Servers side by side: a table and a chart a workload, and one server held against the others.

use maud::{Markup, html};
use pushoff_model::Transport;

use super::pictures;
use crate::ReportError;
use crate::charts;
use crate::describe;
use crate::name::name;
use crate::number::{ABSENT, unbroken};
use crate::palette;
use crate::rank::Standing;
use crate::servers::{Beside, Gauge, Line, Matrix, Ratio, Reading, matrices};
use crate::study::Study;
use crate::table::{Entry, Mark};

pub(super) fn section(study: &Study<'_>) -> Result<Markup, ReportError> {
    if study.besides.is_empty() {
        return Ok(html! {});
    }
    let charts: Result<Vec<_>, _> = study.besides.iter().map(chart).collect();
    Ok(html! {
        section #servers {
            h2 { "Servers side by side" }
            p.note {
                "The same work of each server, interleaved in one run; each figure with its 95 % interval, and with \
                 how many times the figure of another it is. " b.best { "Best" } " of a transport’s servers stands \
                 alone; " span.tie { "≈" } " marks what is too close to call."
            }
            div.charts { @for chart in charts? { (chart) } }
            @for matrix in &matrices(&study.besides) { (against(matrix)) }
            @for beside in &study.besides { (side_by_side(beside)) }
            (meanings(study))
        }
    })
}

fn chart(beside: &Beside<'_>) -> Result<Markup, ReportError> {
    let chart = charts::servers(beside)?;
    Ok(html! { @if let Some(chart) = chart { (pictures::figure(&beside.anchor(), &chart)) } })
}

fn against(matrix: &Matrix) -> Markup {
    let id = format!("against-{}", matrix.title.replace([' ', '÷'], ""));
    html! {
        h3 id=(id) { (matrix.title) }
        div.scroll tabindex="0" role="region" aria-labelledby=(id) {
            table.lines {
                thead { tr {
                    th scope="col" { "figure" }
                    @for transport in &matrix.transports { th scope="col" { (name(*transport)) } }
                } }
                tbody { @for row in &matrix.rows {
                    tr {
                        th scope="row" { (row.label) }
                        @for entry in &row.entries { td { @if let Some(entry) = entry { (figure(entry)) } } }
                    }
                } }
            }
        }
    }
}

fn side_by_side(beside: &Beside<'_>) -> Markup {
    let id = format!("servers-{}", beside.anchor());
    let load = if beside.is_search { describe::search(beside.workload) } else { describe::load(beside.workload) };
    html! {
        h3 id=(id) { (beside.label) }
        p.note {
            (unbroken(&load)) ", " (beside.client) " client"
            @if beside.workload.slo.is_some() { ". SLO: " (unbroken(&describe::slo(beside.workload))) } "."
        }
        div.scroll tabindex="0" role="region" aria-labelledby=(id) {
            table.lines.servers {
                thead { tr {
                    th scope="col" { "transport" } th scope="col" { "server" }
                    @for gauge in &beside.gauges { th scope="col" title=(gauge.help()) { (gauge.head()) } }
                    @if has_standings(beside) { th scope="col" { "SLO" } }
                    th scope="col" { "limit" }
                } }
                @for transport in Transport::ALL { (lines_of(beside, transport)) }
            }
        }
        @for note in beside.notes() { p.note { (unbroken(&note)) } }
    }
}

fn has_standings(beside: &Beside<'_>) -> bool {
    beside.lines.iter().any(|line| line.standing.is_some())
}

fn lines_of(beside: &Beside<'_>, transport: Transport) -> Markup {
    let lines: Vec<&Line<'_>> = beside.lines.iter().filter(|line| line.transport == transport).collect();
    html! {
        @if !lines.is_empty() {
            tbody {
                @for (index, line) in lines.iter().enumerate() {
                    tr {
                        @if index == 0 { th scope="rowgroup" rowspan=(lines.len()) { (name(transport)) } }
                        th scope="row" { (server(beside, line.server)) }
                        @for (gauge, reading) in beside.gauges.iter().zip(&line.readings) {
                            td.void[line.void.is_some()] title=[line.void.as_deref()] { (cell(*gauge, reading.as_ref())) }
                        }
                        @if has_standings(beside) { (standing(line)) }
                        td title=(line.validity.meaning()) { small { (line.validity.label()) } }
                    }
                }
            }
        }
    }
}

/// A server's marker and name in its colour.
fn server(beside: &Beside<'_>, server: &str) -> Markup {
    let place = beside.place(server);
    let colour = palette::server(place).name;
    html! {
        span class=(format!("name c-{colour}")) {
            svg.marker viewBox="-16 -16 32 32" aria-hidden="true" {
                path class=(format!("f-{colour}")) d=(palette::server_marker(place)) {}
            }
            (server)
        }
    }
}

fn standing(line: &Line<'_>) -> Markup {
    let class = match line.standing {
        Some(Standing::Meets) => "c-good",
        Some(Standing::Fails { .. }) => "c-bad",
        Some(Standing::Undecided { .. } | Standing::Void { .. } | Standing::Unranked) | None => "c-faint",
    };
    let words = line.standing.as_ref().filter(|_| line.transport.is_ranked());
    html! {
        td title=[words.and_then(Standing::reason)] {
            @if let Some(words) = words { strong class=(class) { (words.label()) } }
        }
    }
}

fn cell(gauge: Gauge, reading: Option<&Reading>) -> Markup {
    let Some(reading) = reading else { return html! { (ABSENT) } };
    html! {
        (figure(&reading.entry(gauge)))
        @for (over, ratio) in [("base", reading.to_baseline), ("floor", reading.to_floor)] {
            @if let Some(ratio) = ratio { (times(over, &ratio)) }
        }
    }
}

fn times(over: &str, ratio: &Ratio) -> Markup {
    html! { small.over { "÷ " (over) " " (ratio.entry().whole()) } }
}

fn figure(entry: &Entry) -> Markup {
    html! {
        @match entry.mark {
            Mark::None | Mark::Fault => span.point { (entry.point) },
            Mark::Best => b.point.best { (entry.point) span.unseen { " (best)" } },
            Mark::Tied => span.point { span.tie title="too close to call" { "≈" } " " (entry.point) },
        }
        @if let Some(interval) = &entry.interval { " " small { (interval) } }
    }
}

fn meanings(study: &Study<'_>) -> Markup {
    let is_shown = |gauge: &Gauge| study.besides.iter().any(|beside| beside.gauges.contains(gauge));
    html! {
        details {
            summary { "What each figure means" }
            dl.meanings {
                @for gauge in Gauge::ALL.into_iter().filter(is_shown) { dt { (gauge.head()) } dd { (gauge.help()) } }
            }
        }
    }
}
