//! pushoff's planner: what a load costs that nobody measured, and which transport to choose for it.
//!
//! [`costs`] fits the cost model to measured cells and predicts one server process. [`answer`] deals the users
//! of [`Needs`] to as many processes as they need, adds up money by [`Prices`], and chooses by the rule that
//! also judges what was measured ([`decide`]). Pure: no clock, no terminal, no HTML.

mod answer;
mod change;
pub mod costs;
mod decide;
mod estimate;
mod needs;
mod prices;
mod radio;
mod sizing;
#[cfg(test)]
mod tests;
mod units;

pub use answer::{Answer, answer};
pub use change::{Change, changes};
pub use decide::{Chosen, Contender, Decision, Fitness, Outcome, Rule, decide};
pub use estimate::{Estimate, Figures, HEADERS, Standing};
pub use needs::{Asked, Need, Needs, NeedsError};
pub use prices::{Money, Needed, Prices};
pub use sizing::{KEEP_ALIVE, Reason, TARGET, WAIT};
pub use units::Unit;
