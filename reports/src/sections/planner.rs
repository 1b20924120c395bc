//! What would your load need? The plan of an example, and sliders that make it the reader's own.
//!
//! What stands here without scripts is what the script begins with: the same plan, computed once more by
//! `planner/*.js`. A check in a real browser holds both to `pushoff plan --json`.

use maud::{Markup, PreEscaped, html};

use super::grid;
use super::records::packed;
use crate::ReportError;
use crate::name::name;
use crate::number::unbroken;
use crate::plan::{self, Field, Fields, Model, Needs, Plan, Prices};
use crate::rank::LEAST_TRIALS;
use crate::study::Study;
use crate::table::{Column, Entry, Mark, Reading, Subject};
use pushoff_planner::{Estimate, Standing, Sureness};

/// The script: it reads from top to bottom, from a load to the page.
const SOURCES: [&str; 5] = [
    include_str!("../planner/model.js"),
    include_str!("../planner/choice.js"),
    include_str!("../planner/units.js"),
    include_str!("../planner/words.js"),
    include_str!("../planner/page.js"),
];
/// SHA-256 of [`script`], in base64: a test holds it to the files.
pub(crate) const SCRIPT_HASH: &str = "thD7Y3MKoH8NNeDy3GiTe1KkUSF1X3F+QYdGbe66Lp8=";

/// The script without its comments, its indentation and most of its line breaks, which are for those who
/// read the source.
pub(crate) fn script() -> String {
    let lines = SOURCES.iter().flat_map(|source| source.lines()).map(str::trim_start);
    let mut script = String::from("\"use strict\";(async()=>{");
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with("//")) {
        script.push_str(line);
        if !line.ends_with([';', ',', '{']) {
            script.push('\n');
        }
    }
    script + "})();"
}

pub(super) fn section(study: &Study<'_>) -> Result<Markup, ReportError> {
    if study.is_empty() {
        return Ok(html! {});
    }
    let model = Model::of_report(study.model.clone(), study.is_own_model);
    let plan = Plan::of(&model, Needs::EXAMPLE, Prices::shipped());
    let embedded = serde_json::to_vec(&model.embedded(&plan)).map_err(ReportError::Embed)?;
    Ok(html! {
        section #planner {
            h2 { "What would your load need?" }
            p.note {
                "For loads that nobody measured, from the cost model. " noscript { "The sliders need scripts; without them this is one load of many. " }
            }
            (form(&plan)?)
            div role="status" {
                p.choice #planner-choice {
                    @match plan.answer.choice {
                        Some(choice) => (name(choice)),
                        None => span.name { (plan::none_taken(plan.answer.sureness)) },
                    }
                }
                p #planner-sure class=(if plan.answer.sureness == Sureness::Decided { "sure decided" } else { "sure" }) {
                    @if plan.answer.choice.is_some() { (plan.answer.sureness.label()) }
                }
            }
            div #planner-sentences { @for sentence in &plan.sentences { p.sentence { (unbroken(sentence)) } } }
            (table(&plan))
            ul.note #planner-notes { @for note in &plan.notes { li { (unbroken(note)) } } }
            (command(&model, &plan))
            script #planner-model type="application/gzip" { (packed(&embedded)?) }
            script { (PreEscaped(script())) }
        }
    })
}

/// Shown by the script, without which its fields would do nothing.
fn form(plan: &Plan) -> Result<Markup, ReportError> {
    let Fields { users, rate, payload, staleness, audience, rtt } = Fields::ALL;
    let [of_users, of_rate, of_payload, of_staleness, of_audience, of_rtt] =
        plan::typed(&plan.needs).map(|(_, typed)| typed);
    let prices = serde_json::to_value(&plan.prices).map_err(ReportError::Embed)?;
    let price = |name: &'static str, label: &str| {
        let number = prices[name].as_f64().map(|price| price.to_string());
        let value = number.or_else(|| prices[name].as_str().map(str::to_owned)).unwrap_or_default();
        html! { div.need { (text(name, label, &value)) } }
    };
    Ok(html! {
        form.planner #planner-needs hidden autocomplete="off" spellcheck="false" {
            (need("users", "Users", "connected at a time", &users, &of_users))
            (need("rate", "Updates", "that each user receives", &rate, &of_rate))
            (need("payload", "Payload", "of an update", &payload, &of_payload))
            (need("staleness", "Staleness", "99 % of the updates are there within", &staleness, &of_staleness))
            (need("audience", "Audience", "users that hear one message", &audience, &of_audience))
            (need("rtt", "Round trip", "between users and servers", &rtt, &of_rtt))
            fieldset {
                legend { "Who publishes" }
                label { input type="radio" name="planner-direction" value="down" checked; " servers" }
                label { input type="radio" name="planner-direction" value="both"; " the users, too" }
            }
            details.prices {
                summary { "Prices" }
                (price("currency", "Currency"))
                (price("core_month", "A processor core, a month"))
                (price("gib_month", "A GiB of memory, a month"))
                (price("egress_gb", "A GB to the users"))
                (price("ingress_gb", "A GB from the users"))
            }
        }
    })
}

