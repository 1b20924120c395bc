//! What each transport would need for a load, and which to choose: by the rule that also judges measured transports
//! ([`decide`]), over money a month.

use pushoff_model::Transport;
use pushoff_stats::Figure;
use serde::Serialize;

use super::decide::{Contender, Decision, Fitness, decide};
use super::estimate::{Estimate, Standing};
use super::needs::Needs;
use super::prices::Prices;
use super::sizing::Carrier;
use crate::costs::{Beyond, CostModel};

/// What each transport would need, and which to take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// Which transport to take, as far as that can be told.
    #[serde(flatten)]
    pub decision: Decision,
    /// One for each transport of the model, in its order.
    #[serde(rename = "transports")]
    pub estimates: Vec<Estimate>,
}

impl Answer {
    /// What was estimated of a transport.
    pub fn estimate(&self, transport: Transport) -> Option<&Estimate> {
        self.estimates.iter().find(|it| it.transport == transport)
    }

    /// In which dimensions the choice, or a contender, lies outside what was measured, each once, with the farthest.
    pub fn beyond(&self) -> Vec<Beyond> {
        let weighed = self.decision.choice.iter().chain(&self.decision.contenders).filter_map(|&it| self.estimate(it));
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

/// The paces of a stream between at once and the slowest, as shares of the slowest. Chosen here: each halves the wait of
/// the one after it.
const BETWEEN: [f64; 3] = [0.125, 0.25, 0.5];

/// What each transport would need under these needs and prices, and which to take.
pub fn answer(model: &CostModel, needs: &Needs, prices: &Prices) -> Answer {
    let transports = model.transports.iter().map(|it| it.transport).filter(|transport| transport.is_ranked());
    let carriers: Vec<Carrier<'_>> = transports.map(|transport| Carrier { model, needs, transport }).collect();
    let estimates = paced(&carriers, prices);
    let contenders: Vec<Contender> = estimates.iter().map(contender).collect();
    let ratio = |one, other| -> Option<Figure> {
        let of = |transport| estimates.iter().find(|it| it.transport == transport);
        of(one)?.money_over(of(other)?)
    };
    Answer { decision: decide(&contenders, ratio, needs.rule()), estimates }
}

/// Of each transport one estimate. A stream is flushed at the fastest pace that costs within the margin of its own least,
/// and is shown to cost within the margin of the least of all others, if it is at any pace.
fn paced(carriers: &[Carrier<'_>], prices: &Prices) -> Vec<Estimate> {
    let at_once: Vec<Estimate> = carriers.iter().map(|carrier| Estimate::of(*carrier, prices)).collect();
    // What is late at once is later if it is held back.
    let held = carriers.iter().zip(&at_once).map(|(carrier, at_once)| {
        let may_wait = !carrier.transport.is_polling() && at_once.standing == Standing::Meets;
        let slowest = may_wait.then(|| carrier.slowest().ok()).flatten()?;
        let held = Estimate::at(*carrier, slowest, prices);
        (held.standing == Standing::Meets).then_some((slowest, held))
    });
    let held: Vec<Option<(f64, Estimate)>> = held.collect();
    let least_but = |transport: Transport| {
        let all = at_once.iter().chain(held.iter().flatten().map(|(_, held)| held));
        let others = all.filter(|it| it.transport != transport && it.standing == Standing::Meets);
        others.min_by(|one, other| one.money().total_cmp(&other.money()))
    };
    let one = |((carrier, at_once), held): ((&Carrier<'_>, &Estimate), &Option<(f64, Estimate)>)| {
        let Some((slowest, held)) = held else { return at_once.clone() };
        let most = 1.0 + carrier.needs.margin;
        let others = least_but(carrier.transport);
        let is_shown =
            |it: &Estimate| others.is_none_or(|others| it.money_over(others).is_some_and(|ratio| ratio.high() <= most));
        let may_be_shown = is_shown(held);
        // Two paces of one transport err alike: of these the points count.
        let fits = |it: &Estimate| {
            it.standing == Standing::Meets
                && it.money() <= held.money().min(at_once.money()) * most
                && (is_shown(it) || !may_be_shown)
        };
        if fits(at_once) {
            return at_once.clone();
        }
        let mut between = BETWEEN.iter().map(|share| Estimate::at(*carrier, share * slowest, prices));
        between.find(fits).unwrap_or_else(|| held.clone())
    };
    carriers.iter().zip(&at_once).zip(&held).map(one).collect()
}

fn contender(it: &Estimate) -> Contender {
    Contender {
        transport: it.transport,
        fitness: match it.standing {
            Standing::Meets => Fitness::Meets,
            Standing::Undecided => Fitness::Open,
            Standing::Fails => Fitness::Fails,
        },
        cost: it.figures.money_a_month.map(|money| money.point),
        median_ns: it.figures.p50_ns,
    }
}
