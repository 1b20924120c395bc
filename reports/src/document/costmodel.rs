//! The cost model: how well it predicts, and the fitted costs.

use crate::blocks::{Block, Fold, Head, Heading, Section, Words};
use crate::findings::study::Study;
use crate::prose::{Prose, Tone};
use crate::unitcosts::{self, FINDINGS, Finding, Sheet};

pub(super) fn section(study: &Study<'_>) -> Section {
    if study.is_empty() {
        return Section::default();
    }
    let mut blocks = vec![Block::Prose(unitcosts::conclusion(study).into(), String::new())];
    blocks.extend(predictions(study));
    let mut costs = vec![heading("unit-costs", "Cost of one message, poll, connection and so on")];
    costs.extend(unitcosts::origin(study).into_iter().map(Block::note));
    costs.push(Block::Words(unit_costs(&Sheet::of(&study.model))));
    costs.push(Block::note(
        "In brackets the 95 % interval. A cell is empty where the event does not occur on a transport, or where its cost \
         cannot be told from zero. Bytes are those above TCP.",
    ));
    let summary = "The fitted costs".to_owned();
    blocks.push(Block::Fold(Fold { summary, is_open: false, blocks: costs, is_brief: false }));
    Section::titled("costmodel", "Cost model", blocks).folded()
}

fn heading(id: &str, text: &str) -> Block {
    Block::Heading(Heading { id: id.to_owned(), text: text.to_owned(), says: None })
}

/// A column a transport, a row a cost.
fn unit_costs(sheet: &Sheet) -> Words {
    let head = [Head::from("")].into_iter().chain(sheet.transports.iter().map(|it| Head::from(*it))).collect();
    let mut rows = Vec::new();
    for part in &sheet.parts {
        let empty = sheet.transports.iter().map(|_| Prose::default());
        rows.push([Prose::strong(part.title.clone(), Tone::Plain)].into_iter().chain(empty).collect());
        for line in &part.lines {
            let entries = line.entries.iter().map(|it| it.as_ref().map_or_else(Prose::default, Prose::entry));
            let label = line.help.map_or_else(|| line.label.clone(), |help| format!("{} ({help})", line.label));
            rows.push([Prose::from(label)].into_iter().chain(entries).collect());
        }
    }
    Words::new("unit-costs", head, rows)
}

fn predictions(study: &Study<'_>) -> Vec<Block> {
    let findings = unitcosts::findings(&study.checked);
    if findings.is_empty() {
        return Vec::new();
    }
    let head = ["figure"].into_iter().chain(FINDINGS).map(Head::from).collect();
    let rows = findings.iter().map(finding).collect();
    vec![
        heading("predicted", "Predicted and measured"),
        Block::Words(Words::new("predicted", head, rows)),
        Block::note(
            "Error: predicted ÷ measured − 1. 95 % of the intervals should hold the measured figure. Server CPU is that \
             of a second; bytes and segments are those of a trial.",
        ),
    ]
}

fn finding(finding: &Finding) -> Vec<Prose> {
    let last = finding.words.len() - 1;
    let word = |(index, words): (usize, &String)| match (index == last, finding.is_met) {
        (true, Some(true)) => Prose::strong(words.clone(), Tone::Good),
        (true, Some(false)) => Prose::strong(words.clone(), Tone::Bad),
        _ => words.clone().into(),
    };
    [Prose::from(finding.check.label())].into_iter().chain(finding.words.iter().enumerate().map(word)).collect()
}
