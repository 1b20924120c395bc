//! The answer to what is needed: what each transport would need for it, and which to take.
//!
//! Of those that are fresh enough the one that costs the least money a month; what cannot be told apart
//! is decided as it is for what was measured ([`take`]).

use pushoff_model::Transport;
use serde::Serialize;

use super::estimate::{Estimate, Standing};
use super::needs::Needs;
use super::prices::Prices;
use super::sizing::Carrier;
use crate::choice::{Taken, Weighed, might_cost_less, take};
use crate::costs::{Beyond, CostModel};
use pushoff_stats::Figure;

/// Costs of which the larger is no more than so many times the least do not differ. Chosen here: of loads
/// that it has not seen the model that ships knows the processor time to a tenth, and nobody knows needs
/// and prices better.
pub const SAME: f64 = 1.10;

/// How sure the choice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sureness {
    /// The cheapest of those that meet what is needed, and nothing else comes near.
    Decided,
    /// Several cost the same as far as the model can tell: the simplest of those near the least.
    TooClose,
    /// The best of those that meet it; one of which that cannot be told might cost less.
    Provisional,
    /// The choice, or what it is weighed against, lies outside what was measured.
    Beyond,
    /// Every transport fails.
    NothingMeets,
    /// None is shown to meet it, and not all fail.
    Undecided,
}

impl Sureness {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Decided, Self::TooClose, Self::Provisional, Self::Beyond, Self::NothingMeets, Self::Undecided];

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
    /// The next best that meets what is needed.
    pub runner_up: Option<Transport>,
    /// How sure the choice is.
    pub sureness: Sureness,
    /// Those whose cost cannot be told from the least.
    pub tied: Vec<Transport>,
    /// Those of them that are near the least: simplicity decides among these.
    pub affordable: Vec<Transport>,
    /// Those that are undecided and might cost less than the choice.
    pub contenders: Vec<Transport>,
    /// One a transport of the model, in its order.
    #[serde(rename = "transports")]
    pub estimates: Vec<Estimate>,
}

impl Answer {
    /// What was estimated of a transport.
    pub fn estimate(&self, transport: Transport) -> Option<&Estimate> {
        self.estimates.iter().find(|it| it.transport == transport)
    }

    /// Its cost.
    pub fn money(&self, transport: Transport) -> Option<Figure> {
        self.estimate(transport)?.figures.money_a_month
    }

    /// In what the choice and what it is weighed against lie outside what was measured, each once and as
    /// far as the farthest of them.
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
    let mut answer = Answer {
        choice,
        runner_up,
        sureness: Sureness::Undecided,
        tied,
        affordable,
        contenders: Vec::new(),
        estimates,
    };
    if let Some(choice) = choice {
        let ours = answer.money(choice);
        let open = answer.estimates.iter().filter(|it| it.standing == Standing::Undecided);
        let might = open.filter(|it| might_cost_less(it.figures.money_a_month, ours));
        answer.contenders = might.map(|it| it.transport).collect();
    }
    answer.sureness = sureness(&answer);
    answer
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
