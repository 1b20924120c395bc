//! What would change the choice: how far each need alone can move until another transport is chosen.

use pushoff_model::Transport;
use serde::Serialize;

use super::answer::{Answer, answer};
use super::decide::Outcome;
use super::needs::{Need, Needs};
use super::prices::Prices;
use crate::costs::CostModel;

/// How many steps a need is moved in each direction: up to a thousand times and a thousandth of its value.
const STEPS: u32 = 30;
/// Steps to ten times a value.
const STEPS_A_DECADE: f64 = 10.0;

/// Another choice, and the value from which on it holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Change {
    /// What changes.
    #[serde(rename = "dimension")]
    pub need: Need,
    /// The nearest value that was tried with this choice.
    pub value: f64,
    /// Whether the value is larger than that of the needs.
    pub above: bool,
    /// How far the question is answered there.
    pub outcome: Outcome,
    /// None where no transport is chosen there.
    pub choice: Option<Transport>,
}

/// The nearest change of the choice for each need in both directions, where one was found.
pub fn changes(model: &CostModel, needs: &Needs, prices: &Prices, now: &Answer) -> Vec<Change> {
    let nearest = |(need, above): (Need, bool)| {
        (1..=STEPS).find_map(|step| {
            let steps = f64::from(step) / STEPS_A_DECADE;
            let value = need.nearest(need.of(needs) * 10_f64.powf(if above { steps } else { -steps }));
            let moved = need.with(needs, value)?;
            let there = answer(model, &moved, prices).decision;
            let (outcome, choice) = (there.outcome, there.choice);
            (choice != now.decision.choice).then_some(Change { need, value, above, outcome, choice })
        })
    };
    Need::ALL.into_iter().flat_map(|need| [(need, true), (need, false)]).filter_map(nearest).collect()
}
