//! A report as data: sections of blocks, and the cells behind them. Every format walks the same document.

pub(crate) mod answers;
pub(crate) mod blocks;
pub(crate) mod cells;
mod clients;
mod comparison;
mod cost;
mod costmodel;
mod environment;
pub(crate) mod method;
mod million;
mod pictures;
mod planner;
mod records;
mod scaling;
mod search;
mod servers;
mod validity;

use crate::ReportError;
use crate::findings::study::Study;

pub(crate) use blocks::{Answer, Block, Card, Fact, Head, Section, Words};
pub(crate) use cells::CellData;

/// What every format is made from.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) title: String,
    pub(crate) sections: Vec<Section>,
    /// How many trials count, in words: what a terminal ends with.
    pub(crate) tally: String,
    /// What was found of each cell, for machines.
    pub(crate) cells: Vec<CellData>,
}

/// Makes one section.
type Make = fn(&Study<'_>) -> Result<Section, ReportError>;

/// The sections of a report, top to bottom.
const ALL: [Make; 15] = [
    answers::section,
    servers::section,
    comparison::section,
    cost::section,
    search::section,
    scaling::section,
    clients::section,
    million::section,
    planner::section,
    costmodel::section,
    pictures::section,
    method::section,
    validity::section,
    environment::section,
    records::section,
];

impl Document {
    /// The report on a study.
    ///
    /// # Errors
    /// When a chart cannot be drawn or a record cannot be embedded.
    pub(crate) fn of(study: &Study<'_>) -> Result<Self, ReportError> {
        let sections: Result<Vec<Section>, ReportError> = ALL.iter().map(|section| section(study)).collect();
        Ok(Self {
            title: "Which transport should carry these messages?".into(),
            sections: sections?.into_iter().filter(|section| !section.blocks.is_empty()).collect(),
            tally: if study.is_empty() { String::new() } else { study.tally() },
            cells: cells::cells(study),
        })
    }
}
