//! The verdict in words that a newcomer understands, with the figures that it rests on.
//!
//! Never stronger than the verdict: each outcome has its own sentence.

use pushoff_model::workload::Slo;
use pushoff_model::{Transport, Workload};

use super::{AdviceHolds, Candidate, Cost, Sureness, Verdict};
use crate::cells::faults::{CellFaults, number};
use crate::metric::Metric;
use crate::metric::Standing;
use crate::prose::{Place, Prose, prose};
use crate::words::number::{Quantity, asked_share, tick};
use crate::words::text::{capitalised, list};

/// A verdict with what its words are made of.
pub(crate) struct Words<'a> {
    pub(crate) verdict: &'a Verdict,
    pub(crate) workload: &'a Workload,
    pub(crate) slo: &'a Slo,
    pub(crate) ranked: &'a [&'a Candidate],
}

impl Words<'_> {
    /// The verdict in a few short sentences.
    pub(crate) fn sentence(&self) -> Prose {
        let verdict = self.of_sureness();
        match self.went_wrong() {
            Some(wrong) => verdict.then(" ").then(wrong),
            None => verdict,
        }
    }

    /// What did not happen as it should, of whichever transport. The causes stand below the table.
    fn went_wrong(&self) -> Option<Prose> {
        let wrong = self.ranked.iter().filter_map(|it| {
            Some(prose![it.transport.label(), ": ", in_short(&it.faults, it.transport, it.figures.is_some())?])
        });
        let all = wrong.reduce(|all, one| all.then("; ").then(one))?;
        Some(prose!["What went wrong: ", all, "."])
    }

    fn of_sureness(&self) -> Prose {
        match (self.verdict.sureness, self.verdict.choice) {
            (Sureness::Decided, Some(choice)) => self.decided(choice),
            (Sureness::TooClose, Some(choice)) => self.too_close(choice),
            (Sureness::Provisional, Some(choice)) => self.provisional(choice),
            (Sureness::NothingMeets, _) => self.nothing_meets(),
            (Sureness::Undecided, _) => self.undecided(),
            (Sureness::NotEnoughTrials, _) => {
                "There are too few trials that count: at least two a transport are needed for a verdict.".into()
            }
            (Sureness::Decided | Sureness::TooClose | Sureness::Provisional, None) => Prose::default(),
        }
    }

    /// Why the data is against the advice: `: short polling would do, at a higher cost`.
    pub(crate) fn against_advice(&self) -> Option<String> {
        if self.verdict.advice != Some(AdviceHolds::Disagrees) {
            return None;
        }
        let advised = || self.workload.advice.transports.iter().copied();
        let meets = |transport: &Transport| {
            self.candidate(*transport).is_some_and(|candidate| candidate.standing == Standing::Meets)
        };
        let cost = |transport: &Transport| self.cost(*transport).unwrap_or(f64::INFINITY);
        let cheapest = advised().filter(meets).min_by(|one, other| cost(one).total_cmp(&cost(other)));
        Some(match (cheapest, self.verdict.cost) {
            (Some(would_do), Cost::Latency) => format!(": {} would do, more slowly", would_do.label()),
            (Some(would_do), Cost::ServerCpu | Cost::Simplicity) => {
                format!(": {} would do, at a higher cost", would_do.label())
            }
            (None, _) => {
                let failing: Vec<Transport> = advised().collect();
                let verb = if failing.len() == 1 { "is" } else { "are" };
                format!(": {} {verb} not shown to be good enough", list(&failing))
            }
        })
    }

    fn decided(&self, choice: Transport) -> Prose {
        let rest = match (self.verdict.runner_up, self.verdict.cost) {
            (None, _) => ". No other was shown to be good enough.",
            (Some(_), Cost::Latency) => ", the shortest of those that are good enough.",
            (Some(_), Cost::ServerCpu | Cost::Simplicity) => ", the least of those that are good enough.",
        };
        prose![self.opening(choice), self.cost_clause(choice), rest, self.unknown_cost()]
    }

    fn too_close(&self, choice: Transport) -> Prose {
        let others: Vec<_> = self.verdict.tied.iter().copied().filter(|&it| it != choice).collect();
        let taken = match self.verdict.cost {
            Cost::ServerCpu => {
                " cannot be told from it by cost; of those near the least, the simplest to build is taken."
            }
            Cost::Latency => {
                " cannot be told from it by latency; of those near the least, the simplest to build is taken."
            }
            Cost::Simplicity => " cannot be told from it by what was measured; the simplest to build is taken.",
        };
        let others = capitalised(&list(&others));
        prose![self.opening(choice), self.cost_clause(choice), ". ", others, taken, self.unknown_cost()]
    }

    fn provisional(&self, choice: Transport) -> Prose {
        let better = if self.verdict.cost == Cost::ServerCpu { "do for less" } else { "do better" };
        let open = format!(". Whether {} would {better} is undecided.", list(&self.verdict.contenders));
        prose![self.opening(choice), self.cost_clause(choice), open, self.unknown_cost()]
    }

    fn nothing_meets(&self) -> Prose {
        let nearest = self.nearest().map_or_else(Prose::default, |(transport, share)| {
            let share = Prose::figure(Quantity::Share.write(share), Place::Cell(transport, Metric::WithinSlo));
            prose!["; ", transport.label(), " comes nearest with ", share]
        });
        prose!["No transport delivers ", self.wanted(), " of messages within ", self.within(), nearest, "."]
    }

    fn undecided(&self) -> Prose {
        let open: Vec<_> = self
            .ranked
            .iter()
            .filter(|candidate| matches!(candidate.standing, Standing::Undecided { .. } | Standing::Void { .. }))
            .map(|candidate| candidate.transport)
            .collect();
        let verb = if open.len() == 1 { "is" } else { "are" };
        let open = format!("; {} {verb} still open.", list(&open));
        prose!["No transport was shown to deliver ", self.wanted(), " of messages within ", self.within(), open]
    }

    /// `SSE delivers 99.9 % of messages within 100 ms (99 % needed)`.
    fn opening(&self, choice: Transport) -> Prose {
        let share = self.share(choice).map_or_else(Prose::default, |share| {
            Prose::figure(Quantity::Share.write(share), Place::Cell(choice, Metric::WithinSlo))
        });
        let name = capitalised(choice.label());
        prose![name, " delivers ", share, " of messages within ", self.within(), " (", self.wanted(), " needed)"]
    }

    /// What is said where the server's process could not be watched.
    fn unknown_cost(&self) -> &'static str {
        match (self.verdict.cost, self.verdict.sureness) {
            (Cost::ServerCpu, _) => "",
            (Cost::Latency, Sureness::Decided | Sureness::Provisional) => {
                " What each costs the server is not known: latency decides."
            }
            (Cost::Latency | Cost::Simplicity, _) => " What each costs the server is not known.",
        }
    }

    /// ` for 12.1 µs of server CPU each`, or `, with a p99 of 2.10 ms`.
    fn cost_clause(&self, choice: Transport) -> Prose {
        let figure = |cost: f64, metric: Metric| Prose::figure(Quantity::Time.write(cost), Place::Cell(choice, metric));
        match (self.verdict.cost, self.cost(choice)) {
            (Cost::ServerCpu, Some(cost)) => prose![" for ", figure(cost, Metric::DeliveryCpu), " of server CPU each"],
            (Cost::Latency, Some(p99)) => prose![", with a p99 of ", figure(p99, Metric::P99)],
            (Cost::ServerCpu | Cost::Latency, None) | (Cost::Simplicity, _) => Prose::default(),
        }
    }

    fn candidate(&self, transport: Transport) -> Option<&Candidate> {
        self.ranked.iter().copied().find(|candidate| candidate.transport == transport)
    }

    fn share(&self, transport: Transport) -> Option<f64> {
        Some(self.candidate(transport)?.figures.as_ref()?.get(Metric::WithinSlo)?.point)
    }

    fn cost(&self, transport: Transport) -> Option<f64> {
        Some(self.verdict.cost.of(self.candidate(transport)?.figures.as_ref()?)?.point)
    }

    /// The transport that falls short by the least. One that loses or misses messages is not near,
    /// whatever its share.
    fn nearest(&self) -> Option<(Transport, f64)> {
        self.ranked
            .iter()
            .filter_map(|candidate| Some((candidate.transport, candidate.figures.as_ref()?)))
            .filter(|(_, figures)| {
                !figures.has_fault(Metric::Lost) && (self.slo.may_skip || !figures.has_fault(Metric::Missed))
            })
            .filter_map(|(transport, figures)| Some((transport, figures.get(Metric::WithinSlo)?.point)))
            .max_by(|one, other| one.1.total_cmp(&other.1))
    }

    fn wanted(&self) -> Prose {
        Prose::asked(asked_share(self.slo.share.as_f64()))
    }

    fn within(&self) -> Prose {
        Prose::asked(tick(self.slo.within.as_secs_f64() * 1e9))
    }
}

/// What went wrong beside what is lost and missed, which the SLO judges; `None` where nothing did. Its
/// figures stand in the table, where the transport has any.
pub(crate) fn in_short(faults: &CellFaults, transport: Transport, has_figures: bool) -> Option<Prose> {
    let counted = |count: u64, [one, several]: [&str; 2], metric: Metric| {
        let noun = if count == 1 { one } else { several };
        let figure = Prose::figure(number(count), Place::Cell(transport, metric)).then(" ");
        (count > 0).then(|| if has_figures { figure.then(noun) } else { noun.into() })
    };
    let failed = match faults.failed_trials {
        0 => None,
        all if all == faults.trials => Some("every trial failed".into()),
        1 => Some("one of its trials failed".into()),
        _ => Some("several of its trials failed".into()),
    };
    let unpublished = faults.unpublished + faults.unsent;
    let all = [
        counted(unpublished, ["message not published", "messages not published"], Metric::NotPublished),
        counted(faults.connections_broken, ["connection broken", "connections broken"], Metric::Broken),
        failed,
    ];
    all.into_iter().flatten().reduce(|all, one| all.then(", ").then(one))
}
