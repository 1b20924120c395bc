//! The load generator: one plan, six transports, every message accounted for.
//!
//! [`Plan`] hands out the trials of a run one at a time and is told each outcome. [`run`] runs one trial on a fresh
//! server: it connects every subscriber, publishes on an open-loop schedule, measures latency from the intended time
//! of each message, balances a ledger for every subscriber, and flags what limited the trial.
//!
//! The path of one message: `load` computes its intended time, wakes its publisher and sends it; a file of `clients`
//! receives it; `books` enters it into a ledger and its sample into a recorder.

mod account;
pub mod books;
mod bounded;
pub mod clients;
mod congestion;
mod failure;
mod fleet;
mod load;
mod message;
mod numbers;
mod origin;
mod peers;
mod plan;
mod preflight;
mod probe;
mod seeding;
mod server;
mod settings;
mod subscribers;
mod timer;
mod tls;
mod trial;
mod watch;
mod wire;

#[cfg(fuzzing)]
#[doc(hidden)]
pub use clients::fuzz;
pub use congestion::congestion_control;
pub use fleet::{Fleet, FleetError, MachineClock, Wanted, serve_agent};
pub use origin::Origin;
pub use plan::{
    Asked, AskedCell, Left, MOST_IN_A_BROWSER, Plan, Trial, Whole, connections_needed, descriptors_needed,
    raise_descriptor_limit,
};
pub use preflight::preflight;
pub use probe::{
    Course, Examined, Fault, Finding, Flow, Idle, Listened, Listening, NotListened, Offer, Relay, Symptom, examine,
    is_stream, listen, probe,
};
pub use server::{NotFound, Server, Sibling, find};
pub use settings::settings;
pub use subscribers::page::{BrowserError, browser_limits, find_chromium};
pub use tls::{Anchor, Tls, TlsError};
pub use trial::{Together, nothing_due, run};
pub use watch::{held_back_to, noise, processes_of, too_loud};
pub use wire::WireCounters;
