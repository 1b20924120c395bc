//! Verdicts: which transports are good enough, which one to take, and how sure that is.
//!
//! Pure. A verdict is never stronger than the data: what cannot be told apart is a tie, what is
//! neither shown to hold nor to fail is undecided, and the usual advice is called wrong only where
//! a better choice was shown.

mod advice;
mod against;
#[cfg(test)]
pub(crate) mod made;
mod sentence;

use pushoff_model::workload::Slo;
use pushoff_model::{Transport, Workload};
use serde::Serialize;

use crate::cells::faults::CellFaults;
use crate::metric::LEAST_TRIALS;
use crate::metric::{Figures, Metric, Standing};
use crate::prose::Prose;
use pushoff_planner::{Taken, Weighed, might_cost_less, take};
use pushoff_stats::Figure;
use sentence::Words;
#[cfg(test)]
pub(crate) use sentence::in_short;

pub(crate) use advice::AdviceHolds;
pub(crate) use against::{hold_against, told_apart};

/// A transport with what the verdict rests on.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// Which transport.
    pub(crate) transport: Transport,
    /// Whether it is good enough.
    pub(crate) standing: Standing,
    /// Its figures, where a trial was measured.
    pub(crate) figures: Option<Figures>,
    /// What went wrong in its trials.
    pub(crate) faults: CellFaults,
}

/// How sure the choice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sureness {
    /// The cheapest of those that meet the SLO, and nothing else comes near.
    Decided,
    /// Several cost the same as far as the data tells: the simplest of those near the least.
    TooClose,
    /// The best of those shown to meet the SLO; one that is still open might cost less.
    Provisional,
    /// Every transport was shown to fail.
    NothingMeets,
    /// None was shown to meet the SLO, and not all were shown to fail.
    Undecided,
    /// Too few trials that count.
    NotEnoughTrials,
}

/// What decides among those that are good enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Cost {
    /// Processor time of the server, a delivery.
    ServerCpu,
    /// The 99th percentile of delivery latency: where the server's process is not ours to see, what it
    /// costs is not known, and is not guessed.
    Latency,
    /// Nothing: simplicity alone.
    Simplicity,
}

impl Cost {
    /// This cost of those figures.
    pub(crate) fn of(self, figures: &Figures) -> Option<Figure> {
        match self {
            Self::ServerCpu => figures.get(Metric::DeliveryCpu),
            Self::Latency => figures.get(Metric::P99),
            Self::Simplicity => None,
        }
    }
}

/// The answer for one workload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verdict {
    /// The transport to take.
    pub(crate) choice: Option<Transport>,
    /// The next best, where another meets the SLO.
    pub(crate) runner_up: Option<Transport>,
    /// How sure that is.
    pub(crate) sureness: Sureness,
    /// Those that cost the same as the choice as far as the data tells, the choice among them.
    pub(crate) tied: Vec<Transport>,
    /// Those of them that also measured near the least cost: simplicity decides among these.
    pub(crate) affordable: Vec<Transport>,
    /// Those that are still open and might cost less than the choice.
    pub(crate) contenders: Vec<Transport>,
    /// What decided.
    pub(crate) cost: Cost,
    /// The usual advice beside it; absent where there is none.
    pub(crate) advice: Option<AdviceHolds>,
    /// What stands against the advice, as a clause; absent where nothing does.
    pub(crate) advice_because: Option<String>,
    /// The answer in words.
    pub(crate) sentence: Prose,
}

impl Verdict {
    /// How sure, as a card says it.
    pub(crate) const fn sure(&self) -> &'static str {
        match (self.sureness, self.cost) {
            (Sureness::Decided, _) => "decided",
            (Sureness::TooClose, _) => "too close to call: simplicity decides",
            (Sureness::Provisional, Cost::ServerCpu) => "provisional: another may cost less",
            (Sureness::Provisional, Cost::Latency | Cost::Simplicity) => "provisional: another may do better",
            (Sureness::NothingMeets, _) => "nothing meets the SLO",
            (Sureness::Undecided, _) => "undecided",
            (Sureness::NotEnoughTrials, _) => "not enough trials",
        }
    }
}

