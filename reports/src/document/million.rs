//! What 1 million users would need: a row a transport for each workload.
//!
//! What one user was measured to need, a million times. It says nothing of what changes on the way:
//! the table names how far that is.

use super::blocks::{Heading, Layout, TableBlock};
use super::cost::Sheet;
use super::{Block, Section};
use crate::ReportError;
use crate::cells::Group;
use crate::findings::comparison::Comparison;
use crate::findings::study::Study;
use crate::metric::MILLION as USERS;
use crate::table::Table;
use crate::table::metrics::MILLION;
use crate::words::number::{Quantity, thousands};

#[expect(clippy::unnecessary_wraps, reason = "a section may fail; this one does not")]
pub(super) fn section(study: &Study<'_>) -> Result<Section, ReportError> {
    let shown: Vec<_> = study.answers().map(|it| (it, table(it))).filter(|it| !it.1.columns.is_empty()).collect();
    if shown.is_empty() {
        return Ok(Section::default());
    }
    let mut blocks =
        vec![Block::note("What one user was measured to need, a million times: a first guess, not a promise.")];
    for (comparison, table) in shown {
        let group = &comparison.group;
        let id = format!("million-{}", group.anchor());
        let inner = vec![
            Block::Heading(Heading { id: id.clone(), text: group.label.clone(), says: None }),
            Block::Table(TableBlock {
                labelled_by: id,
                table,
                layout: Layout::Rows,
                trials: Some(group.anchor()),
                has_places: false,
            }),
        ];
        blocks.extend(Block::folded(study.is_beside(group), &group.label, inner));
    }
    Ok(Section::titled("million", "What 1 million users would need", blocks))
}

fn table(comparison: &Comparison<'_>) -> Table {
    let mut table = Table::lay_out(&MILLION, Sheet::of(comparison).subjects(), 0.0);
    table.notes.push(basis(&comparison.group));
    table
}

/// What the figures rest on: `Measured at 300 users; 1 million is 3,333 times beyond that.`
fn basis(group: &Group<'_>) -> String {
    let users = group.workload.subscribers;
    let times = USERS / f64::from(users.max(1));
    let times = if times >= 999.5 { thousands(&format!("{times:.0}")) } else { Quantity::Count.write(times) };
    format!(
        "Measured at {} users; 1 million is {times} times beyond what was measured. The range in brackets is that of \
         the measurement alone: what changes on the way (caches, more servers, more kernel) is not in it.",
        thousands(&users.to_string()),
    )
}
