//! The transports of one workload: compared where something is good enough or not, held where nothing is published.

use pushoff_model::Transport;
use pushoff_model::workload::Slo;

use super::counsel::{Case, Counsel};
use super::rank::{Candidate, Verdict, decide, hold_against};
use crate::cells::faults::CellFaults;
use crate::cells::{Cell, Group};
use crate::metric::{Figures, LEAST_TRIALS, Standing, standing};

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
    /// What is said beside it.
    pub(crate) counsel: Counsel,
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
        let mut candidates: Vec<_> = cells.map(|(cell, figures)| candidate(cell, figures, &slo)).collect();
        let verdict = decide(group.workload, &slo, &candidates, noise_ns);
        hold_against(verdict.choice, &mut candidates);
        let case = Case { group: &group, slo: &slo, verdict: &verdict, candidates: &candidates, noise_ns };
        let counsel = Counsel::on(case);
        Self { group, slo, candidates, sources, verdict, counsel }
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
    Candidate { transport: cell.transport(), standing, figures, faults }
}
