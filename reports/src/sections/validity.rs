//! What every trial is worth: those that count, those that do not, and why.

use maud::{Markup, html};
use pushoff_model::record::{Measurement, Outcome, Purpose};

use crate::ReportError;
use crate::group::{Cell, Group, Trial};
use crate::name::name;
use crate::number::{ABSENT, Quantity};
use crate::study::Study;
use crate::validity::Validity;

#[expect(clippy::unnecessary_wraps, reason = "a section may fail; this one does not")]
pub(super) fn section(study: &Study<'_>) -> Result<Markup, ReportError> {
    Ok(html! {
        section #validity {
            h2 { "Validity" }
            p { (study.tally()) }
            dl.meanings {
                @for validity in Validity::ALL { dt { (validity.label()) } dd { (validity.meaning()) } }
            }
            @let troubled = troubled(study);
            @if !troubled.is_empty() {
                @let folded = troubled.len() > MOST_SHOWN;
                @if folded {
                    details { summary { (troubled.len()) " concerns" } ul.concerns { @for trouble in troubled { (trouble) } } }
                } @else {
                    ul.concerns { @for trouble in troubled { (trouble) } }
                }
            }
            @for group in study.groups() { (trials(group)) }
        }
    })
}

/// More concerns than these are folded away: a search runs into limits on purpose.
const MOST_SHOWN: usize = 12;

/// Every concern and every trial without a measurement, in words.
fn troubled(study: &Study<'_>) -> Vec<Markup> {
    let mut items = Vec::new();
    for group in study.groups() {
        for cell in &group.cells {
            for trial in &cell.trials {
                for (label, detail) in troubles(trial) {
                    items.push(html! {
                        li {
                            (group.label) ", " (name(cell.transport)) ", trial " (trial.record.trial) ": "
                            strong { (label) } ": " (detail) " " (link(trial))
                        }
                    });
                }
            }
        }
    }
    items
}

fn troubles<'a>(trial: &Trial<'a>) -> Vec<(&'static str, &'a str)> {
    match &trial.record.outcome {
        Outcome::Measured(it) => {
            it.concerns.iter().map(|concern| (concern.limit.label(), concern.detail.as_str())).collect()
        }
        Outcome::Failed(failure) => vec![("failed", &failure.reason)],
        Outcome::NotRun(not_run) => vec![("not run", &not_run.reason)],
    }
}

fn trials(group: &Group<'_>) -> Markup {
    let anchor = group.anchor();
    let heads = [
        "trial",
        "ran as",
        "load",
        "verdict",
        "deliveries",
        "not published",
        "broken",
        "p99",
        "send lag p99",
        "generator CPU",
        "server CPU",
        "stolen",
        "resent",
        "origin",
    ];
    html! {
        details id=(format!("trials-{anchor}")) {
            summary { "Every trial of " (group.label) }
            p.note { "A record's number is its line in " a href="#records" { "records.jsonl" } "." }
            div.scroll tabindex="0" role="region" aria-label=(format!("Trials of {}", group.label)) {
                table {
                    thead { tr { th scope="col" { "transport" } @for head in heads { th scope="col" { (head) } } } }
                    @for cell in &group.cells { (cell_rows(&anchor, cell)) }
                }
            }
        }
    }
}

fn cell_rows(anchor: &str, cell: &Cell<'_>) -> Markup {
    html! {
        tbody id=(format!("trials-{anchor}-{}", cell.transport)) {
            @for trial in &cell.trials {
                tr {
                    th scope="row" { (name(cell.transport)) }
                    td { (trial.record.trial) }
                    td { (trial.record.position) }
                    td { (load(trial)) }
                    td title=[trial.reason()] { (verdict(trial)) }
                    @for words in figures(trial.record.measurement()) { td { (words) } }
                    td { (link(trial)) }
                }
            }
        }
    }
}

/// The load of a search's step, and what the step was for.
fn load(trial: &Trial<'_>) -> String {
    trial.record.step.map_or_else(String::new, |step| {
        let purpose = match step.purpose {
            Purpose::Ramp => "ramp",
            Purpose::Bisection => "bisection",
            Purpose::Confirmation => "confirmation",
            Purpose::Overload => "overload",
        };
        format!("{}, {purpose}", Quantity::Count.write(step.load))
    })
}

fn verdict(trial: &Trial<'_>) -> Markup {
    match &trial.record.outcome {
        Outcome::Measured(_) if let Some(concern) = trial.void() => {
            html! { strong.c-bad { "void" } ", " (concern.limit.label()) }
        }
        Outcome::Measured(measurement) => {
            let limit = measurement.concerns.first();
            html! { span.c-good { "counts" } @if let Some(concern) = limit { ", " (concern.limit.label()) } }
        }
        Outcome::Failed(_) => html! { strong.c-bad { "failed" } },
        Outcome::NotRun(_) => html! { strong.c-faint { "not run" } },
    }
}

/// Deliveries, messages not published, connections broken, p99, send lag, both processes' share of their processors, steal, segments resent.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn figures(measurement: Option<&Measurement>) -> [String; 9] {
    let Some(it) = measurement else { return [(); 9].map(|()| ABSENT.to_owned()) };
    let time = |latency: Option<std::time::Duration>| {
        latency.map_or_else(|| ABSENT.to_owned(), |value| Quantity::Time.write(value.as_nanos() as f64))
    };
    [
        Quantity::Count.write(it.delivery_latency.count() as f64),
        Quantity::Count.write((it.counts.unpublished + it.counts.unsent) as f64),
        Quantity::Count.write(it.counts.reconnects as f64),
        time(it.delivery_latency.quantile(0.99)),
        time(it.send_lag.quantile(0.99)),
        Quantity::Share.write(it.generator.utilisation()),
        it.server.map_or_else(|| ABSENT.to_owned(), |server| Quantity::Share.write(server.utilisation())),
        Quantity::Share.write(it.machine.steal),
        Quantity::Count.write(it.machine.retransmits as f64),
    ]
}

fn link(trial: &Trial<'_>) -> Markup {
    html! { a href="#records" data-record=(trial.number) { "record " (trial.number + 1) } }
}
