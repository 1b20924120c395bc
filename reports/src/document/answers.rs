//! The answer first: a card a workload, with an answer a server where several were asked.

use pushoff_model::Transport;
use serde_json::json;

use super::blocks::Choice;
use super::{Answer, Block, Card, Fact, Section};
use crate::ReportError;
use crate::cells::{Group, anchor};
use crate::findings::comparison::Comparison;
use crate::findings::counsel::Matter;
use crate::findings::rank::{AdviceHolds, Candidate, Sureness};
use crate::findings::search::Searched;
use crate::findings::servers::Beside;
use crate::findings::study::Study;
use crate::metric::Standing;
use crate::prose::{Place, Prose, Tone, prose};
use crate::unitcosts::conclusion;
use crate::words::describe;

#[expect(clippy::unnecessary_wraps, reason = "a section may fail; this one does not")]
pub(super) fn section(study: &Study<'_>) -> Result<Section, ReportError> {
    let mut blocks = Vec::new();
    if study.has_debug_build() {
        blocks.push(Block::Warning("Debug build: these figures mean nothing.", " Build with --release and run again."));
    }
    if study.is_empty() {
        blocks.push(Block::Prose("There are no records to report on.".into(), String::new()));
    }
    if study.is_own_model {
        blocks.push(Block::Card(cost_model(study)));
    }
    let of_several = |same: Vec<&Comparison<'_>>| match same.as_slice() {
        [alone] => card(alone),
        several => several_servers(several),
    };
    blocks.extend(questions(study).into_iter().map(of_several).map(Block::Card));
    let alone = study.searches.iter().filter(|it| !study.is_beside(&it.group));
    blocks.extend(alone.map(|it| Block::Card(most(it))));
    let beside = study.besides.iter().filter(|it| it.is_search);
    blocks.extend(beside.map(|it| Block::Card(most_of_servers(study, it))));
    blocks.extend(study.comparisons.iter().map(data));
    blocks.extend(
        study
            .run
            .environments
            .iter()
            .filter_map(|it| it.browser.as_ref())
            .map(|browser| Block::Data("browsers", json!(browser))),
    );
    Ok(Section { id: Some("answers"), title: None, blocks, is_brief: true })
}

/// The verdict on a workload, for machines.
fn data(comparison: &Comparison<'_>) -> Block {
    let group = &comparison.group;
    Block::Data(
        "workloads",
        json!({
            "name": group.name,
            "label": group.label,
            "conditions": group.conditions,
            "question": group.workload.question,
            "slo": comparison.slo,
            "verdict": comparison.verdict,
            "counsel": comparison.counsel,
        }),
    )
}

