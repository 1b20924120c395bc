//! The report as a document: a section a file.

mod answers;
mod cells;
mod clients;
mod comparison;
mod costmodel;
mod environment;
mod headline;
mod matrix;
mod method;
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
use crate::blocks::Document;
use crate::findings::study::Study;

/// The report on a study: the answers, tables and charts of the transports, and folded away the method, every trial and
/// every record.
///
/// # Errors
/// When a chart cannot be drawn or a record cannot be embedded.
pub(crate) fn report(study: &Study<'_>) -> Result<Document, ReportError> {
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
    let cells = cells::cells(study);
    Ok(Document {
        title: headline::title(study),
        conditions: headline::conditions(study),
        sections: sections.into_iter().filter(|section| !section.blocks.is_empty()).collect(),
        tally: headline::tally(study),
        data: cells::data(study, &cells),
        cells: cells.into_iter().map(|cell| (cell.key, cell.figures)).collect(),
    })
}
