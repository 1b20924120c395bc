//! What would change the recommendation: how far each need can move, alone, until another transport is
//! recommended.

use pushoff_model::Transport;
use serde::Serialize;

use super::answer::{Answer, answer};
use super::needs::{Need, Needs};
use super::prices::Prices;
use crate::costs::CostModel;

/// Steps in which a need is moved: a tenth of a decade each, up to a thousand times and a thousandth.
const STEPS: u32 = 30;
/// Steps of a tenfold change.
const STEPS_A_DECADE: f64 = 10.0;

/// Another recommendation, and from where on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Change {
    /// What changes.
    #[serde(rename = "dimension")]
    pub need: Need,
    /// The nearest that was tried at which it holds.
    pub value: f64,
    /// Whether it is more than what is needed now, or less.
    pub above: bool,
    /// None where nothing is recommended from there on.
    pub choice: Option<Transport>,
}

/// For each need and in both directions the nearest change of the recommendation, where one was found.
pub fn changes(model: &CostModel, needs: &Needs, prices: &Prices, now: &Answer) -> Vec<Change> {
    let nearest = |(need, above): (Need, bool)| {
        (1..=STEPS).find_map(|step| {
            let steps = f64::from(step) / STEPS_A_DECADE;
            let value = need.of(needs) * 10_f64.powf(if above { steps } else { -steps });
            let moved = need.with(needs, value)?;
            let choice = answer(model, &moved, prices).choice;
            (choice != now.choice).then_some(Change { need, value, above, choice })
        })
    };
    Need::ALL.into_iter().flat_map(|need| [(need, true), (need, false)]).filter_map(nearest).collect()
}
