//! The verdict in words that a newcomer understands, with the figures that it rests on.
//!
//! Never stronger than the verdict: each outcome has its own sentence.

use pushoff_model::workload::Slo;
use pushoff_model::{Transport, Workload};

use crate::number::{Quantity, asked_share, tick};
use crate::rank::{AdviceHolds, Candidate, Cost, Standing, Sureness, Verdict};

/// Names joined as prose joins them: `a, b and c`.
pub(crate) fn list(transports: &[Transport]) -> String {
    let names: Vec<&str> = transports.iter().map(|transport| transport.label()).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// The first letter made a capital, for the start of a sentence.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A verdict with what its words are made of.
pub(crate) struct Words<'a> {
    pub(crate) verdict: &'a Verdict,
    pub(crate) workload: &'a Workload,
    pub(crate) slo: &'a Slo,
    pub(crate) ranked: &'a [&'a Candidate],
}

impl Words<'_> {
    /// The verdict in one or two sentences.
    pub(crate) fn sentence(&self) -> String {
        match self.verdict.sureness {
            Sureness::Decided => self.decided(),
            Sureness::TooClose => self.too_close(),
            Sureness::Provisional => self.provisional(),
            Sureness::NothingMeets => self.nothing_meets(),
            Sureness::Undecided => self.undecided(),
            Sureness::NotEnoughTrials => {
                "There are too few trials that count: at least two a transport are needed for a verdict.".into()
            }
        }
    }

    /// Why the data disagrees with the advice: `; short polling would do at 3.36 times the cost`.
    pub(crate) fn against_advice(&self) -> Option<String> {
        if self.verdict.advice != Some(AdviceHolds::Disagrees) {
            return None;
        }
        let advised = || self.workload.advice.transports.iter().copied();
        let meets = |transport: &Transport| {
            self.candidate(*transport).is_some_and(|candidate| candidate.standing == Standing::Meets)
        };
        let ours = self.verdict.choice.and_then(|choice| self.cost(choice));
        let cheapest = advised().filter(meets).filter_map(|it| Some((it, self.cost(it)?)));
        let cheapest = cheapest.min_by(|one, other| one.1.total_cmp(&other.1));
        Some(match (cheapest, ours) {
            (Some((would_do, theirs)), Some(ours)) if ours > 0.0 => {
                let times = Quantity::Ratio.write(theirs / ours);
                let what = if self.verdict.cost == Cost::Latency { "latency" } else { "cost" };
                format!(": {} would do, at {} times the {what}", would_do.label(), times.trim_end_matches('×'))
            }
            (Some((would_do, _)), _) => format!(": {} would do, at a higher cost", would_do.label()),
            (None, _) => {
                let failing: Vec<Transport> = advised().filter(|it| !meets(it)).collect();
                let verb = if failing.len() == 1 { "is" } else { "are" };
                format!(": {} {verb} not shown to be good enough", list(&failing))
            }
        })
    }

    fn decided(&self) -> String {
        let Some(choice) = self.verdict.choice else { return String::new() };
        let opening = self.opening(choice);
        let Some(next) = self.verdict.runner_up else {
            let cost = self.cost_clause(choice);
            return format!("{opening}{cost}. No other was shown to be good enough.{}", self.unknown_cost());
        };
        format!("{opening}{}{}.{}", self.cost_clause(choice), self.beside(choice, next), self.unknown_cost())
    }

    fn too_close(&self) -> String {
        let Some(choice) = self.verdict.choice else { return String::new() };
        let others: Vec<_> = self.verdict.tied.iter().copied().filter(|&it| it != choice).collect();
        let taken = match self.verdict.cost {
            Cost::ServerCpu => "by cost, and of those within a quarter of the least the simplest to build is taken",
            Cost::Latency => "by latency, and of those within a quarter of the least the simplest to build is taken",
            Cost::Simplicity => "by what was measured, and the simplest to build is taken",
        };
        format!(
            "{}{}; {} cannot be told from it {taken}.{}",
            self.opening(choice),
            self.cost_clause(choice),
            list(&others),
            self.unknown_cost(),
        )
    }

    fn provisional(&self) -> String {
        let Some(choice) = self.verdict.choice else { return String::new() };
        let better = if self.verdict.cost == Cost::ServerCpu { "do for less" } else { "do better" };
        format!(
            "{}{}. Whether {} would {better} is undecided.{}",
            self.opening(choice),
            self.cost_clause(choice),
            list(&self.verdict.contenders),
            self.unknown_cost(),
        )
    }

    fn nothing_meets(&self) -> String {
        let nearest = self.nearest().map_or_else(String::new, |(transport, share)| {
            format!("; {} comes nearest with {}", transport.label(), Quantity::Share.write(share))
        });
        format!("No transport delivers {} of messages within {}{nearest}.", self.wanted(), self.within())
    }

    fn undecided(&self) -> String {
        let open: Vec<_> = self
            .ranked
            .iter()
            .filter(|candidate| matches!(candidate.standing, Standing::Undecided { .. } | Standing::Void { .. }))
            .map(|candidate| candidate.transport)
            .collect();
        format!(
            "No transport was shown to deliver {} of messages within {}; {} still open. More or longer trials would \
             tell.",
            self.wanted(),
            self.within(),
            if open.len() == 1 { format!("{} is", list(&open)) } else { format!("{} are", list(&open)) },
        )
    }

    /// `SSE delivers 99.9 % of messages within 100 ms (99 % needed)`.
    fn opening(&self, choice: Transport) -> String {
        let share = self.share(choice).map_or_else(String::new, |share| Quantity::Share.write(share));
        format!(
            "{} delivers {share} of messages within {} ({} needed)",
            capitalised(choice.label()),
            self.within(),
            self.wanted()
        )
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
    fn cost_clause(&self, choice: Transport) -> String {
        match (self.verdict.cost, self.cost(choice)) {
            (Cost::ServerCpu, Some(cost)) => format!(" for {} of server CPU each", Quantity::Time.write(cost)),
            (Cost::Latency, Some(p99)) => format!(", with a p99 of {}", Quantity::Time.write(p99)),
            (Cost::ServerCpu | Cost::Latency, None) | (Cost::Simplicity, _) => String::new(),
        }
    }

    /// `; WebSocket costs 1.31 times that`, or takes.
    fn beside(&self, choice: Transport, next: Transport) -> String {
        match (self.cost(choice), self.cost(next)) {
            (Some(ours), Some(theirs)) if ours > 0.0 => {
                let times = Quantity::Ratio.write(theirs / ours);
                let verb = if self.verdict.cost == Cost::Latency { "takes" } else { "costs" };
                format!("; {} {verb} {} times that", next.label(), times.trim_end_matches('×'))
            }
            (Some(_), Some(_)) | (None, _) | (_, None) => String::new(),
        }
    }

    fn candidate(&self, transport: Transport) -> Option<&Candidate> {
        self.ranked.iter().copied().find(|candidate| candidate.transport == transport)
    }

    fn share(&self, transport: Transport) -> Option<f64> {
        Some(self.candidate(transport)?.figures.as_ref()?.share_within?.point)
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
            .filter(|(_, figures)| figures.counts.lost == 0 && (self.slo.may_skip || figures.counts.missed == 0))
            .filter_map(|(transport, figures)| Some((transport, figures.share_within?.point)))
            .max_by(|one, other| one.1.total_cmp(&other.1))
    }

    fn wanted(&self) -> String {
        asked_share(self.slo.share.as_f64())
    }

    fn within(&self) -> String {
        tick(self.slo.within.as_secs_f64() * 1e9)
    }
}
