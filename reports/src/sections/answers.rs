//! The answer first: a card a workload, with a line a server where several were asked.
//!
//! What is said is in `counsel`; here it is laid out. Every figure leads to the table that it is from.

use maud::{Markup, html};
use pushoff_model::Transport;

use crate::ReportError;
use crate::counsel::Matter;
use crate::describe;
use crate::group::{Group, anchor};
use crate::name::name;
use crate::number::unbroken;
use crate::prose::{Place, Prose};
use crate::rank::{AdviceHolds, Candidate, Standing, Sureness};
use crate::search::Searched;
use crate::servers::Beside;
use crate::study::{Comparison, Study};
use crate::unitcosts::conclusion;

#[expect(clippy::unnecessary_wraps, reason = "a section may fail; this one does not")]
pub(super) fn section(study: &Study<'_>) -> Result<Markup, ReportError> {
    Ok(html! {
        section.answers aria-label="The answer" {
            @if study.is_empty() { p { "There are no records to report on." } }
            @if study.is_own_model { (cost_model(study)) }
            @for same in questions(study) {
                @match same.as_slice() {
                    [alone] => (card(alone)),
                    several => (several_servers(several)),
                }
            }
            @for searched in study.searches.iter().filter(|it| !study.is_beside(&it.group)) { (most(searched)) }
            @for beside in study.besides.iter().filter(|it| it.is_search) { (most_of_servers(study, beside)) }
        }
    })
}

/// What a grid was measured for.
fn cost_model(study: &Study<'_>) -> Markup {
    html! {
        article.card.several {
            h2 { a href="#costmodel" { "What does a load cost that nobody measured?" } }
            p.sentence { a.figure href="#predicted" { (unbroken(&conclusion(study))) } }
            p.more { a href="#costmodel" { "What each costs" } " · " a href="#planner" { "Plan a load" } " · "
                a href="#decision-maps" { "Where each is the one to choose" } }
        }
    }
}

/// The answers, those of the same workload on several servers together.
fn questions<'s, 'a>(study: &'s Study<'a>) -> Vec<Vec<&'s Comparison<'a>>> {
    let mut questions: Vec<Vec<&Comparison<'a>>> = Vec::new();
    for comparison in study.answers() {
        let is_same = |same: &&mut Vec<&Comparison<'a>>| {
            same.first().is_some_and(|it| it.group.asks_the_same_as(&comparison.group))
        };
        match questions.iter_mut().find(is_same) {
            Some(same) => same.push(comparison),
            None => questions.push(vec![comparison]),
        }
    }
    questions
}

/// The question and what is good enough: both lead to what was asked.
fn question(group: &Group<'_>, label: &str) -> Markup {
    let asked = format!("#{}", Place::Asked.id(&group.anchor()));
    html! {
        h2 { a href=(asked) { (group.workload.question) } }
        p.slo { a.figure href=(asked) { (label) ": " (unbroken(&describe::slo(group.workload))) } }
    }
}

fn card(comparison: &Comparison<'_>) -> Markup {
    let verdict = &comparison.verdict;
    let anchor = comparison.group.anchor();
    let edge = verdict.choice.map_or("none", |choice| choice.name());
    html! {
        article class=(format!("card edge-{edge}")) {
            (question(&comparison.group, &comparison.group.label))
            p.choice {
                @match verdict.choice {
                    Some(choice) => (name(choice)),
                    None => span.name { (none_taken(verdict.sureness)) },
                }
            }
            p class=(sure_class(verdict.sureness)) {
                @if verdict.choice.is_some() { (verdict.sure()) }
            }
            p.sentence { (verdict.sentence.linked(&anchor)) }
            dl.beside {
                (matters(comparison))
                (usual_advice(comparison))
                (conditions(comparison))
                @for (words, members) in standings(comparison) {
                    dt { (words) }
                    dd.names {
                        @if members.len() == ranked(comparison).count() { "all that were measured" }
                        @else { @for transport in members { (name(transport)) " " } }
                    }
                }
            }
            p.more { a href=(format!("#table-{anchor}")) { "Figures" } }
        }
    }
}

/// What a colleague would add, a matter after the other.
fn matters(comparison: &Comparison<'_>) -> Markup {
    let anchor = comparison.group.anchor();
    html! {
        @for (matter, said) in comparison.counsel.matters() {
            dt { (matter.label()) }
            @for prose in said { dd { (prose.linked(&anchor)) } }
            @if matter == Matter::WhatWouldChangeIt { (other_loads()) }
        }
    }
}

/// Other loads than the one that was measured: a further `dd`.
fn other_loads() -> Markup {
    html! { dd { a href="#planner" { "What would your load need?" } } }
}

