//! A run with its cells grouped, its figures estimated and its verdicts given: what every document is made from.

use pushoff_model::Environment;

use super::comparison::{Compared, Comparison, Holding};
use super::search::Searched;
use super::servers::{OnServers, Part, on_servers};
use crate::Run;
use crate::cells::faults::CellFaults;
use crate::cells::measured::measured;
use crate::cells::{Group, group};
use crate::metric::sources::Sources;
use pushoff_planner::costs::{Checked, CostModel, checks, fit_and_check, shipped};

/// A run with its findings.
#[derive(Debug)]
pub(crate) struct Study<'a> {
    /// What was read.
    pub(crate) run: &'a Run,
    /// Workloads with an SLO, of which no load is searched for.
    pub(crate) comparisons: Vec<Comparison<'a>>,
    /// Workloads that publish nothing: their connections are made and held.
    pub(crate) holdings: Vec<Holding<'a>>,
    /// Searches for a capacity.
    pub(crate) searches: Vec<Searched<'a>>,
    /// Workloads that several servers were measured under.
    pub(crate) on_servers: Vec<OnServers<'a>>,
    /// What a load would cost that was not measured: this run's own model where it has workloads that are held out,
    /// else the model that comes with pushoff.
    pub(crate) model: CostModel,
    /// Whether it is this run's own.
    pub(crate) is_own_model: bool,
    /// The model's predictions for cells that it was not fitted to: those held out, or all of this run.
    pub(crate) checked: Vec<Checked>,
    /// Latencies that differ by less are not called different: the largest noise of the runs' machines, as preflight
    /// measured it.
    pub(crate) noise_ns: f64,
}

impl<'a> Study<'a> {
    /// Groups, estimates and judges.
    pub(crate) fn of(run: &'a Run) -> Self {
        let noise_ns = run.environments.iter().map(noise_of).fold(0.0, f64::max);
        let groups = group(run);
        let sources = Sources::of(&groups);
        let figures: Vec<_> = groups.iter().map(|group| (sources.figures(group), sources.named(group))).collect();
        let own_model = groups
            .iter()
            .any(|group| group.workload.held_out)
            .then(|| fit_and_check(run.environments.first(), &measured(&groups)))
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
            on_servers: Vec::new(),
            model,
            is_own_model,
            checked,
            noise_ns,
        };
        let mut compared = Vec::new();
        for (group, (figures, sources)) in groups.into_iter().zip(figures) {
            match group.workload.slo {
                Some(slo) if group.is_search => study.searches.push(Searched::of(group, &slo)),
                Some(slo) => compared.push(Compared { group, slo, figures, sources }),
                None => study.holdings.push(Holding { group, figures }),
            }
        }
        study.comparisons = Comparison::all(compared, noise_ns);
        study.on_servers = on_servers(study.parts().collect());
        study
    }

    /// Everything that was measured: comparisons, searches, holdings.
    pub(crate) fn parts<'s>(&'s self) -> impl Iterator<Item = Part<'s, 'a>> {
        let compared = self.comparisons.iter().map(Part::Compared);
        compared.chain(self.searches.iter().map(Part::Searched)).chain(self.holdings.iter().map(Part::Held))
    }

    /// Whether a group was asked of several servers.
    pub(crate) fn is_on_several_servers(&self, group: &Group<'_>) -> bool {
        self.on_servers.iter().any(|it| it.label == group.question && it.is_search == group.is_search)
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

    /// The comparisons that answer a question: one a workload, whoever received, with what was found over networks. The
    /// cells of a cost model's grid ask none by themselves.
    pub(crate) fn answers(&self) -> impl Iterator<Item = &Comparison<'a>> {
        let is_answer =
            |it: &&Comparison<'a>| !it.group.is_second && it.group.asks_for_a_choice() && !self.is_own_model;
        self.comparisons.iter().filter(is_answer)
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
pub(crate) const fn noise_of(environment: &Environment) -> f64 {
    environment.noise.repeat_ns as f64
}
