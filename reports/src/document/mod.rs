//! A report as data: sections of blocks, and the cells behind them. Every format walks the same document.

pub(crate) mod answers;
pub(crate) mod blocks;
pub(crate) mod cells;
mod clients;
mod comparison;
mod costmodel;
mod environment;
mod headline;
mod matrix;
pub(crate) mod method;
mod networks;
mod pictures;
mod planner;
mod records;
mod scaling;
mod search;
mod servers;
mod validity;
mod wires;

use crate::ReportError;
use crate::findings::study::Study;

pub(crate) use blocks::{Answer, Block, Card, Fact, Head, Section, Words};
pub(crate) use cells::CellData;

/// What every format is made from.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) title: String,
    /// When, where and how it was measured, a line each.
    pub(crate) conditions: Vec<String>,
    pub(crate) sections: Vec<Section>,
    /// How many trials count, in words: what a terminal ends with.
    pub(crate) tally: String,
    /// What was found of each cell, for machines.
    pub(crate) cells: Vec<CellData>,
}

impl Document {
    /// The report on a study: the answer, the five side by side, charts, and what only a reader with a doubt opens.
    ///
    /// # Errors
    /// When a chart cannot be drawn or a record cannot be embedded.
    pub(crate) fn of(study: &Study<'_>) -> Result<Self, ReportError> {
        let sections = [
            answers::section(study)?,
            matrix::section(study),
            servers::section(study),
            comparison::section(study),
            search::section(study)?,
            scaling::section(study),
            clients::section(study),
            pictures::section(study)?,
            networks::section(study)?,
            wires::section(study)?,
            planner::section(study)?,
            comparison::others(study),
            costmodel::section(study),
            method::section(study),
            validity::section(study),
            environment::section(study),
            records::section(study)?,
        ];
        Ok(Self {
            title: headline::title(study),
            conditions: headline::conditions(study),
            sections: sections.into_iter().filter(|section| !section.blocks.is_empty()).collect(),
            tally: headline::tally(study),
            cells: cells::cells(study),
        })
    }
}
