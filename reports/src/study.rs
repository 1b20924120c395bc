//! A run, grouped, measured up and judged: what every document is made from.

use pushoff_model::Transport;
use pushoff_model::record::Measurement;
use pushoff_model::workload::Slo;

use crate::Run;
use crate::figures::Figures;
use crate::group::{Cell, Group, group};
use crate::rank::{Candidate, LEAST_TRIALS, Standing, Verdict, decide, standing};

/// A run with its findings.
#[derive(Debug)]
pub(crate) struct Study<'a> {
    /// What was read.
    pub(crate) run: &'a Run,
    /// One comparison a workload.
    pub(crate) comparisons: Vec<Comparison<'a>>,
}

/// The transports of one workload, compared.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    /// The cells.
    pub(crate) group: Group<'a>,
    /// What is good enough.
    pub(crate) slo: Slo,
    /// One candidate a cell, in the same order.
    pub(crate) candidates: Vec<Candidate>,
    /// The answer.
    pub(crate) verdict: Verdict,
}

impl<'a> Study<'a> {
    /// Groups, estimates and judges.
    pub(crate) fn of(run: &'a Run) -> Self {
        Self { run, comparisons: group(&run.records).into_iter().filter_map(Comparison::of).collect() }
    }

    /// How many trials count, in words.
    pub(crate) fn tally(&self) -> String {
        let all = || self.comparisons.iter().flat_map(|it| &it.group.cells).flat_map(|cell| &cell.trials);
        let (total, valid) = (all().count(), all().filter(|trial| trial.is_valid()).count());
        if total == valid {
            format!("All {total} trials were measured, every ledger balances, and all of them count.")
        } else {
            format!(
                "{valid} of {total} trials count; the others are listed with their reasons in the report and stand in no chart."
            )
        }
    }

    /// Whether a build that means nothing measured any of it.
    pub(crate) fn has_debug_build(&self) -> bool {
        self.run.environments.iter().any(|environment| environment.profile == "debug")
    }
}

impl<'a> Comparison<'a> {
    fn of(group: Group<'a>) -> Option<Self> {
        let slo = group.workload.slo?;
        let is_floor = |cell: &&Cell<'_>| !cell.transport.is_ranked();
        let floor = group.cells.iter().find(is_floor).map_or_else(Vec::new, Cell::valid);
        let candidates: Vec<_> = group.cells.iter().map(|cell| candidate(cell, &floor, &slo)).collect();
        let verdict = decide(group.workload, &candidates);
        Some(Self { group, slo, candidates, verdict })
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
            .filter(|(cell, _, figures)| cell.transport.is_ranked() && figures.trials >= LEAST_TRIALS)
            .map(|(cell, _, figures)| (cell.transport, figures))
    }
}

/// A void cell keeps the figures of what was measured, to be shown struck through.
fn candidate(cell: &Cell<'_>, floor: &[&Measurement], slo: &Slo) -> Candidate {
    let valid = cell.valid();
    let trials = if valid.is_empty() { cell.measured() } else { valid };
    let figures = Figures::of(&trials, floor, slo);
    let void = cell.void_reason();
    let standing = if cell.transport.is_ranked() || void.is_some() {
        standing(figures.as_ref(), void, slo)
    } else {
        Standing::Unranked
    };
    Candidate { transport: cell.transport, standing, figures }
}