/// What a grid was measured for.
fn cost_model(study: &Study<'_>) -> Card {
    Card {
        question: "What does a load cost that nobody measured?".into(),
        asked: "#costmodel".into(),
        slo: String::new(),
        answers: vec![Answer {
            label: "cost model".into(),
            server: None,
            choice: Choice::NotAsked,
            sure: None,
            is_decided: false,
            sentence: Prose::linked_to("#predicted", conclusion(study)),
            anchor: String::new(),
            facts: Vec::new(),
            figures: None,
        }],
        facts: Vec::new(),
        more: vec![("#costmodel".into(), "What each costs"), ("#planner".into(), "Plan a load")],
        is_wide: true,
        anchor: String::new(),
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

/// A card on a group's question, without an answer yet: the question and the SLO lead to what was asked.
fn asking(group: &Group<'_>, label: &str) -> Card {
    Card {
        question: group.workload.question.clone(),
        asked: format!("#{}", Place::Asked.id(&group.anchor())),
        slo: format!("{label}: {}", describe::slo(group.workload)),
        answers: Vec::new(),
        facts: Vec::new(),
        more: Vec::new(),
        is_wide: true,
        anchor: group.anchor(),
    }
}

fn card(comparison: &Comparison<'_>) -> Card {
    let group = &comparison.group;
    let standings = standings(comparison).into_iter().map(|(name, those)| {
        let said = if those.len() == ranked(comparison).count() {
            "all that were measured".into()
        } else {
            those.into_iter().fold(Prose::default(), |all, it| all.then(it).then(" "))
        };
        Fact { name, said: vec![said], is_brief: false }
    });
    Card {
        facts: [conditions(comparison)].into_iter().chain(standings).collect(),
        answers: vec![answer(comparison, None)],
        more: vec![(format!("#table-{}", group.anchor()), "Figures")],
        is_wide: false,
        ..asking(group, &group.label)
    }
}

fn answer(comparison: &Comparison<'_>, server: Option<&str>) -> Answer {
    let (group, verdict) = (&comparison.group, &comparison.verdict);
    let says_it_itself = matches!(verdict.sureness, Sureness::NothingMeets | Sureness::NotEnoughTrials);
    Answer {
        label: group.label.clone(),
        server: server.map(str::to_owned),
        choice: verdict.choice.map_or_else(|| Choice::None(none_taken(verdict.sureness)), Choice::Transport),
        sure: Some(verdict.sure()).filter(|_| !says_it_itself),
        is_decided: verdict.sureness == Sureness::Decided,
        sentence: verdict.sentence.clone(),
        anchor: group.anchor(),
        facts: matters(comparison).into_iter().chain(usual_advice(comparison)).collect(),
        figures: server.map(|_| (format!("#table-{}", group.anchor()), "Figures")),
    }
}

/// What a colleague would add, a matter after the other.
fn matters(comparison: &Comparison<'_>) -> Vec<Fact> {
    let fact = |(matter, said): (Matter, Vec<&Prose>)| {
        let mut said: Vec<Prose> = said.into_iter().cloned().collect();
        if matter == Matter::WhatWouldChangeIt {
            said.push(Prose::link("#planner", "What would your load need?"));
        }
        // How sure stands beside the choice already.
        Fact { name: matter.label(), said, is_brief: matter != Matter::HowSure }
    };
    comparison.counsel.matters().into_iter().map(fact).collect()
}

fn usual_advice(comparison: &Comparison<'_>) -> Option<Fact> {
    let (group, verdict) = (&comparison.group, &comparison.verdict);
    let holds = verdict.advice?;
    let tone = match holds {
        AdviceHolds::Agrees => Tone::Good,
        AdviceHolds::Disagrees => Tone::Bad,
        AdviceHolds::Undecided => Tone::Faint,
    };
    let says = Prose::quoted(&group.workload.advice.says);
    let became = Prose::strong(format!("{} {}", holds.label(), group.place()), tone);
    let because = verdict.advice_because.clone().unwrap_or_default();
    Some(Fact { name: "Usual advice", said: vec![prose!["“", says, "” ", became, because, "."]], is_brief: true })
}

fn conditions(comparison: &Comparison<'_>) -> Fact {
    Fact { name: "Conditions", said: vec![comparison.counsel.conditions.clone()], is_brief: false }
}

/// Which transport to take on each server: each by itself.
fn several_servers(all: &[&Comparison<'_>]) -> Card {
    let first = all[0];
    // Of the way to a server that is not ours less is known: what is said of it is true of all.
    let stranger = all.iter().find(|it| !it.group.is_ours()).copied().unwrap_or(first);
    Card {
        answers: all.iter().map(|it| answer(it, Some(it.group.server()))).collect(),
        facts: vec![conditions(stranger)],
        more: vec![(format!("#servers-{}", anchor(&first.group.question)), "Servers side by side")],
        anchor: stranger.group.anchor(),
        ..asking(&first.group, &first.group.question)
    }
}

/// How much a server carries.
fn most(searched: &Searched<'_>) -> Card {
    Card { answers: vec![carried(searched, None)], ..asking(&searched.group, &searched.group.label) }
}

/// How much each server carries, each by itself.
fn most_of_servers(study: &Study<'_>, beside: &Beside<'_>) -> Card {
    let all: Vec<&Searched<'_>> = study.searches.iter().filter(|it| it.group.question == beside.label).collect();
    Card {
        answers: all.iter().map(|it| carried(it, Some(it.group.server()))).collect(),
        more: vec![(format!("#servers-{}", beside.anchor()), "Servers side by side")],
        ..asking(&all[0].group, &beside.label)
    }
}

fn carried(searched: &Searched<'_>, server: Option<&str>) -> Answer {
    let anchor = searched.group.anchor();
    Answer {
        label: searched.group.label.clone(),
        server: server.map(str::to_owned),
        choice: Choice::NotAsked,
        sure: None,
        is_decided: false,
        sentence: searched.sentence.clone(),
        facts: Vec::new(),
        figures: Some((format!("#capacity-{anchor}"), "Curves")),
        anchor,
    }
}

const fn none_taken(sureness: Sureness) -> &'static str {
    match sureness {
        Sureness::NothingMeets => "None is good enough",
        Sureness::NotEnoughTrials => "Not enough trials",
        Sureness::Decided | Sureness::TooClose | Sureness::Provisional | Sureness::Undecided => "Undecided",
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
