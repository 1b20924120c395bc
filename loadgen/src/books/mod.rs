//! The books of a trial: what was sent and what came of it, message by message.

mod fates;
mod ledger;
#[cfg(test)]
mod merging;
mod ranges;
mod recorder;
mod settlement;
mod skew;
mod subscriber;
mod window;

pub(crate) use fates::{Fates, GIVEN_UP, Publication, PublishOutcome};
pub use ledger::Ledger;
pub(crate) use recorder::Totals;
pub use recorder::{Recorder, Sample, SampleBlock};
pub(crate) use settlement::{Account, Settled, heard, reached, settle, unpublished};
pub(crate) use skew::Skew;
pub(crate) use subscriber::{Arrivals, Own, Presence, Progress, Reads, Subscriber};
pub use window::Window;
