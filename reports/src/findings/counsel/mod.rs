//! What an experienced colleague adds to a choice: the runner-up, the price of being wrong, what would
//! change the answer, how sure it is, and under which conditions.
//!
//! Pure, and never stronger than the data: what cannot be told apart has no price, and every figure
//! names the cell of the table that it is taken from.

mod change;
mod conditions;
mod price;

use pushoff_model::Transport;
use pushoff_model::workload::Slo;
use serde::Serialize;

use crate::cells::Group;
use crate::findings::rank::{Candidate, Sureness, Verdict};
use crate::metric::Standing;
use crate::metric::{Figures, Metric};
use crate::prose::{Place, Prose, prose};
use crate::words::number::{Quantity, tick};
use crate::words::text::{capitalised, list};

/// What is said beside a verdict, a line or two on each matter.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Counsel {
    /// The runner-up, and what it costs beside the choice.
    runner_up: Option<Prose>,
    /// What taking another would cost: first what the usual advice names, then the worst.
    price_of_being_wrong: Vec<Prose>,
    /// How tight the SLO could get, and who would be left.
    what_would_change_it: Option<Prose>,
    /// From how many trials, and what more of them would tell.
    how_sure: Prose,
    /// Under which conditions all of that was measured.
    pub(crate) conditions: Prose,
}

/// What counsel is given on.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) group: &'a Group<'a>,
    pub(crate) slo: &'a Slo,
    pub(crate) verdict: &'a Verdict,
    pub(crate) candidates: &'a [Candidate],
    /// Latencies that differ by less do not differ.
    pub(crate) noise_ns: f64,
}

impl Counsel {
    /// On this case.
    pub(crate) fn on(case: Case<'_>) -> Self {
        Self {
            runner_up: case.runner_up(),
            price_of_being_wrong: case.prices(),
            what_would_change_it: case.change(),
            how_sure: case.how_sure(),
            conditions: conditions::of(case.group),
        }
    }

    /// What there is to say, each matter under its name.
    pub(crate) fn matters(&self) -> Vec<(Matter, Vec<&Prose>)> {
        let all = [
            (Matter::RunnerUp, self.runner_up.iter().collect()),
            (Matter::PriceOfBeingWrong, self.price_of_being_wrong.iter().collect()),
            (Matter::WhatWouldChangeIt, self.what_would_change_it.iter().collect()),
            (Matter::HowSure, vec![&self.how_sure]),
        ];
        all.into_iter().filter(|(_, said): &(Matter, Vec<&Prose>)| !said.is_empty()).collect()
    }
}

/// What something is said on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matter {
    RunnerUp,
    PriceOfBeingWrong,
    WhatWouldChangeIt,
    HowSure,
}

impl Matter {
    /// As every document heads it.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::RunnerUp => "Runner-up",
            Self::PriceOfBeingWrong => "Price of being wrong",
            Self::WhatWouldChangeIt => "What would change it",
            Self::HowSure => "How sure",
        }
    }
}

impl<'a> Case<'a> {
    fn ranked(&self) -> impl Iterator<Item = &'a Candidate> + use<'a> {
        self.candidates.iter().filter(|candidate| candidate.transport.is_ranked())
    }

    fn candidate(&self, transport: Transport) -> Option<&'a Candidate> {
        self.ranked().find(|candidate| candidate.transport == transport)
    }

    /// The choice with its figures.
    fn choice(&self) -> Option<(Transport, &'a Figures)> {
        let choice = self.verdict.choice?;
        Some((choice, self.candidate(choice)?.figures.as_ref()?))
    }

    /// `4 trials of 1 s each`, and what more of them would tell.
    fn how_sure(&self) -> Prose {
        let most = || self.ranked().filter_map(|it| Some((it.transport, it.figures.as_ref()?)));
        let Some((transport, figures)) = self.choice().or_else(|| most().max_by_key(|(_, it)| it.trials)) else {
            return "No trial was measured.".into();
        };
        let trials =
            Prose::figure(Quantity::Count.write(figures.count(Metric::Trials)), Place::Cell(transport, Metric::Trials));
        let noun = if figures.trials == 1 { " trial of " } else { " trials of " };
        let length = Prose::asked(tick(self.group.workload.phases.measure.as_secs_f64() * 1e9));
        prose![trials, noun, length, " each. ", self.what_more_would_tell()]
    }

    fn what_more_would_tell(&self) -> String {
        match self.verdict.sureness {
            Sureness::Decided => "The choice stands clear of their spread; more would narrow the figures.".into(),
            Sureness::TooClose => "More or longer ones would tell these apart, if they differ.".into(),
            Sureness::Provisional => {
                let is_void = |transport: &&Transport| {
                    self.candidate(**transport).is_some_and(|it| matches!(it.standing, Standing::Void { .. }))
                };
                let (void, open): (Vec<_>, Vec<_>) = self.verdict.contenders.iter().partition(is_void);
                if void.is_empty() {
                    format!("More or longer ones would tell of {}.", list(&open))
                } else {
                    format!("{} first needs trials that count.", capitalised(&list(&void)))
                }
            }
            Sureness::NothingMeets => "All were shown to fail: more would not change that.".into(),
            Sureness::Undecided => "More or longer ones would tell.".into(),
            Sureness::NotEnoughTrials => "Two are the least that say anything about their spread.".into(),
        }
    }
}

#[cfg(test)]
mod tests;
