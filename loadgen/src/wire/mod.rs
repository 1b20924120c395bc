//! Wire counters: what crossed the connections of a trial, from the kernel's counters and the clients' own.

mod contents;
mod counters;
mod duplicate;
mod socket;
mod stream;
mod tcp_info;

pub(crate) use contents::{Batch, Tally, lines};
pub(crate) use counters::Registration;
pub use counters::WireCounters;
pub(crate) use stream::CountedStream;
