//! Generators on other machines: agents that run parts of a trial, and the coordinator that divides it.
//!
//! The coordinator plans, runs the servers and reads their costs, as in one process; only the load is elsewhere. An agent
//! runs the ordinary trial on its part, on a clock that is moved to the coordinator's, and returns its sums and
//! histograms. They are merged bucket for bucket. All of it travels over NATS.

mod agent;
mod clock;
mod error;
mod gather;
mod letter;
mod merge;
mod messages;
mod playing;
mod share;
mod trial;

pub use agent::serve_agent;
pub use clock::MachineClock;
pub use error::FleetError;
pub use gather::{Fleet, Wanted};
