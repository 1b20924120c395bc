//! The load generator: one plan, six transports, every message accounted for.
//!
//! [`Plan`] gives the trials of a run, one at a time and told what came of each, and [`run`] runs one of
//! them on a fresh server: it connects every subscriber, publishes on an open-loop schedule,
//! measures latency from the intended time of each message, balances a ledger for every
//! subscriber, and says what limits the trial's worth.
//!
//! The path of one message: [`schedule`] gives its intended time, the pacer wakes its publisher,
//! which stamps and sends it; a file of [`transports`] receives it; the subscriber enters it into
//! its [`ledger`] and its sample into the [`recorder`].

mod browser;
mod content;
mod descriptors;
mod failure;
mod knobs;
pub mod ledger;
mod load;
mod memory;
mod noise;
mod observer;
mod pacer;
pub mod phases;
mod plan;
mod poster;
mod probe;
mod process;
mod processes;
mod publication;
mod publisher;
pub mod ranges;
#[cfg(target_os = "linux")]
mod readiness;
pub mod recorder;
mod resources;
mod run;
pub mod schedule;
mod search;
mod seeding;
mod server;
mod settlement;
mod setup;
mod shortages;
pub mod spread;
pub mod stamp;
mod standstill;
mod subscriber;
pub mod taps;
mod text;
mod timer;
pub mod transports;
mod validity;
pub mod workloads;

pub use browser::{BrowserError, MOST_IN_A_BROWSER, browser_limits, find_chromium};
pub use descriptors::{connections_needed, descriptors_needed, raise_descriptor_limit};
pub use knobs::knobs;
pub use noise::{noise, too_loud};
pub use plan::{Asked, Left, Plan, Trial};
pub use probe::{Finding, Offer, probe};
pub use processes::processes_of;
pub use resources::held_back_to;
pub use run::{nothing_due, run};
pub use server::{NotFound, Server, find};
pub use shortages::shortages;
#[cfg(fuzzing)]
#[doc(hidden)]
pub use transports::fuzz;
