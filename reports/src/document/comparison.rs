//! The figures side by side: a table a workload, a column a transport, the floor apart.

use pushoff_model::Transport;

use super::blocks::{Fold, Heading, Layout, TableBlock};
use super::{Block, Section};
use crate::ReportError;
use crate::cells::Group;
use crate::cells::validity::Validity;
use crate::findings::comparison::Comparison;
use crate::findings::study::Study;
use crate::metric::Metric;
use crate::metric::Standing;
use crate::prose::{Place, Prose};
use crate::table::metrics::COMPARISON;
use crate::table::{Subject, Table, noise};
use crate::words::describe;
use crate::words::number::asked_share;
use crate::words::text::{capitalised, list};

#[expect(clippy::unnecessary_wraps, reason = "a section may fail; this one does not")]
pub(super) fn section(study: &Study<'_>) -> Result<Section, ReportError> {
    if study.comparisons.is_empty() {
        return Ok(Section::default());
    }
    let mut blocks = vec![Block::note(
        "Each figure with its 95 % interval; (?) is one that reaches beyond ten times the figure. The best stands alone; \
         ≈ marks what is too close to call. A transport's name leads to its trials.",
    )];
    for comparison in &study.comparisons {
        let group = &comparison.group;
        let is_folded = group.is_second || study.is_beside(group);
        let compared = compared(study, comparison);
        if is_folded {
            let (summary, is_brief) = (group.label.clone(), !study.is_beside(group));
            blocks.push(Block::Fold(Fold { summary, is_open: false, blocks: compared, is_brief }));
        } else {
            blocks.extend(compared);
        }
    }
    let title = if study.besides.is_empty() { "Side by side" } else { "Transports side by side" };
    Ok(Section { id: None, title: Some(title.into()), blocks, is_brief: true })
}

fn compared(study: &Study<'_>, comparison: &Comparison<'_>) -> Vec<Block> {
    let group = &comparison.group;
    let id = format!("table-{}", group.anchor());
    let text = match (study.is_own_model, group.workload.held_out) {
        // A cell of a cost model's grid answers no question by itself.
        (true, true) => format!("{}: held out, to check the model by", group.label),
        (true, false) => format!("{}: fitted to", group.label),
        (false, _) => group.label.clone(),
    };
    vec![
        Block::Heading(Heading { id: id.clone(), text, says: Some(describe::slo(group.workload)) }),
        asked(group, &describe::load(group.workload)),
        Block::Table(TableBlock {
            labelled_by: id,
            table: table(comparison),
            layout: Layout::Columns,
            trials: Some(group.anchor()),
            has_places: true,
        }),
    ]
}

/// What a workload asks for, and of whom: where its parameters lead.
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

/// The table of a comparison.
pub(crate) fn table(comparison: &Comparison<'_>) -> Table {
    let subjects = comparison.candidates.iter().zip(&comparison.group.cells).map(|(candidate, cell)| {
        let void = match &candidate.standing {
            Standing::Void { reason } => Some(reason.clone()),
            Standing::Meets | Standing::Fails { .. } | Standing::Undecided { .. } | Standing::Unranked => None,
        };
        Subject {
            standing: Some(&candidate.standing),
            validity: Validity::of(cell),
            void,
            is_choice: comparison.verdict.choice() == Some(candidate.transport),
            trials: candidate.figures.as_ref().map_or(0, |figures| figures.trials),
            ..Subject::new(cell.key.clone(), candidate.figures.as_ref())
        }
    });
    let mut table = Table::lay_out(&COMPARISON, subjects.collect(), comparison.noise_ns);
    table.notes.extend(notes(comparison));
    table.notes.extend(noise(comparison.noise_ns));
    table
}

fn notes(comparison: &Comparison<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    for candidate in &comparison.candidates {
        let name = capitalised(candidate.transport.label());
        match &candidate.standing {
            Standing::Fails { reason } => notes.push(format!("{name} fails: {reason}.")),
            Standing::Undecided { reason } => notes.push(format!("{name} is undecided: {reason}.")),
            Standing::Void { reason } => notes.push(format!("{name} is void: {reason}.")),
            Standing::Meets | Standing::Unranked => {}
        }
        notes.extend(candidate.faults.notes(&name));
    }
    let has_too_few =
        |figures: &crate::metric::Figures| figures.count(Metric::Samples) > 0.0 && figures.get(Metric::P999).is_none();
    let too_few: Vec<Transport> = comparison
        .candidates
        .iter()
        .filter(|it| it.figures.as_ref().is_some_and(has_too_few))
        .map(|it| it.transport)
        .collect();
    if !too_few.is_empty() {
        notes.push(format!(
            "p99.9 is not given for {}: it needs 1,000 messages, however many readers each has (p99 needs 100).",
            list(&too_few)
        ));
    }
    notes
}

#[cfg(test)]
mod tests;
