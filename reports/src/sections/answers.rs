//! The answer first: a card a workload, with a line a server where several were asked.

use maud::{Markup, html};
use pushoff_model::Transport;

use crate::ReportError;
use crate::describe;
use crate::group::anchor;
use crate::name::name;
use crate::number::unbroken;
use crate::rank::{AdviceHolds, Standing, Sureness};
use crate::servers::Beside;
use crate::study::{Comparison, Study};

#[expect(clippy::unnecessary_wraps, reason = "a section may fail; this one does not")]
pub(super) fn section(study: &Study<'_>) -> Result<Markup, ReportError> {
    Ok(html! {
        section.answers aria-label="The answer" {
            @if study.is_empty() { p { "There are no records to report on." } }
            @for same in questions(study) {
                @match same.as_slice() {
                    [alone] => (card(alone)),
                    several => (several_servers(several)),
                }
            }
        }
        @for searched in study.searches.iter().filter(|it| !study.is_beside(&it.group)) {
            p.sentence {
                strong { (searched.group.workload.question) } " " (unbroken(&searched.sentence)) " "
                a href=(format!("#capacity-{}", searched.group.anchor())) { "Curves" }
            }
        }
        @for beside in study.besides.iter().filter(|it| it.is_search) { (most_of_servers(study, beside)) }
    })
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

/// Which transport to take on each server: each by itself.
fn several_servers(all: &[&Comparison<'_>]) -> Markup {
    let Some(first) = all.first() else { return html! {} };
    let group = &first.group;
    html! {
        article.card.several {
            h2 { (group.workload.question) }
            p.slo { (group.question) ": " (unbroken(&describe::slo(group.workload))) }
            dl {
                @for comparison in all {
                    @let verdict = &comparison.verdict;
                    div {
                        dt { "On " (comparison.group.server) ": "
                            @match verdict.choice {
                                Some(choice) => (name(choice)),
                                None => span.name { (none_taken(verdict.sureness)) },
                            }
                            @if verdict.choice.is_some() {
                                " " span class=(sure_class(verdict.sureness)) { (verdict.sure()) }
                            }
                        }
                        dd { (unbroken(&verdict.sentence)) " "
                            a href=(format!("#table-{}", comparison.group.anchor())) { "Figures" } }
                    }
                }
            }
            p.more { a href=(format!("#servers-{}", anchor(&group.question))) { "Servers side by side" } }
        }
    }
}

/// How much each server carries, each by itself.
fn most_of_servers(study: &Study<'_>, beside: &Beside<'_>) -> Markup {
    let of_it = study.searches.iter().filter(|it| it.group.question == beside.label);
    html! {
        article.card.several {
            h2 { (beside.workload.question) }
            p.slo { (beside.label) ": " (unbroken(&describe::slo(beside.workload))) }
            dl { @for searched in of_it {
                div {
                    dt { "On " (searched.group.server) }
                    dd {
                        (unbroken(&searched.sentence)) " "
                        a href=(format!("#capacity-{}", searched.group.anchor())) { "Curves" }
                    }
                }
            } }
            p.more { a href=(format!("#servers-{}", beside.anchor())) { "Servers side by side" } }
        }
    }
}

fn card(comparison: &Comparison<'_>) -> Markup {
    let (workload, verdict) = (comparison.group.workload, &comparison.verdict);
    let edge = verdict.choice.map_or("none", |choice| choice.name());
    html! {
        article class=(format!("card edge-{edge}")) {
            h2 { (workload.question) }
            p.slo { (comparison.group.label) ": " (unbroken(&describe::slo(workload))) }
            p.choice {
                @match verdict.choice {
                    Some(choice) => (name(choice)),
                    None => span.name { (none_taken(verdict.sureness)) },
                }
            }
            p class=(sure_class(verdict.sureness)) {
                @if verdict.choice.is_some() { (verdict.sure()) }
            }
            p.sentence { (unbroken(&verdict.sentence)) }
            dl.beside {
                @if let Some(next) = verdict.runner_up {
                    dt { "Runner-up" } dd { (name(next)) }
                }
                @for (words, members) in standings(comparison) {
                    dt { (words) }
                    dd { @for transport in members { (name(transport)) " " } }
                }
                @if let Some(holds) = verdict.advice {
                    dt { "Usual advice" }
                    dd { "“" (workload.advice.says) "”: the data "
                        strong class=(advice_class(holds)) { (holds.label()) }
                        @if let Some(because) = &verdict.advice_because { (unbroken(because)) } "." }
                }
            }
            p.more { a href=(format!("#table-{}", comparison.group.anchor())) { "Figures" } }
        }
    }
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

/// Who meets the SLO, who fails it, and who is open, each where there are any.
fn standings(comparison: &Comparison<'_>) -> Vec<(&'static str, Vec<Transport>)> {
    let those = |keep: fn(&Standing) -> bool| -> Vec<Transport> {
        let kept = comparison.candidates.iter().filter(|candidate| keep(&candidate.standing));
        kept.map(|candidate| candidate.transport).filter(|transport| transport.is_ranked()).collect()
    };
    let all = [
        ("Good enough", those(|it| matches!(it, Standing::Meets))),
        ("Not good enough", those(|it| matches!(it, Standing::Fails { .. }))),
        ("Undecided", those(|it| matches!(it, Standing::Undecided { .. }))),
        ("Void", those(|it| matches!(it, Standing::Void { .. }))),
    ];
    all.into_iter().filter(|(_, members)| !members.is_empty()).collect()
}
