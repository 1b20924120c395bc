//! A run, grouped, measured up and judged: what every document is made from.

use pushoff_model::workload::Slo;
use pushoff_model::{Environment, Transport};

use crate::Run;
use crate::counsel::{Case, Counsel};
use crate::faults::CellFaults;
use crate::group::{Cell, Group, group};
use crate::measured::measured;
use crate::metric::Figures;
use crate::metric::LEAST_TRIALS;
use crate::rank::{Candidate, Standing, Verdict, decide, hold_against, standing};
use crate::scaling::{Family, families};
use crate::search::Searched;
use crate::servers::{Beside, beside};
use crate::sources::Sources;
use pushoff_planner::costs::{Checked, CostModel, checks, shipped};
use pushoff_stats::Figure;

/// A run with its findings.
#[derive(Debug)]
pub(crate) struct Study<'a> {
    /// What was read.
    pub(crate) run: &'a Run,
    /// Where something is good enough or not.
    pub(crate) comparisons: Vec<Comparison<'a>>,
    /// Where nothing is published: connections were made and held.
    pub(crate) holdings: Vec<Holding<'a>>,
    /// Where the most was looked for.
    pub(crate) searches: Vec<Searched<'a>>,
    /// What was asked of several servers.
    pub(crate) besides: Vec<Beside<'a>>,
    /// What differs in nothing but its size.
    pub(crate) families: Vec<Family>,
    /// What a load costs that nobody measured: this run's own model where it holds a grid with cells held
    /// out, else the one that comes with pushoff.
    pub(crate) model: CostModel,
    /// Whether it is this run's own.
    pub(crate) is_own_model: bool,
    /// The model against cells that it has not seen: those held out, or all of this run.
    pub(crate) checked: Vec<Checked>,
    /// What the machines of the runs differ from themselves by: the loudest of them.
    pub(crate) noise_ns: f64,
}

/// The transports of one workload, compared.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    /// The cells.
    pub(crate) group: Group<'a>,
    /// What is good enough.
    pub(crate) slo: Slo,
    /// Latencies that differ by less do not differ.
    pub(crate) noise_ns: f64,
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

impl<'a> Study<'a> {
    /// Groups, estimates and judges.
    pub(crate) fn of(run: &'a Run) -> Self {
        let noise_ns = run.environments.iter().map(noise_of).fold(0.0, f64::max);
        let groups = group(run);
        let sources = Sources::of(&groups);
        let figures: Vec<_> = groups.iter().map(|group| (sources.figures(group), sources.named(group))).collect();
        let families = families(&groups, &figures.iter().map(|it| it.0.as_slice()).collect::<Vec<_>>());
        let own_model = groups
            .iter()
            .any(|group| group.workload.held_out)
            .then(|| CostModel::fit(run.environments.first(), &measured(&groups)))
            .flatten();
        let is_own_model = own_model.is_some();
        let model = own_model.unwrap_or_else(shipped);
        let unseen = groups.iter().filter(|group| group.workload.held_out || !is_own_model);
        let checked = checks(&model, &measured(unseen));
        let mut study = Self {
            run,
            comparisons: Vec::new(),
            holdings: Vec::new(),
            searches: Vec::new(),
            besides: Vec::new(),
            families,
            model,
            is_own_model,
            checked,
            noise_ns,
        };
        for (group, (figures, sources)) in groups.into_iter().zip(figures) {
            match group.workload.slo {
                Some(slo) if group.is_search => study.searches.push(Searched::of(group, &slo)),
                Some(slo) => study.comparisons.push(Comparison::of(group, slo, noise_ns, figures, sources)),
                None => study.holdings.push(Holding { group, figures }),
            }
        }
        study.besides = beside(&study);
        study
    }

    /// Whether a group was asked of several servers.
    pub(crate) fn is_beside(&self, group: &Group<'_>) -> bool {
        self.besides.iter().any(|beside| beside.label == group.question && beside.is_search == group.is_search)
    }

    /// Whether any server is not pushoff's own.
    pub(crate) fn has_others(&self) -> bool {
        self.groups().any(|group| !group.is_ours())
    }

    /// Whether there is nothing to report on.
    pub(crate) fn is_empty(&self) -> bool {
        self.run.records.is_empty()
    }

    /// Every group: comparisons, holdings, searches.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &Group<'a>> {
        let comparisons = self.comparisons.iter().map(|it| &it.group);
        comparisons.chain(self.holdings.iter().map(|it| &it.group)).chain(self.searches.iter().map(|it| &it.group))
    }

    /// The comparisons that answer a question: one a workload, whoever received. The cells of a cost model's
    /// grid ask none by themselves.
    pub(crate) fn answers(&self) -> impl Iterator<Item = &Comparison<'a>> {
        self.comparisons.iter().filter(|it| !it.group.is_second && !self.is_own_model)
    }

    /// How many trials count, in words.
    pub(crate) fn tally(&self) -> String {
        let all = || self.groups().flat_map(|group| &group.cells).flat_map(|cell| &cell.trials);
        let (total, valid) = (all().count(), all().filter(|trial| trial.is_valid()).count());
        let cells = self.groups().flat_map(|group| &group.cells);
        let faults = cells.fold(CellFaults::default(), |sum, cell| sum.plus(&CellFaults::of(&cell.trials)));
        let clauses = faults.clauses();
        let counted = match (total == valid, clauses.is_empty()) {
            (true, true) => {
                return format!("All {total} trials were measured, every ledger balances, and all of them count.");
            }
            (true, false) => format!("All {total} trials were measured, and all of them count."),
            (false, _) => format!(
                "{valid} of {total} trials count; the others are listed with their reasons in the report and stand in no chart."
            ),
        };
        if clauses.is_empty() {
            return counted;
        }
        format!("{counted} In all trials together: {}. The notes below the tables say why.", clauses.join(", "))
    }

    /// Whether a build that means nothing measured any of it.
    pub(crate) fn has_debug_build(&self) -> bool {
        self.run.environments.iter().any(Environment::is_debug_build)
    }
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds need no more than 53 bits")]
const fn noise_of(environment: &Environment) -> f64 {
    environment.noise.repeat_ns as f64
}

impl<'a> Comparison<'a> {
    fn of(group: Group<'a>, slo: Slo, noise_ns: f64, figures: Vec<Option<Figures>>, sources: Vec<String>) -> Self {
        let cells = group.cells.iter().zip(figures);
        let mut candidates: Vec<_> = cells.map(|(cell, figures)| candidate(cell, figures, &slo)).collect();
        let verdict = decide(group.workload, &slo, &candidates, noise_ns);
        hold_against(verdict.choice, &mut candidates);
        let case = Case { group: &group, slo: &slo, verdict: &verdict, candidates: &candidates, noise_ns };
        let counsel = Counsel::on(case);
        Self { group, slo, noise_ns, candidates, sources, verdict, counsel }
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

    /// Whether two latencies cannot be told apart, by their spread or by the noise of the machine.
    pub(crate) fn are_near(&self, one: &Figure, other: &Figure) -> bool {
        one.is_near(other) || (one.point - other.point).abs() < self.noise_ns
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