fn usual_advice(comparison: &Comparison<'_>) -> Markup {
    let (group, verdict) = (&comparison.group, &comparison.verdict);
    html! {
        @if let Some(holds) = verdict.advice {
            dt { "Usual advice" }
            dd {
                "“" (Prose::quoted(&group.workload.advice.says).linked(&group.anchor())) "” "
                strong class=(advice_class(holds)) { (holds.label()) " " (group.place()) }
                @if let Some(because) = &verdict.advice_because { (because) } "."
            }
        }
    }
}

fn conditions(comparison: &Comparison<'_>) -> Markup {
    html! {
        dt { "Conditions" }
        dd { (comparison.counsel.conditions.linked(&comparison.group.anchor())) }
    }
}

/// Which transport to take on each server: each by itself.
fn several_servers(all: &[&Comparison<'_>]) -> Markup {
    let Some(first) = all.first() else { return html! {} };
    html! {
        article.card.several {
            (question(&first.group, &first.group.question))
            div.each { @for comparison in all { (on_server(comparison)) } }
            // Of the way to a server that is not ours less is known: what is said of it is true of all.
            dl.beside { (conditions(all.iter().find(|it| !it.group.is_ours()).unwrap_or(first))) }
            p.more { a href=(format!("#servers-{}", anchor(&first.group.question))) { "Servers side by side" } }
        }
    }
}

fn on_server(comparison: &Comparison<'_>) -> Markup {
    let verdict = &comparison.verdict;
    let anchor = comparison.group.anchor();
    html! {
        div {
            h3 { "On " (comparison.group.server) ": "
                @match verdict.choice {
                    Some(choice) => (name(choice)),
                    None => span.name { (none_taken(verdict.sureness)) },
                }
            }
            p class=(sure_class(verdict.sureness)) {
                @if verdict.choice.is_some() { (verdict.sure()) }
            }
            p.sentence { (verdict.sentence.linked(&anchor)) " " a href=(format!("#table-{anchor}")) { "Figures" } }
            dl.beside { (matters(comparison)) (usual_advice(comparison)) }
        }
    }
}

/// How much a server carries.
fn most(searched: &Searched<'_>) -> Markup {
    let group = &searched.group;
    html! {
        article.card.several {
            (question(group, &group.label))
            p.sentence { (carried(searched)) }
        }
    }
}

/// How much each server carries, each by itself.
fn most_of_servers(study: &Study<'_>, beside: &Beside<'_>) -> Markup {
    let all: Vec<&Searched<'_>> = study.searches.iter().filter(|it| it.group.question == beside.label).collect();
    let Some(first) = all.first() else { return html! {} };
    html! {
        article.card.several {
            (question(&first.group, &beside.label))
            div.each { @for searched in &all {
                div {
                    h3 { "On " (searched.group.server) }
                    p.sentence { (carried(searched)) }
                }
            } }
            p.more { a href=(format!("#servers-{}", beside.anchor())) { "Servers side by side" } }
        }
    }
}

fn carried(searched: &Searched<'_>) -> Markup {
    let anchor = searched.group.anchor();
    html! { (searched.sentence.linked(&anchor)) " " a href=(format!("#capacity-{anchor}")) { "Curves" } }
}

const fn none_taken(sureness: Sureness) -> &'static str {
    match sureness {
        Sureness::NothingMeets => "None is good enough",
        Sureness::NotEnoughTrials => "Not enough trials",
        Sureness::Decided | Sureness::TooClose | Sureness::Provisional | Sureness::Undecided => "Undecided",
    }
}

const fn sure_class(sureness: Sureness) -> &'static str {
    match sureness {
        Sureness::Decided => "sure decided",
        Sureness::TooClose
        | Sureness::Provisional
        | Sureness::NothingMeets
        | Sureness::Undecided
        | Sureness::NotEnoughTrials => "sure",
    }
}

const fn advice_class(holds: AdviceHolds) -> &'static str {
    match holds {
        AdviceHolds::Agrees => "c-good",
        AdviceHolds::Disagrees => "c-bad",
        AdviceHolds::Undecided => "c-faint",
    }
}

fn ranked<'c>(comparison: &'c Comparison<'_>) -> impl Iterator<Item = &'c Candidate> {
    comparison.candidates.iter().filter(|candidate| candidate.transport.is_ranked())
}

/// Who meets the SLO, who fails it, and who is open, each where there are any.
fn standings(comparison: &Comparison<'_>) -> Vec<(&'static str, Vec<Transport>)> {
    let those = |keep: fn(&Standing) -> bool| -> Vec<Transport> {
        ranked(comparison).filter(|candidate| keep(&candidate.standing)).map(|candidate| candidate.transport).collect()
    };
    let all = [
        ("Good enough", those(|it| matches!(it, Standing::Meets))),
        ("Not good enough", those(|it| matches!(it, Standing::Fails { .. }))),
        ("Undecided", those(|it| matches!(it, Standing::Undecided { .. }))),
        ("Void", those(|it| matches!(it, Standing::Void { .. }))),
    ];
    all.into_iter().filter(|(_, members)| !members.is_empty()).collect()
}

#[cfg(test)]
mod tests;