/// The verdict over the candidates of a workload; the floor among them is passed over. Latencies
/// that differ by less than `noise_ns` do not differ.
pub(crate) fn decide(workload: &Workload, slo: &Slo, candidates: &[Candidate], noise_ns: f64) -> Verdict {
    let ranked: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.transport.is_ranked()).collect();
    let meeting: Vec<&Candidate> =
        ranked.iter().copied().filter(|candidate| candidate.standing == Standing::Meets).collect();
    let cost = cost_of(&meeting);
    let weighed = meeting.iter().map(|it| Weighed { transport: it.transport, cost: cost_of_one(cost, it) });
    let is_noise = |it: &Figure, least: &Figure| cost == Cost::Latency && it.point - least.point < noise_ns;
    let Taken { choice, runner_up, tied, affordable } = take(weighed.collect(), is_noise);
    let taken = meeting.iter().find(|candidate| Some(candidate.transport) == choice);
    let mut verdict = Verdict {
        choice,
        runner_up,
        sureness: Sureness::Undecided,
        tied,
        affordable,
        contenders: taken.map_or_else(Vec::new, |taken| contenders(cost, taken, &ranked)),
        cost,
        advice: None,
        advice_because: None,
        sentence: Prose::default(),
    };
    verdict.sureness = sureness(&verdict, &ranked);
    verdict.advice = advice::advice(&workload.advice, &verdict, &ranked);
    let words = Words { verdict: &verdict, workload, slo, ranked: &ranked };
    let (sentence, against) = (words.sentence(), words.against_advice());
    (verdict.sentence, verdict.advice_because) = (sentence, against);
    verdict
}

/// Server time where every candidate has it, else latency, else nothing but simplicity.
fn cost_of(meeting: &[&Candidate]) -> Cost {
    let all_have = |cost: Cost| {
        meeting.iter().all(|candidate| candidate.figures.as_ref().is_some_and(|figures| cost.of(figures).is_some()))
    };
    [Cost::ServerCpu, Cost::Latency].into_iter().find(|&cost| all_have(cost)).unwrap_or(Cost::Simplicity)
}

fn cost_of_one(cost: Cost, candidate: &Candidate) -> Option<Figure> {
    candidate.figures.as_ref().and_then(|figures| cost.of(figures))
}

/// Those still open whose cost does not lie wholly above the choice's.
fn contenders(cost: Cost, taken: &Candidate, ranked: &[&Candidate]) -> Vec<Transport> {
    let might_do = |candidate: &Candidate| {
        // What a void cell seemed to cost is not evidence.
        matches!(candidate.standing, Standing::Void { .. })
            || might_cost_less(cost_of_one(cost, candidate), cost_of_one(cost, taken))
    };
    ranked
        .iter()
        .filter(|candidate| candidate.standing.is_open() && might_do(candidate))
        .map(|candidate| candidate.transport)
        .collect()
}

fn sureness(verdict: &Verdict, ranked: &[&Candidate]) -> Sureness {
    let enough =
        |candidate: &&Candidate| candidate.figures.as_ref().is_some_and(|figures| figures.trials >= LEAST_TRIALS);
    if verdict.choice.is_some() {
        match (verdict.contenders.is_empty(), verdict.tied.len()) {
            (false, _) => Sureness::Provisional,
            (true, 1) => Sureness::Decided,
            (true, _) => Sureness::TooClose,
        }
    } else if !ranked.is_empty() && ranked.iter().all(|candidate| matches!(candidate.standing, Standing::Fails { .. }))
    {
        Sureness::NothingMeets
    } else if ranked.iter().any(enough) {
        Sureness::Undecided
    } else {
        Sureness::NotEnoughTrials
    }
}

#[cfg(test)]
mod tests;
