//! The figures side by side: a table a workload of what decides, and all others in a fold of their own.

use pushoff_model::Transport;

use crate::blocks::{Block, Fold, Heading, Layout, Section, TableBlock};
use crate::cells::{Cell, Group};
use crate::findings::comparison::Comparison;
use crate::findings::servers::{Line, Part};
use crate::findings::study::Study;
use crate::findings::verdict::{self, Candidate};
use crate::metric::{Figures, Metric, Standing};
use crate::prose::{Place, Prose};
use crate::table::metrics::{DECIDING, EVERY, HOLDING};
use crate::table::{Subject, Table, noise};
use crate::words::describe;
use crate::words::number::asked_share;
use crate::words::text::{capitalised, joined, list};

/// Comparisons, and what was held without publishing.
fn all<'s, 'a>(study: &'s Study<'a>) -> impl Iterator<Item = Part<'s, 'a>> {
    study.parts().filter(|part| !part.group().is_search)
}

/// What decides: the cost of connections where nothing is published.
fn deciding(part: Part<'_, '_>) -> &'static [Metric] {
    if part.group().workload.slo.is_some() { &DECIDING } else { &HOLDING }
}

fn lay_out(part: Part<'_, '_>, metrics: &[Metric], noise_ns: f64) -> Table {
    let choice = if let Part::Compared(it) = part { it.verdict.choice() } else { None };
    let lines: Vec<Line<'_>> = part.lines().collect();
    let subjects = lines.iter().map(|it| Subject { is_choice: choice == Some(it.transport()), ..it.subject() });
    let mut table = Table::lay_out(metrics, subjects.collect(), noise_ns);
    table.notes.extend(statuses(&lines));
    table.notes.extend(lines.iter().flat_map(|it| it.faults.notes(&capitalised(it.transport().label()))));
    table.notes.extend(left_out(part).filter(|_| metrics.contains(&Metric::Cost)));
    table
}

/// What the cost leaves out, because it is not known.
fn left_out(part: Part<'_, '_>) -> Option<String> {
    let Part::Compared(comparison) = part else { return None };
    let has_cost = |it: &Candidate| it.figures.as_ref().is_some_and(|figures| figures.get(Metric::Cost).is_some());
    let unknown: Vec<&str> = comparison.billed.missing().into_iter().map(verdict::Part::label).collect();
    let said = format!("Cost leaves out {}, not known here: compare it with no other table's.", joined(&unknown));
    (!unknown.is_empty() && comparison.candidates.iter().any(has_cost)).then_some(said)
}

/// All other figures, and where they are from.
fn other_figures(part: Part<'_, '_>, noise_ns: f64) -> Table {
    let group = part.group();
    let others: Vec<Metric> = EVERY.into_iter().filter(|metric| !deciding(part).contains(metric)).collect();
    let mut table = lay_out(part, &others, noise_ns);
    table.notes.clear();
    table.notes.extend(noise(noise_ns));
    if group.cells.iter().flat_map(Cell::shown).any(|it| it.server.is_some_and(|it| it.is_told)) {
        table.notes.push("The server runs elsewhere: its processor time and memory are what it says of itself.".into());
    }
    if let Part::Compared(it) = part {
        table.notes.extend(it.sources.iter().cloned());
        table.notes.extend(too_few(it));
    }
    if !group.is_ours() {
        table.notes.push(format!("There is no theory of the bytes of {}: its framing is its own.", group.server()));
    }
    table
}

/// What decides, a table a workload.
pub(super) fn section(study: &Study<'_>) -> Section {
    let mut blocks = Vec::new();
    for part in all(study) {
        let group = part.group();
        let is_aside = group.is_second || group.is_heavier || group.network().is_some();
        let is_folded = is_aside || study.is_on_several_servers(group) || study.is_own_model;
        let shown = shown(study, part);
        if is_folded {
            let is_brief = group.is_second
                && !group.is_heavier
                && group.network().is_none()
                && !study.is_on_several_servers(group);
            blocks.push(Block::Fold(Fold { summary: group.label.clone(), is_open: false, blocks: shown, is_brief }));
        } else {
            blocks.extend(shown);
        }
    }
    if blocks.is_empty() {
        return Section::default();
    }
    let legend = "Each figure with its 95 % interval; (?) is one that reaches beyond ten times the figure. The best \
                  stands alone; ≈ marks what is not shown to differ from the best.";
    let links = Block::OnPage(vec![Block::note("A transport's name leads to its trials.")]);
    blocks.splice(0..0, [Block::note(legend), links]);
    let title = if study.on_servers.is_empty() { "Side by side" } else { "Transports side by side" };
    Section::titled("figures", title, blocks).in_brief()
}

