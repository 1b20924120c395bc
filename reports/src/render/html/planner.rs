//! What would your load need? Sliders that choose among plans.
//!
//! Every plan is made here, by the arithmetic of `pushoff plan`, and packed into the page as written figures and
//! sentences. The script looks up the plan of the chosen stops and computes nothing. Without scripts the section
//! shows the first plan.

use std::collections::HashMap;
use std::hash::Hash;

use maud::{Markup, PreEscaped, html};
use pushoff_planner::{Outcome, Prices, Standing};
use serde::Serialize;

use super::records::packed;
use super::table;
use crate::ReportError;
use crate::metric::Metric;
use crate::name::name;
use crate::plan::stops::{self, SLIDERS, Slider};
use crate::plan::words::outcome;
use crate::plan::{Model, Plan};
use crate::table::Table;
use crate::words::number::{ABSENT, unbroken};

pub(crate) const SCRIPT: &str = include_str!("planner.js");
/// SHA-256 of the script, in base64: a test holds it to the file.
pub(crate) const SCRIPT_HASH: &str = "SvfUXDnoN2XjNcV4117711Kgi9f8MtoQxXayjDQduCA=";

/// The metrics of the page's table: those that a choice turns on.
const SHOWN: [Metric; 6] = [
    Metric::PlanTraffic,
    Metric::PlanRequests,
    Metric::PlanCores,
    Metric::PlanP99,
    Metric::PlanMoney,
    Metric::PlanWakeups,
];

pub(super) fn planner(model: &Model) -> Result<Markup, ReportError> {
    let plans = stops::plans(model, &Prices::shipped());
    let mut packing = Packing::default();
    for (plan, flags) in &plans {
        packing.add(Shown::of(plan, &model.command(flags)));
    }
    let packed = packed(&serde_json::to_vec(&packing.page()).map_err(ReportError::Embed)?)?;
    let (first, flags) = &plans[stops::number(stops::first())];
    let shown = Shown::of(first, &model.command(flags));
    Ok(html! {
            p.note {
                "Predictions of the cost model, for loads that nobody measured. "
                noscript { "The sliders need scripts; without scripts this is one load of many. " }
                "The command takes any other value, and prices of your own."
            }
            (form())
            div data-block {
                div role="status" {
                    p.choice #planner-choice data-slot { (shown.answer[0]) }
                    p #planner-sure data-slot { (shown.answer[1]) }
                }
                div #planner-sentences data-slot { (shown.answer[2]) }
            }
            (planned(first, &shown.rows))
            div data-block {
                ul.note #planner-notes data-slot { (shown.rest[0]) }
                h3 { "The same on the command line" }
                @if !model.is_shipped { p.note { "In the folder of this report:" } }
                pre.command { code #planner-command data-slot { (shown.rest[1]) } }
            }
            button #planner-copy type="button" hidden { "Copy" }
            script #planner-plans type="application/gzip" { (packed) }
            script { (PreEscaped(SCRIPT)) }
    })
}

/// Shown by the script, without which its sliders would do nothing.
fn form() -> Markup {
    html! {
        form.planner #planner-needs hidden autocomplete="off" {
            @for Slider { name, label, meaning, stops, first } in SLIDERS {
                @let id = format!("planner-{name}");
                div.need {
                    label for=(id) { (label) }
                    output id=(format!("{id}-stop")) for=(id) { (stops[first].text) }
                    input id=(id) type="range" max=(stops.len() - 1) value=(first);
                    small { (meaning) }
                }
            }
        }
    }
}

fn planned(plan: &Plan, rows: &[Vec<Markup>]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="What each transport would need" {
            table.lines.planned #planner-table {
                thead { tr {
                    th scope="col" { "transport" }
                    th scope="col" title="whether 99 % of the updates arrive in time" { "fresh enough" }
                    @for metric in SHOWN { th scope="col" title=(metric.help()) { (metric.label()) } }
                } }
                tbody { @for (estimate, slots) in plan.answer.estimates.iter().zip(rows) {
                    tr data-block data-transport=(estimate.transport) {
                        @for (place, slot) in slots.iter().enumerate() {
                            @if place == 0 { th scope="row" data-slot { (slot) } } @else { td data-slot { (slot) } }
                        }
                    }
                } }
            }
        }
    }
}

/// A plan as the page shows it: the contents of every element that changes, block by block.
struct Shown {
    /// The choice, how sure it is, and why.
    answer: Vec<Markup>,
    /// A transport each: its name, whether it is fresh enough, and its figures.
    rows: Vec<Vec<Markup>>,
    /// The notes and the command.
    rest: Vec<Markup>,
}

