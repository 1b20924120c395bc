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

/// The paces of a stream between at once and the slowest, as shares of the slowest. Chosen here: each halves the wait
/// of the one after it.
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

/// One estimate a transport. A stream is flushed at the fastest pace that meets two conditions: it costs at most the
/// margin more than the stream's own least, and it is shown to cost at most the margin more than the cheapest of the
/// others. The second is waived where no pace meets it. The others are taken at the paces that meet the first.
fn paced(carriers: &[Carrier<'_>], prices: &Prices) -> Vec<Estimate> {
    let paces: Vec<Paces<'_>> = carriers.iter().map(|carrier| Paces::of(*carrier, prices)).collect();
    let alone: Vec<Estimate> = paces.iter().map(|it| it.fastest(|_| true)).collect();
    let one = |paces: &Paces<'_>| {
        let others =
            alone.iter().filter(|it| it.transport != paces.carrier.transport && it.standing == Standing::Meets);
        let least = others.min_by(|one, other| one.money().total_cmp(&other.money()));
        let most = 1.0 + paces.carrier.needs.margin;
        let is_shown =
            |it: &Estimate| least.is_none_or(|least| it.money_over(least).is_some_and(|ratio| ratio.high() <= most));
        let may_be_shown = paces.slowest.as_ref().is_some_and(|(_, held)| is_shown(held));
        paces.fastest(|it| is_shown(it) || !may_be_shown)
    };
    paces.iter().map(one).collect()
}

/// The paces at which a transport may deliver.
struct Paces<'a> {
    carrier: Carrier<'a>,
    prices: &'a Prices,
    at_once: Estimate,
    /// The slowest, in seconds, where a stream may be held back.
    slowest: Option<(f64, Estimate)>,
}

impl<'a> Paces<'a> {
    fn of(carrier: Carrier<'a>, prices: &'a Prices) -> Self {
        let at_once = Estimate::of(carrier, prices);
        // What is late at once is later if it is held back.
        let may_wait = !carrier.transport.is_polling() && at_once.standing == Standing::Meets;
        let slowest = may_wait.then(|| carrier.slowest().ok()).flatten().map(|pace| {
            let held = Estimate::at(carrier, pace, prices);
            (pace, held)
        });
        let slowest = slowest.filter(|(_, held)| held.standing == Standing::Meets);
        Self { carrier, prices, at_once, slowest }
    }

    /// The fastest that costs within the margin of the least, and of which `fits` holds; else the slowest.
    fn fastest(&self, fits: impl Fn(&Estimate) -> bool) -> Estimate {
        let Some((slowest, held)) = &self.slowest else { return self.at_once.clone() };
        // Two paces of one transport err alike: of these the points count.
        let most = held.money().min(self.at_once.money()) * (1.0 + self.carrier.needs.margin);
        let fits = |it: &Estimate| it.standing == Standing::Meets && it.money() <= most && fits(it);
        if fits(&self.at_once) {
            return self.at_once.clone();
        }
        let mut between = BETWEEN.iter().map(|share| Estimate::at(self.carrier, share * slowest, self.prices));
        between.find(fits).unwrap_or_else(|| held.clone())
    }
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