fn shown(study: &Study<'_>, part: Part<'_, '_>) -> Vec<Block> {
    let group = part.group();
    let id = format!("table-{}", group.anchor());
    let text = match (study.is_own_model, group.workload.held_out) {
        // A cell of a cost model's grid answers no question by itself.
        (true, true) => format!("{}: held out, to check the model by", group.label),
        (true, false) => format!("{}: fitted to", group.label),
        (false, _) => group.label.clone(),
    };
    let asks = group.workload.slo.is_some();
    let says = if asks { describe::slo(group.workload) } else { group.workload.question.clone() };
    vec![
        Block::Heading(Heading { id: id.clone(), text, says: Some(says) }),
        asked(group, &describe::load(group.workload)),
        table(id, lay_out(part, deciding(part), study.noise_ns), group, Layout::Rows),
    ]
}

/// Every other figure, a fold a workload.
pub(super) fn others(study: &Study<'_>) -> Section {
    let folds = all(study).map(|part| {
        let group = part.group();
        let id = format!("others-{}", group.anchor());
        let heading = Heading { id: id.clone(), text: group.label.clone(), says: None };
        let table = table(id, other_figures(part, study.noise_ns), group, Layout::Columns);
        let blocks = vec![Block::Heading(heading), table];
        Block::Fold(Fold { summary: group.label.clone(), is_open: false, blocks, is_brief: false })
    });
    let mut blocks: Vec<Block> = folds.collect();
    if blocks.is_empty() {
        return Section::default();
    }
    let note = "Bytes are the kernel's count above TCP, split by what the clients found in them; memory is what was held with \
                everybody connected less what was held before.";
    blocks.insert(0, Block::note(note));
    Section::titled("others", "All figures", blocks).folded()
}

fn table(labelled_by: String, table: Table, group: &Group<'_>, layout: Layout) -> Block {
    Block::Table(TableBlock { labelled_by, table, layout, trials: Some(group.anchor()), has_places: true })
}

/// Load, client and SLO of a workload: the note that links on these figures lead to.
pub(super) fn asked(group: &Group<'_>, load: &str) -> Block {
    let (workload, id) = (group.workload, Place::Asked.id(&group.anchor()));
    let words = format!(
        "{load}, {} client. SLO: {}. Costs within {} of each other are equivalent. {}.",
        group.client(),
        describe::slo(workload),
        asked_share(workload.decide.margin.as_f64()),
        describe::pace(workload)
    );
    Block::Note(Prose::with_id(id, words))
}

/// Which transports are not shown to meet the SLO, and why: those with the same reason together.
fn statuses(lines: &[Line<'_>]) -> Vec<String> {
    let mut found: Vec<([&str; 2], &str, Vec<Transport>)> = Vec::new();
    for line in lines {
        let (verbs, reason) = match &line.standing {
            Some(Standing::Fails { reason }) => (["fails", "fail"], reason),
            Some(Standing::Undecided { reason, .. }) => (["is undecided", "are undecided"], reason),
            Some(Standing::Void { reason }) => (["is void", "are void"], reason),
            Some(Standing::Meets | Standing::Unranked) | None => continue,
        };
        match found.iter_mut().find(|(others, why, _)| (*others, *why) == (verbs, reason.as_str())) {
            Some((_, _, all)) => all.push(line.transport()),
            None => found.push((verbs, reason, vec![line.transport()])),
        }
    }
    let sentence = |([of_one, of_several], reason, all): &([&str; 2], &str, Vec<Transport>)| {
        let verb = if all.len() == 1 { of_one } else { of_several };
        format!("{} {verb}: {reason}.", capitalised(&list(all)))
    };
    found.iter().map(sentence).collect()
}

/// Whose p99.9 is not given.
fn too_few(comparison: &Comparison<'_>) -> Option<String> {
    let has_too_few = |figures: &Figures| figures.count(Metric::Samples) > 0.0 && figures.get(Metric::P999).is_none();
    let those = comparison.candidates.iter().filter(|it| it.figures.as_ref().is_some_and(has_too_few));
    let those: Vec<Transport> = those.map(|it| it.transport).collect();
    (!those.is_empty()).then(|| {
        format!(
            "p99.9 is not given for {}: it needs 1,000 messages, however many readers each has (p99 needs 100).",
            list(&those)
        )
    })
}

#[cfg(test)]
mod tests;
