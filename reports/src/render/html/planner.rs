//! What would your load need? Sliders that choose among plans.
//!
//! Every plan is made here, by the arithmetic of `pushoff plan`, and packed into the page as written figures and
//! sentences. The script looks up the plan of the chosen stops and computes nothing. Without scripts the section
//! shows the first plan.

use std::collections::HashMap;
use std::hash::Hash;

use maud::{Markup, PreEscaped, html};
use serde::Serialize;

use super::records::packed;
use super::table;
use crate::ReportError;
use crate::blocks::{Choice, Planned, PlannedRow, Plans, Slider};
use crate::metric::{Metric, Standing};
use crate::name::name;
use crate::words::number::unbroken;

const SCRIPT: &str = include_str!("planner.js");
/// SHA-256 of the script, in base64: a test holds it to the file.
pub(super) const SCRIPT_HASH: &str = "SvfUXDnoN2XjNcV4117711Kgi9f8MtoQxXayjDQduCA=";

pub(super) fn planner(plans: &Plans) -> Result<Markup, ReportError> {
    let mut packing = Packing::default();
    for plan in &plans.plans {
        packing.add(Shown::of(plan));
    }
    let packed = packed(&serde_json::to_vec(&packing.page(&plans.sliders)).map_err(ReportError::Embed)?)?;
    let first = &plans.plans[plans.first()];
    let shown = Shown::of(first);
    Ok(html! {
            p.note {
                "Predictions of the cost model, for loads that nobody measured. "
                noscript { "The sliders need scripts; without scripts this is one load of many. " }
                "The command takes any other value, and prices of your own."
            }
            (form(&plans.sliders))
            div data-block {
                div role="status" {
                    p.choice #planner-choice data-slot { (shown.answer[0]) }
                    p #planner-sure data-slot { (shown.answer[1]) }
                }
                div #planner-sentences data-slot { (shown.answer[2]) }
            }
            (planned(&plans.metrics, first, &shown.rows))
            div data-block {
                ul.note #planner-notes data-slot { (shown.rest[0]) }
                h3 { "The same on the command line" }
                @if !plans.is_shipped { p.note { "In the folder of this report:" } }
                pre.command { code #planner-command data-slot { (shown.rest[1]) } }
            }
            button #planner-copy type="button" hidden { "Copy" }
            script #planner-plans type="application/gzip" { (packed) }
            script { (PreEscaped(SCRIPT)) }
    })
}

/// Shown by the script, without which its sliders would do nothing.
fn form(sliders: &[Slider]) -> Markup {
    html! {
        form.planner #planner-needs hidden autocomplete="off" {
            @for Slider { name, label, meaning, stops, first } in sliders {
                @let id = format!("planner-{name}");
                div.need {
                    label for=(id) { (label) }
                    output id=(format!("{id}-stop")) for=(id) { (stops[*first]) }
                    input id=(id) type="range" max=(stops.len() - 1) value=(first);
                    small { (meaning) }
                }
            }
        }
    }
}

fn planned(metrics: &[Metric], plan: &Planned, rows: &[Vec<Markup>]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="What each transport would need" {
            table.lines.planned #planner-table {
                thead { tr {
                    th scope="col" { "transport" }
                    th scope="col" title="whether 99 % of the updates arrive in time" { "fresh enough" }
                    @for metric in metrics { th scope="col" title=(metric.help()) { (metric.label()) } }
                } }
                tbody { @for (row, slots) in plan.rows.iter().zip(rows) {
                    tr data-block data-transport=(row.transport) {
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
    fn of(plan: &Planned) -> Self {
        let sure = if plan.is_decided { "sure decided" } else { "sure" };
        Self {
            answer: vec![
                super::choice(plan.choice),
                html! { @if let Choice::Transport(_) = plan.choice { span class=(sure) { (plan.sure) } } },
                html! { @for sentence in &plan.sentences { p.sentence { (unbroken(sentence)) } } },
            ],
            rows: plan.rows.iter().map(row).collect(),
            rest: vec![html! { @for note in &plan.notes { li { (unbroken(note)) } } }, html! { (plan.command) }],
        }
    }

    /// In the order in which the blocks stand in the page.
    fn blocks(self) -> impl Iterator<Item = Vec<Markup>> {
        [self.answer].into_iter().chain(self.rows).chain([self.rest])
    }
}

fn row(row: &PlannedRow) -> Vec<Markup> {
    let label = html! {
        (name(row.transport))
        @if row.is_choice { small.chosen { " chosen" } }
        @if row.is_beyond { small.beyond { " beyond what was measured" } }
    };
    [label, standing(&row.standing)].into_iter().chain(row.entries.iter().map(table::entry)).collect()
}

fn standing(standing: &Standing) -> Markup {
    html! { strong class=(format!("standing {}", table::standing_class(standing))) { (standing.label()) } }
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

    fn page<'a>(&'a self, sliders: &'a [Slider]) -> Page<'a> {
        let stops = sliders.iter().map(|slider| slider.stops.as_slice()).collect();
        Page { stops, texts: self.texts.in_order(), blocks: self.blocks.in_order(), plans: &self.plans }
    }
}

/// What the script unpacks.
#[derive(Serialize)]
struct Page<'a> {
    /// The texts of the stops, slider by slider.
    stops: Vec<&'a [&'static str]>,
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
    use crate::plan::{Model, plans};

    /// What the planner may add to a page.
    const MOST_BYTES: usize = 600_000;

    #[test]
    fn the_policy_allows_the_script_of_the_planner() {
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(SCRIPT));
        assert_eq!(hash, SCRIPT_HASH, "planner.js has changed: put its new hash into SCRIPT_HASH");
    }

    #[test]
    fn the_planner_adds_little_to_a_page() {
        let section = planner(&plans(&Model::of_report(fixture::model(), false))).unwrap().into_string();
        assert!(section.len() < MOST_BYTES, "{} bytes", section.len());
    }
}
