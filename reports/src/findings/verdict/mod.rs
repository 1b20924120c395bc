//! Verdicts: which transports are good enough, which one to take, and what is not known.
//!
//! Pure. The rule is the planner's ([`decide`]), applied to the bills of the trials: a choice is shown to be cheaper,
//! or shown to cost the same within the margin that the workload states, or there is none.

mod advice;
mod bill;
mod change;
#[cfg(test)]
pub(crate) mod made;
mod sentence;

use pushoff_model::workload::Slo;
use pushoff_model::{Conditions, Transport, Workload};
use pushoff_planner::{Contender, Decision, Fitness, Outcome, Rule, decide};
use pushoff_stats::{Figure, Rounds, RoundsRatio};
use serde::Serialize;

use crate::cells::faults::CellFaults;
use crate::metric::LEAST_TRIALS;
use crate::metric::{Figures, Metric, Standing};
use crate::prose::Prose;
use sentence::Words;
#[cfg(test)]
pub(crate) use sentence::in_short;

pub(crate) use advice::AdviceHolds;
pub(crate) use bill::{Bills, Part, Parts};

/// How often all statements of a verdict together may be wrong.
const ERROR: f64 = 0.05;

/// A transport with what the verdict rests on.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// Which transport.
    pub(crate) transport: Transport,
    /// Whether it is good enough.
    pub(crate) standing: Standing,
    /// Its figures, where a trial was measured.
    pub(crate) figures: Option<Figures>,
    /// What its trials that count would cost a month.
    pub(crate) bills: Bills,
    /// What went wrong in its trials.
    pub(crate) faults: CellFaults,
    /// How many of its trials count.
    pub(crate) valid: usize,
    /// The tightest SLO that its trials speak of; absent where they do not.
    pub(crate) tightest: Option<Tightest>,
}

/// The tightest SLO that a transport meets, here and over each network that the answer is held to.
#[derive(Clone, Debug)]
pub(crate) struct Tightest {
    pub(crate) figure: Figure,
    /// The network that allows no tighter one; absent where that is none of them.
    pub(crate) network: Option<String>,
}

/// What would be taken if one part of the bill alone counted.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ByPart {
    /// Which part.
    pub(crate) part: Part,
    /// The rule's answer.
    #[serde(flatten)]
    pub(crate) decision: Decision,
}

/// The answer for one workload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verdict {
    /// The rule's answer.
    #[serde(flatten)]
    pub(crate) decision: Decision,
    /// Whether any transport has as many trials as a verdict needs.
    pub(crate) enough_trials: bool,
    /// The same question where only a part of the bill counts, a part each that was measured.
    pub(crate) by_part: Vec<ByPart>,
    /// Rounds in all that would probably settle the question; absent where it is settled, or nobody can tell.
    pub(crate) rounds_to_settle: Option<usize>,
    /// Whether the usual advice holds; absent where there is none.
    pub(crate) advice: Option<AdviceHolds>,
    /// The answer in words.
    pub(crate) sentence: Prose,
    /// What would be taken where one part of the bill alone counts; absent where nothing is taken.
    pub(crate) costs: Option<Prose>,
    /// What would change the answer; absent where too little was measured to say.
    pub(crate) change: Option<Prose>,
}

impl Verdict {
    /// The transport to take.
    pub(crate) const fn choice(&self) -> Option<Transport> {
        self.decision.choice
    }

    /// How far the question is answered, as every document writes it.
    pub(crate) const fn outcome(&self) -> &'static str {
        if self.enough_trials || self.decision.outcome.is_settled() {
            self.decision.outcome.label()
        } else {
            "not enough trials"
        }
    }
}

/// What a verdict is given on.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) workload: &'a Workload,
    pub(crate) slo: &'a Slo,
    pub(crate) candidates: &'a [Candidate],
    /// What they were measured under.
    pub(crate) conditions: &'a Conditions,
    /// Whether server and readers were on this machine, so that a command can ask for the same again.
    pub(crate) is_at_hand: bool,
    /// Latencies that differ by less do not differ.
    pub(crate) noise_ns: f64,
    /// The networks that the candidates are held to as well.
    pub(crate) over: &'a [&'a str],
}

/// The bills of transports, to be compared round by round.
struct Costs {
    /// A place in `rounds` each.
    transports: Vec<Transport>,
    rounds: Rounds,
}

impl Costs {
    fn of<'a>(candidates: impl Iterator<Item = &'a Candidate>, parts: Parts) -> Self {
        let (transports, bills): (Vec<_>, Vec<_>) = candidates.map(|it| (it.transport, &it.bills)).unzip();
        Self { transports, rounds: Bills::by_round(bills.into_iter().enumerate(), parts) }
    }

    fn ratio(&self, one: Transport, other: Transport) -> Option<RoundsRatio> {
        self.rounds.ratio(self.place(one)?, self.place(other)?)
    }

    fn place(&self, transport: Transport) -> Option<usize> {
        self.transports.iter().position(|&it| it == transport)
    }

    /// Its cost in a unit that is the same for all.
    fn relative(&self, transport: Transport) -> Option<f64> {
        self.rounds.relative(self.place(transport)?)
    }
}

