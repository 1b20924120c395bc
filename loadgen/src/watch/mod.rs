//! Reads the costs of a trial, and flags what limited it.

mod handshakes;
mod memory;
mod noise;
mod observer;
mod process_end;
mod processes;
mod stalls;
mod usage;
pub(crate) mod validity;

pub(crate) use handshakes::{IN_A_TURN, TURNS, handshakes};
pub use noise::{noise, too_loud};
pub(crate) use observer::{Measured, Observer};
pub(crate) use process_end::ended;
pub(crate) use processes::family;
pub use processes::processes_of;
pub(crate) use stalls::MISSED;
pub use usage::held_back_to;
pub(crate) use usage::{Reading, Use, generator_share};
