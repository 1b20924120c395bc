//! One trial, from an idle server to an outcome. Each state owns what the next one needs: `Opened` (topics) ->
//! `Connected` (subscribers) -> `Loaded` (all has arrived, the costs are read) -> `Drained` (the account).

mod connected;
mod drained;
mod loaded;
mod opened;
mod run;
mod setting;
mod together;

pub(crate) use drained::Drained;
pub(crate) use opened::{POSTING_CONNECTIONS_WARMED, patience};
pub(crate) use run::{fitted, run_part};
pub use run::{nothing_due, run};
pub use together::Together;
