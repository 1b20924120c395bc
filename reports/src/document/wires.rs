//! What TLS, HTTP/2 and compression cost each transport: a chart of the bytes, and a table a workload; what a handshake
//! costs.

use pushoff_model::Transport;
use pushoff_model::wire::{Http, Wire};
use serde_json::{Map, json};

use crate::ReportError;
use crate::blocks::{self, Block, Head, Heading, Section, Words};
use crate::charts;
use crate::findings::handshakes::Shaken;
use crate::findings::servers::{Line, judged};
use crate::findings::study::Study;
use crate::findings::wires::OnWires;
use crate::metric::{Figures, Metric};
use crate::prose::{Prose, Span, prose};
use crate::table::{Entry, Mark};
use crate::words::text::joined;

/// Nothing where all was measured on one wire, in the clear.
pub(super) fn section(study: &Study<'_>) -> Result<Section, ReportError> {
    let all = OnWires::all(study);
    let shaken = Shaken::all(study);
    let Some(first) = all.first() else {
        return Ok(match handshakes(&shaken) {
            blocks if blocks.is_empty() => Section::default(),
            blocks => Section::titled("wires", "What TLS costs", blocks).folded(),
        });
    };
    let note = format!(
        "The same work over each wire, the trials interleaved in one run. Below each figure stands its ratio to the figure \
         over “{}”, from pairs of trials, with its 95 % interval; ≈ marks a ratio that is not shown to differ from 1. Bytes \
         a delivery are those from server to client above TCP, with the records of TLS and the frames of HTTP/2.",
        first.wires[0]
    );
    let mut figures = Vec::new();
    for on in &all {
        if let Some(chart) = charts::wires(on)? {
            figures.push(blocks::Figure { chart, anchor: on.anchor.clone(), about: on.label.clone() });
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
    blocks.extend(handshakes(&shaken));
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

/// A row a kind of handshake, by server and HTTP; nothing where none was measured.
fn handshakes(all: &[Shaken]) -> Vec<Block> {
    if all.is_empty() {
        return Vec::new();
    }
    let id = "handshakes".to_owned();
    let figures = HANDSHAKE.map(|metric| Head { is_figure: true, ..Head::from(metric.label()) });
    let head = [Head::from("")].into_iter().chain(figures).collect();
    let has_servers = all.iter().any(|it| it.server != all[0].server);
    let rows = all.iter().flat_map(|shaken| {
        let server = if has_servers { format!("{}, ", shaken.server) } else { String::new() };
        let of = format!("{server}HTTP/{}", shaken.http.name());
        let full = kind(format!("{of}, full"), &shaken.full);
        let resumed = match &shaken.resumed {
            Some(resumed) => kind(format!("{of}, resumed"), resumed),
            None => {
                let none = HANDSHAKE.map(|_| Prose::entry(&Entry::absent()));
                [Prose::from(format!("{of}, resumed: this server resumes none"))].into_iter().chain(none).collect()
            }
        };
        [full, resumed]
    });
    let words = Words::new(&id, head, rows.collect());
    let heading = Heading { id, text: "A TLS handshake".into(), says: None };
    let data = all.iter().map(|shaken| Block::Data("handshakes", json!(shaken)));
    let shown = [
        Block::Heading(heading),
        Block::note(
            "One connection, from the end of TCP's own handshake until the client may send its first request. Subscribers \
             make full handshakes; a client that reconnects with a session ticket resumes. Bytes are those above TCP and \
             include the session tickets that follow; the server's processor time includes accepting and closing the \
             connection.",
        ),
        Block::Words(words),
    ];
    shown.into_iter().chain(data).collect()
}

/// What is shown of a kind of handshake.
const HANDSHAKE: [Metric; 5] =
    [Metric::HandshakeRoundTrips, Metric::HandshakeUp, Metric::HandshakeDown, Metric::HandshakeCpu, Metric::Handshakes];

fn kind(name: String, figures: &Figures) -> Vec<Prose> {
    let figure = |metric: Metric| {
        let entry = figures.value(metric).map(|value| Entry::of_metric(metric, value, Mark::None));
        Prose::entry(&entry.unwrap_or_else(Entry::absent))
    };
    [name.into()].into_iter().chain(HANDSHAKE.map(figure)).collect()
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
    use crate::document;
    use crate::fixture;

    #[test]
    fn several_wires_have_a_section_of_what_each_costs() {
        let mut run = fixture::on_wires();
        run.records.retain(|record| record.workload.name == "ticker");
        let mut document = document::report(&Study::of(&run)).unwrap();
        document.sections.retain(|section| section.id == Some("wires"));
        insta::assert_snapshot!("wires", document.markdown());
    }

    #[test]
    fn one_wire_alone_has_the_handshakes_of_its_tls_and_no_more() {
        let mut run = fixture::on_wires();
        run.records.retain(|record| record.conditions.contains_key("compression"));
        let alone = section(&Study::of(&run)).unwrap();
        assert_eq!(alone.title.as_deref(), Some("What TLS costs"));
        assert_eq!(alone.blocks.iter().filter(|block| matches!(block, Block::Words(_))).count(), 1);
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
