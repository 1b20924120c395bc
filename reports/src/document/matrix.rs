//! The five side by side at one look: a row a workload and one each network that it was measured over, a column a
//! transport.

use pushoff_model::Transport;

use super::networks::described;
use crate::blocks::{Block, Head, Section, Words};
use crate::findings::comparison::Comparison;
use crate::findings::networks::OverNetwork;
use crate::findings::study::Study;
use crate::findings::verdict::Candidate;
use crate::metric::{Figures, Metric, Standing};
use crate::prose::{Place, Prose, Span, Tone, prose};
use crate::words::describe;
use crate::words::number::ABSENT;

pub(super) fn section(study: &Study<'_>) -> Section {
    let rows: Vec<(String, Vec<Prose>)> = study.answers().flat_map(rows).collect();
    if rows.is_empty() {
        return Section::default();
    }
    let head =
        [Head::from("")].into_iter().chain(ranked().map(|it| Head { is_figure: true, ..Head::from(it) })).collect();
    let mut words = Words::new("matrix-title", head, rows.iter().map(|(_, cells)| cells.clone()).collect());
    for (row, (group, _)) in words.rows.iter_mut().zip(rows) {
        row.group = group;
    }
    let note = "Meets or fails the SLO; p50 and p99 of delivery latency; cost over that of the cheapest (equivalent: shown \
                to be the same, within the margin that the workload states).";
    let blocks = vec![Block::Note(Prose::with_id("matrix-title".into(), note)), Block::Words(words)];
    Section::titled("matrix", "At a glance", blocks)
}

fn ranked() -> impl Iterator<Item = Transport> {
    Transport::ALL.into_iter().filter(|transport| transport.is_ranked())
}

/// The anchor of its group, and the cells of each row.
fn rows(comparison: &Comparison<'_>) -> Vec<(String, Vec<Prose>)> {
    let own = (comparison.group.anchor(), row(comparison));
    let over = comparison.networks.iter().map(|it| (it.anchor.clone(), over_network(it)));
    [own].into_iter().chain(over).collect()
}

fn over_network(network: &OverNetwork) -> Vec<Prose> {
    let head = prose!["over ", network.name.clone(), Prose::of(vec![Span::Break]), described(network)];
    let cell = |transport: Transport| {
        let stands = network.stands(transport);
        stands.map_or_else(
            || ABSENT.into(),
            |it| stands_so(it.standing.label(), transport, &it.standing, it.figures.as_ref()),
        )
    };
    [head].into_iter().chain(ranked().map(cell)).collect()
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

/// How a transport stands in a word, and its latencies.
fn stands_so(word: &str, transport: Transport, standing: &Standing, figures: Option<&Figures>) -> Prose {
    let tone = match standing {
        Standing::Meets => Tone::Good,
        Standing::Fails { .. } => Tone::Bad,
        Standing::Undecided { .. } | Standing::Void { .. } | Standing::Unranked => Tone::Faint,
    };
    let mut words = Prose::strong(word, tone);
    for (name, metric) in [("p50 ", Metric::P50), ("p99 ", Metric::P99)] {
        if let Some(figure) = figures.and_then(|figures| figures.get(metric)) {
            let written = metric.unit().write(figure.point);
            let figure = Prose::figure(written, Place::Cell(transport, metric));
            words = prose![words, Prose::of(vec![Span::Break]), name, figure];
        }
    }
    words
}

fn cell(comparison: &Comparison<'_>, candidate: &Candidate) -> Prose {
    let taken = if comparison.verdict.choice() == Some(candidate.transport) { ", taken" } else { "" };
    let fails_over = comparison.networks.iter().find(|it| it.rules_out(candidate.transport));
    let over = fails_over.map_or_else(String::new, |network| format!(" over {}", network.name));
    let word = format!("{}{over}{taken}", candidate.standing.label());
    let mut words = stands_so(&word, candidate.transport, &candidate.standing, candidate.figures.as_ref());
    let figure = |metric: Metric| candidate.figures.as_ref().and_then(|figures| figures.get(metric));
    if let Some(ratio) =
        figure(Metric::CostToCheapest).filter(|_| !matches!(candidate.standing, Standing::Fails { .. }))
    {
        let decision = &comparison.verdict.decision;
        let is_cheapest = decision.cheapest == Some(candidate.transport);
        let is_equivalent = decision.equivalent.contains(&candidate.transport) && !is_cheapest;
        let written = Metric::CostToCheapest.unit().write(ratio.point);
        let written = Prose::figure(written, Place::Cell(candidate.transport, Metric::CostToCheapest));
        let same = if is_equivalent { ", equivalent" } else { "" };
        words = prose![words, Prose::of(vec![Span::Break]), "cost ", written, same];
    }
    words
}

#[cfg(test)]
mod tests {
    use pushoff_model::record::Outcome;

    use super::*;
    use crate::fixture;

    #[test]
    fn a_network_has_a_row_below_its_workload_and_rules_out_what_another_copes_with() {
        let run = fixture::over_networks();
        let section = section(&Study::of(&run));
        let Some(Block::Words(words)) = section.blocks.last() else { panic!("{section:?}") };
        let said = |row: usize, column: usize| words.rows[row].cells[column].to_string();
        assert_eq!(words.rows.len(), 3 * (1 + fixture::networks::NAMES.len()));
        let heads: Vec<String> = (4..8).map(|row| said(row, 0)).collect();
        assert!(heads[0].starts_with("ticker"), "{heads:?}");
        assert_eq!(heads[1], "over cable 28 ms round trip, 5 and 1 Mbit/s");
        assert!(heads[3].starts_with("over fast-4g 60 ms round trip"), "the longest round trip last: {heads:?}");
        // Long polling meets the SLO of 100 ms without a network and over cable, not over 60 ms there and back.
        assert!(said(5, 2).starts_with("meets p50 "), "{}", said(5, 2));
        assert!(said(7, 2).starts_with("fails p50 "), "{}", said(7, 2));
        assert!(said(4, 2).starts_with("fails over fast-4g p50 "), "{}", said(4, 2));
        assert!(said(7, 4).starts_with("meets p50 ") && !said(7, 4).contains("cost"), "{}", said(7, 4));
        // Over the satellite none does, which rules out none.
        assert!((1..6).all(|column| said(6, column).starts_with("fails")) && said(4, 4).starts_with("meets"));
    }

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
            assert!(said.contains("p50 ") && said.contains("cost ") && said.contains("p99 "), "{said}");
        }
        assert_eq!(ticker.iter().filter(|it| it.to_string().contains("cost 1.00×")).count(), 1);
    }

    #[test]
    fn messages_that_are_too_few_for_a_p99_show_neither_one_nor_that_the_slo_is_met() {
        let mut run = fixture::run();
        for record in &mut run.records {
            if let Outcome::Measured(measured) = &mut record.outcome {
                measured.window.published /= 5;
            }
        }
        let section = section(&Study::of(&run));
        let Some(Block::Words(words)) = section.blocks.last() else { panic!("{section:?}") };
        for cell in &words.rows[1].cells[1..] {
            let said = cell.to_string();
            assert!(said.starts_with("undecided p50 ") && !said.contains("p99 "), "{said}");
        }
    }
}
