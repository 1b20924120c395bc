//! What TLS, HTTP/2 and compression cost each transport: a chart of the bytes, and a table a workload.

use pushoff_model::Transport;
use pushoff_model::wire::{Http, Wire};
use serde_json::{Map, json};

use super::blocks::{Figure, Heading};
use super::{Block, Head, Section, Words};
use crate::ReportError;
use crate::charts;
use crate::findings::servers::{Line, judged};
use crate::findings::study::Study;
use crate::findings::wires::OnWires;
use crate::metric::Metric;
use crate::prose::{Prose, Span, prose};
use crate::table::{Entry, Mark};
use crate::words::text::joined;

/// Nothing where all was measured on one wire.
pub(super) fn section(study: &Study<'_>) -> Result<Section, ReportError> {
    let all = OnWires::all(study);
    let Some(first) = all.first() else { return Ok(Section::default()) };
    let note = format!(
        "The same work on each wire, interleaved in one run. Below a figure stands how many times that on “{}” it is, \
         drawn in pairs of trials, with its 95 % interval; ≈ marks what is not shown to differ. Bytes are those above TCP, \
         down, a delivery, with the records of TLS and the frames of HTTP/2.",
        first.wires[0]
    );
    let mut figures = Vec::new();
    for on in &all {
        if let Some(chart) = charts::wires(on)? {
            figures.push(Figure { chart, anchor: on.anchor.clone(), about: on.label.clone() });
        }
    }
    let mut blocks = vec![Block::note(note)];
    if !figures.is_empty() {
        blocks.push(Block::Row(figures));
    }
    for on in &all {
        blocks.extend(side_by_side(on));
        blocks.push(data(on));
    }
    Ok(Section::titled("wires", title(&all), blocks).folded())
}

/// `What TLS and HTTP/2 change`: what tells any wire from the lightest.
fn title(all: &[OnWires<'_>]) -> String {
    let parts = |wire: &Wire| [wire.tls, wire.http == Http::Two, wire.compressed];
    let wires = || all.iter().flat_map(|on| on.wires.iter().map(|wire| (parts(wire), parts(&on.wires[0]))));
    let differs = |part: &usize| wires().any(|(it, lightest)| it[*part] != lightest[*part]);
    let names: Vec<&str> = (0..3).filter(differs).map(|part| ["TLS", "HTTP/2", "compression"][part]).collect();
    format!("What {} change{}", joined(&names), if names.len() == 1 { "s" } else { "" })
}

/// A transport, and a row a wire below it.
fn side_by_side(on: &OnWires<'_>) -> [Block; 2] {
    let id = format!("wires-{}", on.anchor);
    let figure = |(_, name): &(Metric, &'static str)| Head { is_figure: true, ..Head::from(*name) };
    let head = [Head::from("")].into_iter().chain(on.metrics.iter().map(figure)).collect();
    let transports = Transport::ALL.into_iter().filter(|it| on.of_transport(*it).next().is_some());
    let rows = transports.flat_map(|transport| {
        let blank = on.metrics.iter().map(|_| Prose::default());
        let title: Vec<Prose> = [Prose::from(transport)].into_iter().chain(blank).collect();
        [title].into_iter().chain(on.of_transport(transport).map(|line| row(on, line)))
    });
    let words = Words::new(&id, head, rows.collect());
    [Block::Heading(Heading { id, text: on.label.clone(), says: None }), Block::Words(words)]
}

fn row<'a>(on: &OnWires<'a>, line: &Line<'a>) -> Vec<Prose> {
    let cell = |(metric, _): &(Metric, &str)| match line.figures.value(*metric) {
        Some(_) if line.void.is_some() => Prose::entry(&Entry::words("void")),
        Some(value) => {
            let own = Prose::entry(&Entry::of_metric(*metric, value, Mark::None));
            match on.to_lightest(*metric, line) {
                Some(ratio) => prose![own, Prose::of(vec![Span::Break]), Prose::entry(&judged(*metric, &ratio))],
                None => own,
            }
        }
        None => Prose::entry(&Entry::absent()),
    };
    [Prose::from(line.wire().to_string())].into_iter().chain(on.metrics.iter().map(cell)).collect()
}

/// The ratios, for machines: the figures themselves are those of the cells.
fn data(on: &OnWires<'_>) -> Block {
    let cells = on.lines.iter().map(|line| {
        let ratio = |(metric, _): &(Metric, &str)| {
            (metric.id().to_owned(), json!({ "to_lightest": on.to_lightest(*metric, line) }))
        };
        let ratios = on.metrics.iter().map(ratio).collect::<Map<_, _>>();
        json!({ "transport": line.transport(), "conditions": line.key.conditions, "ratios": ratios })
    });
    Block::Data("wires", json!({ "label": on.label, "cells": cells.collect::<Vec<_>>() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;
    use crate::fixture;
    use crate::render::markdown;

    #[test]
    fn several_wires_have_a_section_of_what_each_costs() {
        let mut run = fixture::on_wires();
        run.records.retain(|record| record.workload.name == "ticker");
        let mut document = Document::of(&Study::of(&run)).unwrap();
        document.sections.retain(|section| section.id == Some("wires"));
        insta::assert_snapshot!("wires", markdown::document(&document));
    }

    #[test]
    fn one_wire_alone_has_no_section() {
        let mut run = fixture::on_wires();
        run.records.retain(|record| record.conditions.contains_key("compression"));
        assert!(section(&Study::of(&run)).unwrap().blocks.is_empty());
        assert!(section(&Study::of(&fixture::whole())).unwrap().blocks.is_empty());
    }

    #[test]
    fn the_title_names_what_differs() {
        let mut run = fixture::on_wires();
        let said = |run: &crate::Run| title(&OnWires::all(&Study::of(run)));
        assert_eq!(said(&run), "What TLS, HTTP/2 and compression change");
        run.records.retain(|record| !record.conditions.contains_key("http"));
        assert_eq!(said(&run), "What TLS changes");
    }
}
