//! What each transport costs: a sheet a workload, and its bytes as a chart.

use super::blocks::{Figure, Fold, Heading, Layout, TableBlock};
use super::{Block, Section};
use crate::ReportError;
use crate::cells::faults::CellFaults;
use crate::cells::validity::Validity;
use crate::cells::{Cell, Group};
use crate::charts;
use crate::findings::comparison::Comparison;
use crate::findings::study::Study;
use crate::metric::Figures;
use crate::table::metrics::COST;
use crate::table::{Subject, Table, noise};
use crate::words::describe;
use crate::words::text::capitalised;

/// A group with the figures of its cells, and where some of them are from.
pub(super) struct Sheet<'s, 'a> {
    pub(super) group: &'s Group<'a>,
    pub(super) figures: Vec<Option<&'s Figures>>,
    sources: &'s [String],
}

impl<'s, 'a> Sheet<'s, 'a> {
    pub(super) fn of(comparison: &'s Comparison<'a>) -> Self {
        let figures = comparison.candidates.iter().map(|it| it.figures.as_ref()).collect();
        Self { group: &comparison.group, figures, sources: &comparison.sources }
    }

    fn all(study: &'s Study<'a>) -> Vec<Self> {
        let held = study.holdings.iter().map(|it| Self {
            group: &it.group,
            figures: it.figures.iter().map(Option::as_ref).collect(),
            sources: &[],
        });
        study.comparisons.iter().map(Self::of).chain(held).collect()
    }

    pub(super) fn subjects(&self) -> Vec<Subject<'s>> {
        let subject = |(cell, figures): (&Cell<'_>, &Option<&'s Figures>)| Subject {
            validity: Validity::of(cell),
            void: cell.void_reason().map(str::to_owned),
            trials: figures.map_or(0, |figures| figures.trials),
            ..Subject::new(cell.key.clone(), *figures)
        };
        self.group.cells.iter().zip(&self.figures).map(subject).collect()
    }

    fn table(&self, noise_ns: f64) -> Table {
        let mut table = Table::lay_out(&COST, self.subjects(), noise_ns);
        table.notes.extend(self.sources.iter().cloned());
        // What is compared has its own table, which says so.
        if self.group.workload.slo.is_none() {
            let wrong = |cell: &Cell<'_>| CellFaults::of(&cell.trials).notes(&capitalised(cell.transport().label()));
            table.notes.extend(self.group.cells.iter().flat_map(wrong));
        }
        table.notes.extend(no_theory(self.group));
        table.notes.extend(noise(noise_ns));
        table
    }
}

pub(super) fn section(study: &Study<'_>) -> Result<Section, ReportError> {
    let sheets = Sheet::all(study);
    if sheets.is_empty() {
        return Ok(Section::default());
    }
    let mut figures = Vec::new();
    for sheet in &sheets {
        let chart = charts::bytes(sheet.group, &sheet.figures)?;
        figures.extend(chart.map(|chart| Figure { chart, anchor: sheet.group.anchor() }));
    }
    let mut blocks = vec![Block::note(
        "Bytes are the kernel's count above TCP, split by what the clients found in them; memory is what was held with \
         everybody connected less what was held before.",
    )];
    blocks.extend(Block::folded(!study.besides.is_empty(), "Bytes of every server", vec![Block::Row(figures)]));
    blocks.extend(sheets.iter().map(|sheet| Block::Fold(folded(study, sheet))));
    Ok(Section::titled("costs", "What each costs", blocks).in_brief())
}

/// A sheet. A terminal shows those of workloads that publish nothing, where no server stands beside.
fn folded(study: &Study<'_>, sheet: &Sheet<'_, '_>) -> Fold {
    let group = sheet.group;
    let id = format!("costs-{}", group.anchor());
    let says = Some(group.workload.question.clone());
    Fold {
        summary: group.label.clone(),
        is_open: is_first(study, group),
        is_brief: group.workload.slo.is_none() && !study.is_beside(group),
        blocks: vec![
            Block::Heading(Heading { id: id.clone(), text: group.label.clone(), says }),
            Block::note(format!("{}, {} client.", describe::load(group.workload), group.client())),
            Block::Table(TableBlock {
                labelled_by: id,
                table: sheet.table(study.noise_ns),
                layout: Layout::Columns,
                trials: Some(group.anchor()),
                has_places: false,
            }),
        ],
    }
}

/// Whether a sheet lies open: that of an answer, and the largest of those that differ in size.
fn is_first(study: &Study<'_>, group: &Group<'_>) -> bool {
    let is_larger = |it: &Group<'_>| {
        it.differs_in_size_alone(group) && it.workload.subscribers > group.workload.subscribers && !it.is_search
    };
    !group.is_second && !study.is_beside(group) && !study.groups().any(is_larger)
}

/// Framing is weighed by the wire contract that is pushoff's own.
fn no_theory(group: &Group<'_>) -> Option<String> {
    (!group.is_ours()).then(|| {
        format!(
            "There is no theory of the bytes of {}, whose framing is its own: what is neither payload nor heads is in \
             the rest.",
            group.server()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::metric::Metric;

    #[test]
    fn only_pushoffs_own_bytes_have_a_theory_and_that_is_said() {
        let run = fixture::servers();
        for it in &Study::of(&run).comparisons {
            let (is_ours, sheet) = (it.group.is_ours(), Sheet::of(it));
            for figures in sheet.figures.iter().flatten() {
                let has = |metric: Metric| figures.get(metric).is_some();
                assert!(has(Metric::Down) && has(Metric::DownRest));
                for metric in [Metric::DownTheory, Metric::DownFraming, Metric::DownDeviation] {
                    assert_eq!(has(metric), is_ours, "{metric:?}");
                }
            }
            let notes = sheet.table(0.0).notes;
            assert_eq!(notes.iter().any(|note| note.contains("no theory")), !is_ours, "{notes:?}");
        }
    }

    #[test]
    fn what_only_silence_shows_is_taken_from_the_same_server() {
        let run = fixture::servers();
        let study = Study::of(&run);
        let named =
            |server: &str| study.comparisons.iter().find(|it| it.group.server() == server).unwrap().sources.clone();
        assert!(named("nchan")[0].contains(", nchan (lean client)"), "{:?}", named("nchan"));
        assert!(named("pushoff")[0].contains(", pushoff (lean client)"), "{:?}", named("pushoff"));
    }
}
