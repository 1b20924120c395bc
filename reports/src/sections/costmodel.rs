//! The cost model: how well it predicts, and the fitted costs.

use maud::{Markup, html};

use super::pictures;
use crate::ReportError;
use crate::charts;
use crate::name::name;
use crate::number::unbroken;
use crate::study::Study;
use crate::table::Entry;
use crate::unitcosts::{self, FINDINGS, Finding, Line, Sheet};
use pushoff_planner::costs::{Check, Checked};

pub(super) fn section(study: &Study<'_>) -> Result<Markup, ReportError> {
    if study.is_empty() {
        return Ok(html! {});
    }
    let sheet = Sheet::of(&study.model);
    Ok(html! {
        section #costmodel {
            h2 { "The cost model, and how well it predicts" }
            p { (unbroken(&unitcosts::conclusion(study))) }
            (predictions(study)?)
            h3 #unit-costs { "Cost of one message, poll, connection and so on" }
            @for sentence in unitcosts::origin(study) { p.note { (unbroken(&sentence)) } }
            (unit_costs(&sheet))
        }
    })
}

/// A column a transport, a line a regressor.
fn unit_costs(sheet: &Sheet) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby="unit-costs" {
            table.compare {
                thead { tr {
                    td {}
                    @for transport in &sheet.transports { th scope="col" { (name(*transport)) } }
                } }
                @for part in &sheet.parts {
                    tbody {
                        tr.kind { th colspan=(sheet.transports.len() + 1) scope="rowgroup" { span { (part.title) } } }
                        @for line in &part.lines { (unit_cost(line)) }
                    }
                }
            }
        }
        p.note {
            "In brackets the 95 % interval. A cell is empty where the event does not occur on a transport, or where its "
            "cost cannot be told from zero. Bytes are those above TCP."
        }
    }
}

fn unit_cost(line: &Line) -> Markup {
    html! {
        tr {
            th scope="row" title=[line.help] { (line.label) }
            @for entry in &line.entries { td { @if let Some(entry) = entry { (figure(entry)) } } }
        }
    }
}

fn figure(entry: &Entry) -> Markup {
    html! { (entry.point) @if let Some(interval) = &entry.interval { " " small { (interval) } } }
}

fn predictions(study: &Study<'_>) -> Result<Markup, ReportError> {
    let findings = unitcosts::findings(&study.checked);
    let charts = charts::predicted(&study.checked)?;
    let drawn = || study.model.transports.iter().map(|it| it.transport);
    Ok(html! {
        @if !findings.is_empty() {
            h3 #predicted { "Predicted and measured" }
            (summary(&findings))
            @if !charts.is_empty() {
                p.key { @for transport in drawn() { (name(transport)) " " } }
                div.charts { @for chart in &charts { (pictures::figure("all", chart)) } }
            }
            (others(&study.checked))
        }
    })
}

fn summary(findings: &[Finding]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby="predicted" {
            table.lines {
                thead { tr { th scope="col" { "figure" } @for head in FINDINGS { th scope="col" { (head) } } } }
                tbody {
                    @for finding in findings {
                        tr {
                            th scope="row" { (finding.check.label()) }
                            @for (index, words) in finding.words.iter().enumerate() {
                                @if index + 1 == finding.words.len() { td { (met(finding, words)) } } @else { td { (words) } }
                            }
                        }
                    }
                }
            }
        }
        p.note {
            "Error: predicted ÷ measured − 1. 95 % of the intervals should hold the measured figure. Server CPU is that of "
            "a second; bytes and segments are those of a trial."
        }
    }
}

fn met(finding: &Finding, words: &str) -> Markup {
    html! {
        @match finding.is_met {
            Some(true) => strong.c-good { (words) },
            Some(false) => strong.c-bad { (words) },
            None => (words),
        }
    }
}

/// What is not drawn, as lists.
fn others(checked: &[Checked]) -> Markup {
    let listed = Check::ALL.into_iter().filter(|&check| !charts::is_drawn(check));
    let lists: Vec<_> = listed.map(|it| (it, charts::predictions(checked, it))).collect();
    html! {
        @for (check, rows) in lists.iter().filter(|(_, rows)| !rows.body.is_empty()) {
            details {
                summary { "Every prediction of " (check.label()) }
                div.scroll tabindex="0" role="region" aria-label=(check.label()) { (pictures::table(rows)) }
            }
        }
    }
}