fn need(name: &'static str, label: &str, meaning: &str, field: &Field, typed: &str) -> Markup {
    html! {
        div.need {
            (text(name, label, typed))
            input id=(format!("planner-{name}-slider")) type="range" max=(field.steps())
                aria-label=(format!("{label}, {meaning}")) data-slides=(name);
            small { (meaning) }
        }
    }
}

/// A label, its text field, and where a sentence appears when that is wrong.
fn text(name: &'static str, label: &str, value: &str) -> Markup {
    let (id, wrong) = (format!("planner-{name}"), format!("planner-{name}-wrong"));
    html! {
        label for=(id) { (label) }
        input id=(id) type="text" value=(value) aria-describedby=(wrong);
        p.wrong id=(wrong) role="alert" {}
    }
}

fn table(plan: &Plan) -> Markup {
    let estimates = &plan.answer.estimates;
    let subjects: Vec<Subject<'_, '_, Estimate>> = estimates
        .iter()
        // A prediction has its interval without any trial of its own.
        .map(|it| Subject { trials: LEAST_TRIALS, ..Subject::new(it.transport, Some(it)) })
        .collect();
    let columns: Vec<(&str, &Column<Estimate>, Vec<Mark>)> =
        plan::columns().map(|(key, column)| (key, column, column.marks(&subjects, plan.no_difference()))).collect();
    html! {
        div.scroll tabindex="0" role="region" aria-label="What each transport would need" {
            table.lines.planned #planner-table {
                thead { tr {
                    th scope="col" { "transport" }
                    th scope="col" title="whether 99 % of the updates are there in time" { "fresh enough" }
                    @for (key, column, _) in &columns { th scope="col" title=(column.shown.help) data-figure=(key) { (column.shown.head) } }
                } }
                tbody { @for (place, (estimate, subject)) in estimates.iter().zip(&subjects).enumerate() {
                    tr data-transport=(estimate.transport)
                        class=[(plan.answer.choice == Some(estimate.transport)).then_some("chosen")] {
                        th scope="row" {
                            (name(estimate.transport))
                            small.beyond hidden[estimate.beyond.is_empty()] { "beyond what was measured" }
                        }
                        td { (standing(estimate.standing)) }
                        @for (_, column, marks) in &columns {
                            (figure(column, estimate, &column.entry(subject, marks[place])))
                        }
                    }
                } }
            }
        }
    }
}

/// With the raw number beside what is written.
fn figure(column: &Column<Estimate>, estimate: &Estimate, entry: &Entry) -> Markup {
    let raw = match (column.read)(estimate) {
        Reading::Figure(figure) => figure.map(|figure| figure.point.to_string()),
        Reading::Fault(_) => None,
    };
    html! { td data-value=(raw.unwrap_or_default()) { (grid::entry(entry)) } }
}

fn standing(standing: Standing) -> Markup {
    let (words, class) = match standing {
        Standing::Meets => ("meets", "c-good"),
        Standing::Fails => ("fails", "c-bad"),
        Standing::Undecided => ("undecided", "c-faint"),
    };
    html! { strong class=(format!("standing {class}")) { (words) } }
}

fn command(model: &Model, plan: &Plan) -> Markup {
    html! {
        h3 { "The same on the command line" }
        @if !model.is_shipped { p.note { "In the folder of this report:" } }
        pre.command { code #planner-command { (model.command(&plan.needs)) } }
        button #planner-copy type="button" hidden { "Copy" }
        div #planner-own-prices hidden {
            p.note { "with " code { "prices.toml" } ":" }
            pre.command #planner-toml {}
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// What the planner may add to a page.
    const MOST_BYTES: usize = 60_000;

    #[test]
    fn the_policy_allows_the_script_of_the_planner() {
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(script()));
        assert_eq!(hash, SCRIPT_HASH, "planner/*.js has changed: put its new hash into SCRIPT_HASH");
    }

    #[test]
    fn the_planner_adds_little_to_a_page() {
        let run = crate::fixture::run();
        let section = section(&Study::of(&run)).unwrap().into_string();
        assert!(section.len() < MOST_BYTES, "{} bytes", section.len());
    }

    #[test]
    fn every_figure_has_its_raw_number_beside_it() {
        let run = crate::fixture::run();
        let section = section(&Study::of(&run)).unwrap().into_string();
        assert_eq!(section.matches("data-value=\"").count(), 5 * plan::columns().count());
    }
}
