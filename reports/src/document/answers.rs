//! The answer first: a card a workload, with an answer a server where several were asked.

use std::time::Duration;

use serde_json::json;

use super::networks;
use crate::ReportError;
use crate::blocks::{Answer, Block, Card, Choice, Fact, Section};
use crate::cells::{Cell, Group, anchor};
use crate::findings::comparison::Comparison;
use crate::findings::search::Searched;
use crate::findings::servers::OnServers;
use crate::findings::study::Study;
use crate::findings::verdict::AdviceHolds;
use crate::metric::Metric;
use crate::prose::{Place, Prose, Tone, prose};
use crate::unitcosts::conclusion;
use crate::words::number::{Quantity, tick};
use crate::words::text::list;
use crate::words::{describe, limits};
use pushoff_model::wire::Http;
use pushoff_model::{Client, Transport};
use pushoff_planner::Outcome;

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
        [alone] => card(study, alone),
        several => several_servers(study, several),
    };
    blocks.extend(questions(study).into_iter().map(of_several).map(Block::Card));
    let alone = study.searches.iter().filter(|it| !study.is_on_several_servers(&it.group) && !it.group.is_heavier);
    blocks.extend(alone.map(|it| Block::Card(most(it))));
    let beside = study.on_servers.iter().filter(|it| it.is_search && !it.is_heavier);
    blocks.extend(beside.map(|it| Block::Card(most_of_servers(study, it))));
    blocks.extend(study.comparisons.iter().filter(|it| it.group.asks_for_a_choice()).map(data));
    blocks.extend(
        study
            .run
            .environments
            .iter()
            .filter_map(|it| it.browser.as_ref())
            .map(|browser| Block::Data("browsers", json!(browser))),
    );
    Ok(Section { id: Some("answers"), blocks, is_brief: true, ..Section::default() })
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
            "networks": comparison.networks,
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

fn card(study: &Study<'_>, comparison: &Comparison<'_>) -> Card {
    let group = &comparison.group;
    Card {
        facts: vec![conditions(group)],
        answers: vec![answer(study, comparison, None)],
        more: vec![
            (format!("#table-{}", group.anchor()), "Figures"),
            ("#planner".into(), "What would your load need?"),
        ],
        is_wide: false,
        ..asking(group, &group.label)
    }
}

const WHAT_WOULD_CHANGE_IT: &str = "What would change it";

fn answer(study: &Study<'_>, comparison: &Comparison<'_>, server: Option<&str>) -> Answer {
    let (group, verdict) = (&comparison.group, &comparison.verdict);
    let facts = [("If one cost alone counts", &verdict.costs), (WHAT_WOULD_CHANGE_IT, &verdict.change)];
    let fact = |(name, said): (&'static str, &Option<Prose>)| {
        Some(Fact { name, said: vec![said.clone()?], is_in_sight: name == WHAT_WOULD_CHANGE_IT, is_brief: true })
    };
    Answer {
        label: group.label.clone(),
        server: server.map(str::to_owned),
        choice: verdict.choice().map_or_else(|| Choice::None(verdict.outcome()), Choice::Transport),
        sure: verdict.choice().map(|_| verdict.outcome()),
        is_decided: verdict.decision.outcome != Outcome::Undecided,
        sentence: verdict.sentence.clone(),
        anchor: group.anchor(),
        facts: facts
            .into_iter()
            .filter_map(fact)
            .chain(networks::fact(comparison))
            .chain(usual_advice(comparison))
            .chain(in_browsers(study, comparison))
            .collect(),
        figures: server.map(|_| (format!("#table-{}", group.anchor()), "Figures")),
    }
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
    Some(Fact {
        name: "Usual advice",
        said: vec![prose!["“", says, "” ", became, networks::advice_reaches(comparison), "."]],
        is_in_sight: false,
        is_brief: true,
    })
}

/// What whoever takes the choice must know of browsers: their limit, and what pages of this run found.
fn in_browsers(study: &Study<'_>, comparison: &Comparison<'_>) -> Option<Fact> {
    let choice = comparison.verdict.choice()?;
    let limit = limits::six_connections(choice).filter(|_| comparison.group.wire().http == Http::One);
    let mut said: Vec<Prose> = limit.map(Prose::from).into_iter().collect();
    let is_in_pages = |it: &&Comparison<'_>| {
        it.group.client() == Client::Browser
            && (it.group.is_twin_of(&comparison.group) || std::ptr::eq(*it, comparison))
    };
    if let Some(pages) = study.comparisons.iter().find(is_in_pages) {
        let browser = study.run.environments.iter().find_map(|environment| environment.browser.as_ref());
        let tabs = browser.and_then(|it| Some((it, it.connected.iter().find(|tabs| tabs.transport == choice)?.tabs)));
        let linked = |words: String| Prose::linked_to("#clients", words);
        said.extend(tabs.map(|(browser, tabs)| {
            let name = browser.version.replace('/', " ");
            linked(format!("{name} connected {tabs} of {} tabs by {}.", browser.tabs, choice.label()))
        }));
        let figures = pages.candidates.iter().find(|it| it.transport == choice).and_then(|it| it.figures.as_ref());
        said.extend(figures.and_then(|it| it.get(Metric::P50)).map(|median| {
            linked(format!("In its pages half of the messages arrived within {}.", Quantity::Time.write(median.point)))
        }));
    }
    (!said.is_empty()).then_some(Fact { name: "In browsers", said, is_in_sight: false, is_brief: true })
}

/// The load, and under which conditions it was measured: beyond these the answer says nothing.
fn conditions(group: &Group<'_>) -> Fact {
    let workload = group.workload;
    let time = |duration: Duration| Prose::asked(tick(duration.as_secs_f64() * 1e9));
    let load = Prose::asked(describe::load(workload));
    let staleness = workload.slo.map(|slo| prose![", wanted within ", time(slo.within)]).unwrap_or_default();
    let polling = match group.cells.iter().find(|cell| cell.transport().polls_on_a_timer()) {
        Some(_) => prose![", short polling every ", time(workload.polling.interval)],
        None => Prose::default(),
    };
    // Where somebody else's server stands is not recorded.
    let way = if group.is_ours() && group.is_at_hand() { "on loopback, " } else { "" };
    let wire = describe::wire(group.wire());
    let measured = format!("Measured {way}over {wire}, with the {} client.", group.client());
    let ranked = || group.cells.iter().map(Cell::transport).filter(|it| it.is_ranked());
    let is_whole = ranked().count() == Transport::ALL.into_iter().filter(|it| it.is_ranked()).count();
    let alone = format!(" Of the five transports only {} measured.", were(&ranked().collect::<Vec<_>>()));
    let measured = if is_whole { measured } else { measured + &alone };
    Fact {
        name: "Conditions",
        said: vec![prose![load, staleness, polling, ". ", measured]],
        is_in_sight: false,
        is_brief: false,
    }
}

fn were(transports: &[Transport]) -> String {
    format!("{} {}", list(transports), if transports.len() == 1 { "was" } else { "were" })
}

/// Which transport to take on each server: each by itself.
fn several_servers(study: &Study<'_>, all: &[&Comparison<'_>]) -> Card {
    let first = all[0];
    // Of the way to a server that is not ours less is known: what is said of it is true of all.
    let stranger = all.iter().find(|it| !it.group.is_ours()).copied().unwrap_or(first);
    Card {
        answers: all.iter().map(|it| answer(study, it, Some(it.group.server()))).collect(),
        facts: vec![conditions(&stranger.group)],
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
fn most_of_servers(study: &Study<'_>, beside: &OnServers<'_>) -> Card {
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

#[cfg(test)]
mod tests;