impl Shown {
    fn of(plan: &Plan, command: &str) -> Self {
        let decision = &plan.answer.decision;
        let sure = if decision.outcome == Outcome::Decided { "sure decided" } else { "sure" };
        let choice = match (decision.choice, decision.outcome) {
            (Some(choice), _) => name(choice),
            (None, Outcome::NothingMeets) => html! { span.name { "None is good enough" } },
            (None, _) => html! { span.name { "Undecided" } },
        };
        Self {
            answer: vec![
                choice,
                html! { @if decision.choice.is_some() { span class=(sure) { (outcome(decision.outcome)) } } },
                html! { @for sentence in &plan.sentences { p.sentence { (unbroken(sentence)) } } },
            ],
            rows: rows(plan),
            rest: vec![html! { @for note in &plan.notes { li { (unbroken(note)) } } }, html! { (command) }],
        }
    }

    /// In the order in which the blocks stand in the page.
    fn blocks(self) -> impl Iterator<Item = Vec<Markup>> {
        [self.answer].into_iter().chain(self.rows).chain([self.rest])
    }
}

fn rows(plan: &Plan) -> Vec<Vec<Markup>> {
    let Table { columns, rows, .. } = plan.table();
    let places: Vec<Option<usize>> =
        SHOWN.into_iter().map(|metric| columns.iter().position(|column| *column == metric)).collect();
    let row = |(place, estimate): (usize, &pushoff_planner::Estimate)| {
        let label = html! {
            (name(estimate.transport))
            @if plan.answer.decision.choice == Some(estimate.transport) { small.chosen { " chosen" } }
            @if !estimate.beyond.is_empty() { small.beyond { " beyond what was measured" } }
        };
        let figures = places.iter().map(|column| match column {
            Some(column) => table::entry(&rows[place].entries[*column]),
            None => html! { (ABSENT) },
        });
        [label, standing(estimate.standing)].into_iter().chain(figures).collect()
    };
    plan.answer.estimates.iter().enumerate().map(row).collect()
}

fn standing(standing: Standing) -> Markup {
    let (words, class) = match standing {
        Standing::Meets => ("meets", "c-good"),
        Standing::Fails => ("fails", "c-bad"),
        Standing::Undecided => ("undecided", "c-faint"),
    };
    html! { strong class=(format!("standing {class}")) { (words) } }
}

/// All plans as the page holds them. Each text and each block of texts stands once; numbers refer to them.
#[derive(Default)]
struct Packing {
    texts: Numbered<String>,
    blocks: Numbered<Vec<usize>>,
    plans: Vec<Vec<usize>>,
}

impl Packing {
    fn add(&mut self, shown: Shown) {
        let blocks = shown.blocks().map(|slots| {
            let texts = slots.into_iter().map(|slot| self.texts.number(slot.into_string())).collect();
            self.blocks.number(texts)
        });
        self.plans.push(blocks.collect());
    }

    fn page(&self) -> Page<'_> {
        let stops = SLIDERS.iter().map(|slider| slider.stops.iter().map(|stop| stop.text).collect()).collect();
        Page { stops, texts: self.texts.in_order(), blocks: self.blocks.in_order(), plans: &self.plans }
    }
}

/// What the script unpacks.
#[derive(Serialize)]
struct Page<'a> {
    /// The texts of the stops, slider by slider.
    stops: Vec<Vec<&'static str>>,
    texts: Vec<&'a String>,
    /// The numbers of the texts of a block.
    blocks: Vec<&'a Vec<usize>>,
    /// The numbers of the blocks of a plan.
    plans: &'a [Vec<usize>],
}

/// Different values, numbered as they come.
struct Numbered<T>(HashMap<T, usize>);

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Eq + Hash> Numbered<T> {
    fn number(&mut self, value: T) -> usize {
        let next = self.0.len();
        *self.0.entry(value).or_insert(next)
    }

    fn in_order(&self) -> Vec<&T> {
        let mut all: Vec<(&T, &usize)> = self.0.iter().collect();
        all.sort_by_key(|(_, number)| **number);
        all.into_iter().map(|(value, _)| value).collect()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::fixture;

    /// What the planner may add to a page.
    const MOST_BYTES: usize = 600_000;

    #[test]
    fn the_policy_allows_the_script_of_the_planner() {
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(SCRIPT));
        assert_eq!(hash, SCRIPT_HASH, "planner.js has changed: put its new hash into SCRIPT_HASH");
    }

    #[test]
    fn the_planner_adds_little_to_a_page() {
        let section = planner(&Model::of_report(fixture::model(), false)).unwrap().into_string();
        assert!(section.len() < MOST_BYTES, "{} bytes", section.len());
    }
}
