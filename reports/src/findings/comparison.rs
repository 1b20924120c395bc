//! The transports of one workload: compared where something is good enough or not, held where nothing is published.

use pushoff_model::Transport;
use pushoff_model::workload::Slo;

use super::networks::{OverNetwork, held_to};
use super::verdict::{Bills, Candidate, Case, Part, Parts, Tightest, Verdict};
use crate::cells::faults::CellFaults;
use crate::cells::{Cell, Group};
use crate::metric::{Figures, LEAST_TRIALS, Metric, Standing, Value, standing};
use crate::words::number::is_vague;
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
    /// The parts that make up what each costs.
    pub(crate) billed: Parts,
    /// Where costs come from that its own trials cannot show.
    pub(crate) sources: Vec<String>,
    /// What was found over networks.
    pub(crate) networks: Vec<OverNetwork>,
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

/// What a comparison is made of.
pub(crate) struct Compared<'a> {
    pub(crate) group: Group<'a>,
    pub(crate) slo: Slo,
    /// The figures of each cell.
    pub(crate) figures: Vec<Option<Figures>>,
    /// Where costs come from that its own trials cannot show.
    pub(crate) sources: Vec<String>,
}

impl<'a> Comparison<'a> {
    /// All of a run, in their order: those over networks are judged first, since the others are held to them.
    pub(crate) fn all(compared: Vec<Compared<'a>>, noise_ns: f64) -> Vec<Self> {
        let (over, near): (Vec<_>, Vec<_>) =
            (0..).zip(compared).partition(|(_, it): &(usize, Compared<'a>)| it.group.network().is_some());
        let one = |(place, it), networks| (place, Self::of(it, noise_ns, networks));
        let over: Vec<(usize, Self)> = over.into_iter().map(|it| one(it, Vec::new())).collect();
        let (places, over): (Vec<usize>, Vec<Self>) = over.into_iter().unzip();
        let near = near.into_iter().map(|it| {
            let networks = OverNetwork::of(&it.1.group, over.iter().map(|it| (&it.group, it.candidates.as_slice())));
            one(it, networks)
        });
        let near: Vec<(usize, Self)> = near.collect();
        let mut all: Vec<(usize, Self)> = near.into_iter().chain(places.into_iter().zip(over)).collect();
        all.sort_by_key(|(place, _)| *place);
        all.into_iter().map(|(_, comparison)| comparison).collect()
    }

    fn of(compared: Compared<'a>, noise_ns: f64, networks: Vec<OverNetwork>) -> Self {
        let Compared { group, slo, figures, sources } = compared;
        let cells = group.cells.iter().zip(figures);
        let held = |(cell, figures)| {
            let own = candidate(cell, figures, &slo);
            let standing = held_to(own.standing, own.transport, &networks);
            // What a network's trials used is not the transport's cost.
            let bills = if group.network().is_some() { Bills::default() } else { own.bills };
            let tightest = tightest(own.tightest, own.transport, &networks);
            Candidate { standing, bills, tightest, ..own }
        };
        let candidates: Vec<_> = cells.map(held).collect();
        let (workload, conditions, is_at_hand) = (group.workload, &group.conditions, group.is_at_hand());
        let over: Vec<&str> = networks.iter().map(|it| it.name.as_str()).collect();
        let over = over.as_slice();
        let candidates = if group.network().is_some() {
            candidates
        } else {
            let case = Case { workload, slo: &slo, candidates: &candidates, conditions, is_at_hand, noise_ns, over };
            let (billed, ratios) = (case.billed(), case.to_cheapest());
            with_costs(candidates, billed, ratios)
        };
        let case = Case { workload, slo: &slo, candidates: &candidates, conditions, is_at_hand, noise_ns, over };
        let (billed, verdict) = (case.billed(), case.verdict());
        Self { group, slo, candidates, billed, sources, networks, verdict }
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
    let valid = cell.valid().len();
    let tightest = figures.as_ref().filter(|_| valid >= LEAST_TRIALS).and_then(tightest_of);
    let tightest = tightest.map(|figure| Tightest { figure, network: None });
    Candidate { transport: cell.transport(), standing, figures, bills: Bills::of(cell), faults, valid, tightest }
}

fn tightest_of(figures: &Figures) -> Option<Figure> {
    figures.get(Metric::TightestSlo).filter(|it| !is_vague(it))
}

/// The tightest SLO that a transport meets without a network and over each that the answer is held to.
fn tightest(own: Option<Tightest>, transport: Transport, networks: &[OverNetwork]) -> Option<Tightest> {
    networks.iter().filter(|it| it.is_decisive()).try_fold(own?, |least, network| {
        let stands = network.stands(transport)?;
        let figure = stands.figures.as_ref().filter(|it| it.trials >= LEAST_TRIALS).and_then(tightest_of)?;
        let is_later = figure.high() > least.figure.high();
        Some(if is_later { Tightest { figure, network: Some(network.name.clone()) } } else { least })
    })
}

/// The candidates with what each would cost a month: the parts that are billed together, each of them, and how many
/// times the cheapest.
pub(crate) fn with_costs(
    mut candidates: Vec<Candidate>,
    billed: Parts,
    to_cheapest: Vec<Option<Figure>>,
) -> Vec<Candidate> {
    let parts = [
        (Metric::Cost, billed),
        (Metric::CostProcessor, Parts::only(Part::Processor)),
        (Metric::CostMemory, Parts::only(Part::Memory)),
        (Metric::CostTraffic, Parts::only(Part::Traffic)),
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
