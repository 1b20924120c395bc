//! Memory a connection: what was held with everybody connected less what was held before.
//!
//! The kernel's part counts both ends of a connection, because both are on one machine.

use pushoff_model::record::{Held, KernelMemory, Measurement, Memory, ProcessMemory};

use super::Evidence;
use super::wire::{connections, float};
use pushoff_stats::Figure;

/// Picks a moment of a trial.
pub(super) type Pick = fn(&Memory) -> &Held;

/// Bytes a connection at a moment.
pub(super) fn a_connection(evidence: &Evidence<'_>, pick: Pick, of: fn(&Held) -> Option<f64>) -> Option<Figure> {
    let grew = |trial: &Measurement| Some(of(pick(&trial.memory))? - of(&trial.memory.empty)?);
    evidence.own().difference(|trial| Some((grew(trial)?, connections(trial))))
}

pub(super) fn pss(memory: ProcessMemory) -> f64 {
    float(memory.pss_bytes)
}

pub(super) fn both(memory: KernelMemory) -> f64 {
    float(memory.slab_bytes) + float(memory.tcp_bytes)
}

/// What all connections take on the server's side: its process, and of the kernel's part one end of two.
pub(crate) fn server_side(held: &Held) -> Option<f64> {
    Some(pss(held.server?) + both(held.kernel?) / 2.0)
}
