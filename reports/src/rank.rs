//! Verdicts: which transports are good enough, which one to take, and how sure that is.
//!
//! Pure. A verdict is never stronger than the data: what cannot be told apart is a tie, what is
//! neither shown to hold nor to fail is undecided, and the usual advice is called wrong only where
//! a better choice was shown.

mod advice;
mod standing;

use pushoff_model::workload::Slo;
use pushoff_model::{Transport, Workload};
use serde::Serialize;

use crate::compare::Figure;
use crate::figures::Figures;
use crate::sentence::Words;

pub(crate) use advice::AdviceHolds;
pub(crate) use standing::{Standing, standing};

/// How many times the least measured cost (or latency, where cost is not known) a simpler transport may have cost and still be taken in
/// a tie. Chosen here: a quarter more of a server's processor is less than a team's time.
const WORTH_OF_SIMPLICITY: f64 = 1.25;

/// Fewer valid trials say nothing about the spread, and so decide nothing.
pub(crate) const LEAST_TRIALS: usize = 2;

/// A transport with what the verdict rests on.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// Which transport.
    pub(crate) transport: Transport,
    /// Whether it is good enough.
    pub(crate) standing: Standing,
    /// Its figures, where a trial was measured.
    pub(crate) figures: Option<Figures>,
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
            Self::ServerCpu => figures.server_cpu_ns,
            Self::Latency => figures.p99_ns,
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
    pub(crate) sentence: String,
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
    let mut meeting: Vec<&Candidate> =
        ranked.iter().copied().filter(|candidate| candidate.standing == Standing::Meets).collect();
    let cost = cost_of(&meeting);
    meeting.sort_by(|one, other| order(cost, one).0.total_cmp(&order(cost, other).0));
    let tied = tied_with_the_least(cost, &meeting, noise_ns);
    let affordable = near_the_least(cost, &tied);
    let taken = simplest(&affordable);
    let mut verdict = Verdict {
        choice: taken.map(|candidate| candidate.transport),
        runner_up: taken.and_then(|taken| runner_up(taken, &affordable, &meeting)),
        sureness: Sureness::Undecided,
        tied: tied.iter().map(|candidate| candidate.transport).collect(),
        affordable: affordable.iter().map(|candidate| candidate.transport).collect(),
        contenders: taken.map_or_else(Vec::new, |taken| contenders(cost, taken, &ranked)),
        cost,
        advice: None,
        advice_because: None,
        sentence: String::new(),
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

/// Least cost first; without a cost, the simplest first.
fn order(cost: Cost, candidate: &Candidate) -> (f64, Option<Figure>) {
    let figure = candidate.figures.as_ref().and_then(|figures| cost.of(figures));
    (figure.map_or_else(|| f64::from(candidate.transport.simplicity()), |figure| figure.point), figure)
}

fn tied_with_the_least<'a>(cost: Cost, meeting: &[&'a Candidate], noise_ns: f64) -> Vec<&'a Candidate> {
    let Some(least) = meeting.first() else { return Vec::new() };
    match order(cost, least).1 {
        None => meeting.to_vec(),
        Some(least) => {
            let is_noise = |it: &Figure| cost == Cost::Latency && it.point - least.point < noise_ns;
            let is_near = |it: Figure| it.is_near(&least) || is_noise(&it);
            let near = |candidate: &&&Candidate| order(cost, candidate).1.is_some_and(is_near);
            meeting.iter().filter(near).copied().collect()
        }
    }
}

/// Those of a tie among which simplicity may decide. Without this bound the noisiest cell would be
/// tied with everything, and be taken for its noise.
fn near_the_least<'a>(cost: Cost, tied: &[&'a Candidate]) -> Vec<&'a Candidate> {
    let Some(least) = tied.first().map(|least| order(cost, least)) else { return Vec::new() };
    let is_near =
        |candidate: &&&Candidate| least.1.is_none() || order(cost, candidate).0 <= least.0 * WORTH_OF_SIMPLICITY;
    tied.iter().filter(is_near).copied().collect()
}

fn simplest<'a>(candidates: &[&'a Candidate]) -> Option<&'a Candidate> {
    candidates.iter().copied().min_by_key(|candidate| candidate.transport.simplicity())
}

/// The next simplest of those that would do as well, else the next cheapest.
fn runner_up(taken: &Candidate, affordable: &[&Candidate], meeting: &[&Candidate]) -> Option<Transport> {
    let others = |all: &[&Candidate]| -> Vec<Transport> {
        all.iter().map(|candidate| candidate.transport).filter(|&it| it != taken.transport).collect()
    };
    let next_of_tie = others(affordable).into_iter().min_by_key(|transport| transport.simplicity());
    next_of_tie.or_else(|| others(meeting).first().copied())
}

/// Those still open whose cost does not lie wholly above the choice's.
fn contenders(cost: Cost, taken: &Candidate, ranked: &[&Candidate]) -> Vec<Transport> {
    let might_cost_less = |candidate: &Candidate| match (order(cost, candidate).1, order(cost, taken).1) {
        // What a void cell seemed to cost is not evidence.
        _ if matches!(candidate.standing, Standing::Void { .. }) => true,
        (Some(theirs), Some(ours)) => theirs.low() <= ours.high(),
        (None, _) | (_, None) => true,
    };
    ranked
        .iter()
        .filter(|candidate| candidate.standing.is_open() && might_cost_less(candidate))
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
