//! The five side by side at one look: a row a workload, a column a transport.

use pushoff_model::Transport;

use super::{Block, Head, Section, Words};
use crate::findings::comparison::Comparison;
use crate::findings::study::Study;
use crate::findings::verdict::Candidate;
use crate::metric::{Metric, Standing};
use crate::prose::{Place, Prose, Span, Tone, prose};
use crate::words::describe;
use crate::words::number::ABSENT;

pub(super) fn section(study: &Study<'_>) -> Section {
    let rows: Vec<(String, Vec<Prose>)> = study.answers().map(|it| (it.group.anchor(), row(it))).collect();
    if rows.is_empty() {
        return Section::default();
    }
    let head =
        [Head::from("")].into_iter().chain(ranked().map(|it| Head { is_figure: true, ..Head::from(it) })).collect();
    let mut words = Words::new("matrix-title", head, rows.iter().map(|(_, cells)| cells.clone()).collect());
    for (row, (group, _)) in words.rows.iter_mut().zip(rows) {
        row.group = group;
    }
    let note = "Meets or fails the SLO; p50 and p99 of delivery latency; cost over that of the cheapest (≈: shown to be the \
                same, within the margin that the workload states).";
    let blocks = vec![Block::Note(Prose::with_id("matrix-title".into(), note)), Block::Words(words)];
    Section::titled("matrix", "At a glance", blocks)
}

fn ranked() -> impl Iterator<Item = Transport> {
    Transport::ALL.into_iter().filter(|transport| transport.is_ranked())
}

fn row(comparison: &Comparison<'_>) -> Vec<Prose> {
    let head = prose![
        Prose::strong(comparison.group.label.clone(), Tone::Plain),
        Prose::of(vec![Span::Break]),
        describe::slo(comparison.group.workload)
    ];
    let cell = |transport: Transport| {
        let candidate = comparison.candidates.iter().find(|it| it.transport == transport);
        candidate.map_or_else(|| ABSENT.into(), |candidate| cell(comparison, candidate))
    };
    [head].into_iter().chain(ranked().map(cell)).collect()
}

fn cell(comparison: &Comparison<'_>, candidate: &Candidate) -> Prose {
    let tone = match candidate.standing {
        Standing::Meets => Tone::Good,
        Standing::Fails { .. } => Tone::Bad,
        Standing::Undecided { .. } | Standing::Void { .. } | Standing::Unranked => Tone::Faint,
    };
    let taken = if comparison.verdict.choice() == Some(candidate.transport) { ", taken" } else { "" };
    let mut words = Prose::strong(format!("{}{taken}", candidate.standing.label()), tone);
    for (name, metric) in [("p50 ", Metric::P50), ("p99 ", Metric::P99)] {
        if let Some(figure) = candidate.figures.as_ref().and_then(|figures| figures.get(metric)) {
            let written = metric.unit().write(figure.point);
            let figure = Prose::figure(written, Place::Cell(candidate.transport, metric));
            words = prose![words, Prose::of(vec![Span::Break]), name, figure];
        }
    }
    let figure = |metric: Metric| candidate.figures.as_ref().and_then(|figures| figures.get(metric));
    if let Some(ratio) = figure(Metric::CostToCheapest).filter(|_| tone != Tone::Bad) {
        let decision = &comparison.verdict.decision;
        let is_cheapest = decision.cheapest == Some(candidate.transport);
        let is_equivalent = decision.equivalent.contains(&candidate.transport) && !is_cheapest;
        let written = Metric::CostToCheapest.unit().write(ratio.point);
        let written = Prose::figure(written, Place::Cell(candidate.transport, Metric::CostToCheapest));
        words = prose![words, Prose::of(vec![Span::Break]), if is_equivalent { "cost ≈ " } else { "cost " }, written];
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_row_a_workload_and_a_cell_a_ranked_transport() {
        let run = fixture::run();
        let study = Study::of(&run);
        let section = section(&study);
        let Some(Block::Words(words)) = section.blocks.last() else { panic!("{section:?}") };
        assert_eq!(words.rows.len(), study.answers().count());
        assert!(words.rows.iter().all(|row| row.cells.len() == 6));
        let ticker = &words.rows[1].cells;
        assert!(ticker[0].to_string().starts_with("ticker 99 % within 100 ms"), "{}", ticker[0]);
        for cell in &ticker[1..] {
            let said = cell.to_string();
            // 90 ticks in all are too few for a p99.
            assert!(said.contains("p50 ") && said.contains("cost ") && !said.contains("p99 "), "{said}");
        }
        assert!(
            words.rows[0].cells[1..].iter().all(|it| it.to_string().contains("p99 ")),
            "progress has more messages"
        );
        assert_eq!(ticker.iter().filter(|it| it.to_string().contains("cost 1.00×")).count(), 1);
    }
}
