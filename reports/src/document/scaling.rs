//! Cost as the number of connections grows: what a connection costs at several sizes, and the slopes.

use serde_json::json;

use super::blocks::{Figure, Heading, Layout, TableBlock};
use super::{Block, Section};
use crate::ReportError;
use crate::charts;
use crate::findings::scaling::{Family, Line};
use crate::findings::study::Study;

pub(super) fn section(study: &Study<'_>) -> Result<Section, ReportError> {
    if study.families.is_empty() {
        return Ok(Section::default());
    }
    let mut blocks = vec![Block::note("A level line is a connection that costs the same however many there are.")];
    for family in &study.families {
        let anchor = family.label.replace([' ', ','], "");
        let id = format!("growth-{anchor}");
        let figures = charts::growth(family)?.into_iter().map(|chart| Figure { chart, anchor: anchor.clone() });
        let sizes: Vec<String> = family.sizes.iter().map(u32::to_string).collect();
        let text = format!("{} at {} connections", family.label, sizes.join(", "));
        blocks.push(Block::Heading(Heading { id: id.clone(), text, says: None }));
        blocks.push(Block::Row(figures.collect()));
        blocks.push(Block::Table(TableBlock {
            labelled_by: id,
            table: family.table(),
            layout: Layout::Rows,
            trials: None,
            has_places: false,
        }));
        blocks.push(data(family));
    }
    Ok(Section::titled("growth", "As it grows", blocks))
}

fn data(family: &Family) -> Block {
    let line = |line: &Line| json!({ "transport": line.transport(), "conditions": line.key.conditions, "slopes": line.slopes });
    let lines: Vec<_> = family.lines.iter().map(line).collect();
    Block::Data("scaling", json!({ "name": family.label, "sizes": family.sizes, "cells": lines }))
}
