//! One trial, from an idle server to an outcome.

mod run;
mod setup;

pub use run::{nothing_due, run};
pub(crate) use setup::{CONNECTING_AT_ONCE, POSTING_CONNECTIONS_WARMED};