impl<'a> Case<'a> {
    /// Applies the rule to the whole bill and to each of its parts, and says it in words.
    pub(crate) fn verdict(self) -> Verdict {
        let decision = self.decided(self.billed());
        let parts = Part::ALL.into_iter().filter(|&part| self.contenders().all(|it| it.bills.known().has(part)));
        let mut verdict = Verdict {
            enough_trials: self.ranked().any(has_enough_trials),
            by_part: parts.map(|part| ByPart { part, decision: self.decided(Parts::only(part)) }).collect(),
            rounds_to_settle: self.rounds_to_settle(&decision),
            advice: None,
            sentence: Prose::default(),
            costs: None,
            change: None,
            decision,
        };
        verdict.advice = advice::advice(&self.workload.advice, &verdict, self);
        let words = Words { verdict: &verdict, case: self };
        let (sentence, costs, change) = (words.sentence(), words.by_part(), words.change());
        (verdict.sentence, verdict.costs, verdict.change) = (sentence, costs, change);
        verdict
    }

    /// The parts that make up a bill here: those that are known of any transport that may be taken. One of which
    /// another part is not known has no bill, which leaves its cost open: it would else be cheap by what nobody looked
    /// at.
    pub(crate) fn billed(self) -> Parts {
        let of = |bills: &mut dyn Iterator<Item = &Bills>| bills.map(Bills::known).reduce(Parts::or);
        let is_a_bill = |it: &Parts| it.has(Part::Processor) || it.has(Part::Traffic);
        let all = of(&mut self.contenders().map(|it| &it.bills)).filter(is_a_bill);
        // Where none may be taken, those of all. Memory is the least part of most bills: alone it says nothing.
        all.or_else(|| of(&mut self.ranked().map(|it| &it.bills)).filter(is_a_bill)).unwrap_or_default()
    }

    fn decided(self, parts: Parts) -> Decision {
        let costs = self.costs(parts);
        let contenders: Vec<Contender> = self.ranked().map(|it| Self::contender(it, &costs)).collect();
        let ratio = |one: Transport, other: Transport| Some(costs.ratio(one, other)?.figure(self.error()));
        let freshness_ns = self.workload.freshness().map_or(0.0, |it| it.as_secs_f64() * 1e9).max(self.noise_ns);
        decide(&contenders, ratio, Rule::measured(self.workload.decide.margin.as_f64(), freshness_ns))
    }

    /// The bills of those that may be good enough, round by round.
    fn costs(self, parts: Parts) -> Costs {
        Costs::of(self.contenders(), parts)
    }

    fn contender(candidate: &Candidate, costs: &Costs) -> Contender {
        Contender {
            transport: candidate.transport,
            fitness: fitness(candidate),
            cost: costs.relative(candidate.transport),
            median_ns: candidate.figures.as_ref().and_then(|figures| figures.get(Metric::P50)),
        }
    }

    /// The error of one comparison with the best of so many.
    fn error(self) -> f64 {
        let comparisons = self.contenders().count().saturating_sub(1).max(1);
        ERROR / u32::try_from(comparisons).map_or(f64::INFINITY, f64::from)
    }

    /// How many rounds in all would probably show which of those that remain cost the same and which more; `None` where
    /// something else than cost is open.
    fn rounds_to_settle(self, decision: &Decision) -> Option<usize> {
        let is_open = |it: &Candidate| decision.contenders.contains(&it.transport) && fitness(it) == Fitness::Open;
        if self.ranked().any(is_open) {
            return None;
        }
        let cheapest = decision.cheapest.filter(|_| decision.outcome == Outcome::Undecided)?;
        let (margin, costs) = (self.workload.decide.margin.as_f64(), self.costs(self.billed()));
        let others = decision.contenders.iter().filter(|it| !decision.equivalent.contains(it));
        let needed = others
            .map(|&it| costs.ratio(it, cheapest)?.rounds_to_settle(decision.contenders.len(), margin, self.error()));
        needed.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// Each candidate's cost divided by that of the cheapest that meets the SLO; of that one it is 1, without an
    /// interval.
    pub(crate) fn to_cheapest(self) -> Vec<Option<Figure>> {
        let cheapest = self.decided(self.billed()).cheapest;
        let ratio = |it: &Candidate| {
            let cheapest = cheapest?;
            if it.transport == cheapest {
                return Some(Figure { point: 1.0, interval: None });
            }
            // The scatter of a transport that fails the SLO widens its own comparison alone.
            let others = self.contenders().filter(|other| other.transport != it.transport);
            let ratio = Costs::of(others.chain([it]), self.billed()).ratio(it.transport, cheapest)?;
            Some(ratio.figure(self.error()))
        };
        self.candidates.iter().map(ratio).collect()
    }

    pub(crate) fn ranked(self) -> impl Iterator<Item = &'a Candidate> {
        self.candidates.iter().filter(|candidate| candidate.transport.is_ranked())
    }

    /// Those that are good enough, or may be.
    fn contenders(self) -> impl Iterator<Item = &'a Candidate> {
        self.ranked().filter(|it| fitness(it) != Fitness::Fails && it.figures.is_some())
    }

    pub(crate) fn candidate(self, transport: Transport) -> Option<&'a Candidate> {
        self.ranked().find(|candidate| candidate.transport == transport)
    }
}

fn has_enough_trials(candidate: &Candidate) -> bool {
    candidate.valid >= LEAST_TRIALS
}

const fn fitness(candidate: &Candidate) -> Fitness {
    match candidate.standing {
        Standing::Meets => Fitness::Meets,
        Standing::Fails { .. } => Fitness::Fails,
        Standing::Undecided { .. } | Standing::Void { .. } | Standing::Unranked => Fitness::Open,
    }
}

#[cfg(test)]
mod tests;
