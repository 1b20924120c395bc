//! The transports of one workload: compared where something is good enough or not, held where nothing is published.

use pushoff_model::Transport;
use pushoff_model::workload::Slo;

use super::verdict::{Bills, Candidate, Case, Counted, Verdict};
use crate::cells::faults::CellFaults;
use crate::cells::{Cell, Group};
use crate::metric::{Figures, LEAST_TRIALS, Metric, Standing, Value, standing};
use pushoff_stats::Figure;

/// The transports of one workload, compared.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    /// The cells.
    pub(crate) group: Group<'a>,
    /// What is good enough.
    pub(crate) slo: Slo,
    /// One candidate a cell, in the same order.
    pub(crate) candidates: Vec<Candidate>,
    /// Where costs come from that its own trials cannot show.
    pub(crate) sources: Vec<String>,
    /// The answer.
    pub(crate) verdict: Verdict,
}

/// A workload that publishes nothing: what its connections cost.
#[derive(Debug)]
pub(crate) struct Holding<'a> {
    /// The cells.
    pub(crate) group: Group<'a>,
    /// The figures of each, in the same order.
    pub(crate) figures: Vec<Option<Figures>>,
}

impl<'a> Comparison<'a> {
    pub(crate) fn of(
        group: Group<'a>,
        slo: Slo,
        noise_ns: f64,
        figures: Vec<Option<Figures>>,
        sources: Vec<String>,
    ) -> Self {
        let cells = group.cells.iter().zip(figures);
        let candidates: Vec<_> = cells.map(|(cell, figures)| candidate(cell, figures, &slo)).collect();
        let (workload, client) = (group.workload, group.client());
        let ratios = Case { workload, slo: &slo, candidates: &candidates, client, noise_ns }.to_cheapest();
        let candidates = with_costs(candidates, ratios);
        let verdict = Case { workload, slo: &slo, candidates: &candidates, client, noise_ns }.verdict();
        Self { group, slo, candidates, sources, verdict }
    }

    /// The cells that may be charted, with what was judged of them: those with a valid trial.
    pub(crate) fn charted(&self) -> impl Iterator<Item = (&Cell<'a>, &Candidate, &Figures)> {
        self.group.cells.iter().zip(&self.candidates).filter_map(|(cell, candidate)| {
            let is_void = matches!(candidate.standing, Standing::Void { .. }) || cell.valid().is_empty();
            candidate.figures.as_ref().filter(|_| !is_void).map(|figures| (cell, candidate, figures))
        })
    }

    /// The ranked transports with enough valid trials to be told apart: what titles speak of.
    pub(crate) fn compared(&self) -> impl Iterator<Item = (Transport, &Figures)> {
        self.charted()
            .filter(|(cell, _, figures)| cell.transport().is_ranked() && figures.trials >= LEAST_TRIALS)
            .map(|(cell, _, figures)| (cell.transport(), figures))
    }
}

/// A void cell keeps the figures of what was measured, to be shown struck through.
fn candidate(cell: &Cell<'_>, figures: Option<Figures>, slo: &Slo) -> Candidate {
    let (void, faults) = (cell.void_reason(), CellFaults::of(&cell.trials));
    let standing = if cell.transport().is_ranked() || void.is_some() {
        standing(figures.as_ref(), void, &faults, slo)
    } else {
        Standing::Unranked
    };
    Candidate { transport: cell.transport(), standing, figures, bills: Bills::of(cell), faults }
}

/// The candidates with what each would cost a month, in all, in its parts and beside the cheapest.
pub(crate) fn with_costs(mut candidates: Vec<Candidate>, to_cheapest: Vec<Option<Figure>>) -> Vec<Candidate> {
    let parts = [
        (Metric::Cost, Counted::All),
        (Metric::CostProcessor, Counted::Processor),
        (Metric::CostMemory, Counted::Memory),
        (Metric::CostTraffic, Counted::Traffic),
    ];
    for (Candidate { figures, bills, .. }, ratio) in candidates.iter_mut().zip(to_cheapest) {
        let Some(figures) = figures else { continue };
        for (metric, part) in parts {
            figures.insert(metric, bills.figure(part).map(Value::exact));
        }
        figures.insert(Metric::CostToCheapest, ratio.map(Value::exact));
    }
    candidates
}
