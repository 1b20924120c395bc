//! What each transport would need for a load, and which to choose: of those that are fresh enough the one that costs
//! the least money a month, by the rule that also judges measured transports ([`take`]).

use pushoff_model::Transport;
use serde::Serialize;

use super::estimate::{Estimate, Standing};
use super::needs::Needs;
use super::prices::Prices;
use super::sizing::Carrier;
use crate::choice::{Taken, Weighed, might_cost_less, take};
use crate::costs::{Beyond, CostModel};

/// Costs up to so many times the least count as equal to it. Chosen here: the shipped model knows the processor time of
/// held-out loads to about a tenth, and nobody knows needs and prices better.
pub const SAME: f64 = 1.10;

/// How sure the choice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sureness {
    /// The choice costs less than every other transport that meets the needs.
    Decided,
    /// The model cannot tell the costs of several apart; the choice is the simplest of those near the least.
    TooClose,
    /// A transport that is undecided might cost less than the choice.
    Provisional,
    /// The choice or the runner-up lies outside what was measured.
    Beyond,
    /// Every transport fails.
    NothingMeets,
    /// No transport is shown to meet the needs, and not all fail.
    Undecided,
}

impl Sureness {
    /// As documents write it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::TooClose => "too close to call",
            Self::Provisional => "provisional: another may cost less",
            Self::Beyond => "beyond what was measured",
            Self::NothingMeets => "nothing meets it",
            Self::Undecided => "undecided",
        }
    }
}

/// What each transport would need, and which to take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The transport to take.
    pub choice: Option<Transport>,
    /// The next best transport that meets the needs.
    pub runner_up: Option<Transport>,
    /// How sure the choice is.
    pub sureness: Sureness,
    /// The transports whose cost cannot be told from the least.
    pub tied: Vec<Transport>,
    /// The tied transports that are near the least: simplicity decides among these.
    pub affordable: Vec<Transport>,
    /// The undecided transports that might cost less than the choice.
    pub contenders: Vec<Transport>,
    /// One for each transport of the model, in its order.
    #[serde(rename = "transports")]
    pub estimates: Vec<Estimate>,
}

impl Answer {
    /// What was estimated of a transport.
    pub fn estimate(&self, transport: Transport) -> Option<&Estimate> {
        self.estimates.iter().find(|it| it.transport == transport)
    }

    /// In which dimensions the choice and the runner-up lie outside what was measured, each once, with the farther of
    /// the two.
    pub fn beyond(&self) -> Vec<Beyond> {
        let weighed = [self.choice, self.runner_up].into_iter().flatten().filter_map(|it| self.estimate(it));
        let mut all: Vec<Beyond> = Vec::new();
        for one in weighed.flat_map(|it| &it.beyond) {
            match all.iter_mut().find(|it| (it.dimension, it.below) == (one.dimension, one.below)) {
                Some(known) => known.times = known.times.max(one.times),
                None => all.push(*one),
            }
        }
        all
    }
}

/// What each transport would need under these needs and prices, and which to take.
pub fn answer(model: &CostModel, needs: &Needs, prices: &Prices) -> Answer {
    let transports = model.transports.iter().map(|it| it.transport).filter(|transport| transport.is_ranked());
    let estimates: Vec<Estimate> =
        transports.map(|transport| Estimate::of(Carrier { model, needs, transport }, prices)).collect();
    let meeting = estimates.iter().filter(|it| it.standing == Standing::Meets);
    let weighed = meeting.map(|it| Weighed { transport: it.transport, cost: it.figures.money_a_month });
    let Taken { choice, runner_up, tied, affordable } =
        take(weighed.collect(), |cost, least| cost.point <= least.point * SAME);
    let ours = estimates.iter().find(|it| Some(it.transport) == choice);
    let contenders = ours.map_or_else(Vec::new, |ours| contenders(&estimates, ours));
    let mut answer =
        Answer { choice, runner_up, sureness: Sureness::Undecided, tied, affordable, contenders, estimates };
    answer.sureness = sureness(&answer);
    answer
}

fn contenders(estimates: &[Estimate], ours: &Estimate) -> Vec<Transport> {
    let open = estimates.iter().filter(|it| it.standing == Standing::Undecided);
    let might = open.filter(|it| might_cost_less(it.figures.money_a_month, ours.figures.money_a_month));
    might.map(|it| it.transport).collect()
}

fn sureness(answer: &Answer) -> Sureness {
    let all_fail = !answer.estimates.is_empty() && answer.estimates.iter().all(|it| it.standing == Standing::Fails);
    if answer.choice.is_none() {
        if all_fail { Sureness::NothingMeets } else { Sureness::Undecided }
    } else if !answer.contenders.is_empty() {
        Sureness::Provisional
    } else if !answer.beyond().is_empty() {
        Sureness::Beyond
    } else if answer.tied.len() > 1 {
        Sureness::TooClose
    } else {
        Sureness::Decided
    }
}
