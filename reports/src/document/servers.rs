//! Servers side by side: a chart and a table a workload, and one server held against the others.

use serde_json::{Map, json};

use crate::blocks::{Block, Fold, Heading, Layout, Section, TableBlock, Words};
use crate::findings::servers::{Matrix, OnServers, matrices};
use crate::findings::study::Study;
use crate::metric::Metric;
use crate::prose::Prose;
use crate::words::describe;

pub(super) fn section(study: &Study<'_>) -> Section {
    if study.on_servers.is_empty() {
        return Section::default();
    }
    let note = "All servers did the same work in one run, their trials interleaved. First pushoff’s figures divided by \
                those of another server, from pairs of trials; then the figures themselves, each with its 95 % interval. \
                The best stands alone, and ≈ marks what is not shown to differ from it.";
    let mut blocks = vec![Block::note(note)];
    for matrix in &matrices(&study.on_servers) {
        blocks.extend(against(matrix));
    }
    for beside in &study.on_servers {
        let inner = side_by_side(beside, study.noise_ns).into();
        blocks.push(Block::Fold(Fold { summary: beside.label.clone(), is_open: false, blocks: inner, is_brief: true }));
        blocks.push(data(beside));
    }
    Section::titled("servers", "Servers side by side", blocks).in_brief()
}

fn against(matrix: &Matrix) -> [Block; 2] {
    let id = format!("against-{}", matrix.title.replace([' ', '÷'], ""));
    let head = ["figure".into()].into_iter().chain(matrix.transports.iter().map(|it| (*it).into())).collect();
    let rows = matrix.rows.iter().map(|row| {
        let entries = row.entries.iter().map(|it| it.as_ref().map_or_else(Prose::default, Prose::entry));
        [Prose::from(row.label.clone())].into_iter().chain(entries).collect()
    });
    let words = Words::new(&id, head, rows.collect());
    [Block::Heading(Heading { id, text: matrix.title.clone(), says: None }), Block::Words(words)]
}

fn side_by_side(beside: &OnServers<'_>, noise_ns: f64) -> [Block; 3] {
    let id = format!("servers-{}", beside.anchor());
    let load = if beside.is_search { describe::search(beside.workload) } else { describe::load(beside.workload) };
    let (slo, says) = match beside.workload.slo {
        Some(_) => (format!(". SLO: {}", describe::slo(beside.workload)), describe::slo(beside.workload)),
        None => (String::new(), beside.workload.question.clone()),
    };
    [
        Block::Heading(Heading { id: id.clone(), text: beside.label.clone(), says: Some(says) }),
        Block::note(format!("{load}, {} client{slo}.", beside.client)),
        Block::Table(TableBlock {
            labelled_by: id,
            table: beside.table(noise_ns),
            layout: Layout::Rows,
            trials: None,
            has_places: false,
        }),
    ]
}

/// The ratios, for machines: the figures themselves are those of the cells.
fn data(beside: &OnServers<'_>) -> Block {
    let cells = beside.lines.iter().map(|it| {
        let ratio = |metric: &Metric| {
            (metric.id().to_owned(), json!({ "to_baseline": beside.to_baseline(*metric, it) }))
        };
        let ratios = beside.metrics.iter().map(ratio);
        json!({ "transport": it.transport(), "server": it.server(), "conditions": it.key.conditions, "ratios": ratios.collect::<Map<_, _>>() })
    });
    Block::Data(
        "servers",
        json!({
            "label": beside.label,
            "client": beside.client,
            "question": beside.workload.question,
            "baseline": beside.baseline,
            "cells": cells.collect::<Vec<_>>(),
        }),
    )
}
