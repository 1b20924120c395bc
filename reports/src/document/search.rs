//! Capacity: latency as the load grows, the knee of each transport, and what lies beyond it.

use serde_json::json;

use super::comparison::asked;
use crate::ReportError;
use crate::blocks::{Block, Section};
use crate::blocks::{Figure, Heading, Layout, TableBlock};
use crate::charts;
use crate::findings::search::{self, Searched};
use crate::findings::study::Study;
use crate::words::describe;

pub(super) fn section(study: &Study<'_>) -> Result<Section, ReportError> {
    if study.searches.is_empty() {
        return Ok(Section::default());
    }
    let mut blocks = vec![Block::note(
        "The load grows until the SLO breaks; the border is then walked up and down in small steps. Past the knee the \
         curve goes on. Hollow points are void: the generator or the machine was the limit.",
    )];
    for it in &study.searches {
        let is_aside = study.is_on_several_servers(&it.group) || it.group.is_heavier;
        blocks.extend(Block::folded(is_aside, &it.group.label, searched(it, study.noise_ns)?));
        blocks.push(data(it));
    }
    Ok(Section::titled("capacity", "How much each carries", blocks).in_brief())
}

fn searched(it: &Searched<'_>, noise_ns: f64) -> Result<Vec<Block>, ReportError> {
    let group = &it.group;
    let anchor = group.anchor();
    let id = format!("capacity-{anchor}");
    let mut blocks = vec![
        Block::Heading(Heading {
            id: id.clone(),
            text: format!("{}: {}", group.label, group.workload.question),
            says: Some(describe::slo(group.workload)),
        }),
        Block::OnPage(vec![Block::Prose(it.sentence.clone(), anchor.clone())]),
        asked(group, &describe::search(group.workload)),
    ];
    blocks.extend(
        charts::load(it)?.map(|chart| Block::Chart(Figure { chart, anchor: anchor.clone(), about: String::new() })),
    );
    blocks.push(Block::Table(TableBlock {
        labelled_by: id,
        table: search::table(it, noise_ns),
        layout: Layout::Rows,
        trials: Some(anchor),
        has_places: true,
    }));
    Ok(blocks)
}

/// What was found, for machines: every load that was measured, and what a capacity rests on.
fn data(it: &Searched<'_>) -> Block {
    let curve = |curve: &search::Curve| {
        json!({
            "transport": curve.transport,
            "capacity": curve.capacity.map(|it| json!({
                "turns": it.turns,
                "reach": it.reach,
                "is_server_limited": it.is_server_limited,
                "is_missing_alone": it.is_missing_alone,
            })),
            "loads": curve.points,
        })
    };
    Block::Data(
        "searches",
        json!({
            "name": it.group.name,
            "label": it.group.label,
            "conditions": it.group.conditions,
            "question": it.group.workload.question,
            "slo": it.slo,
            "grow": it.growth,
            "bounded": it.is_bounded,
            "sentence": it.sentence,
            "curves": it.curves.iter().map(curve).collect::<Vec<_>>(),
        }),
    )
}
