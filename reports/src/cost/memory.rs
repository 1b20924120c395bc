//! Memory a connection: what was held with everybody connected less what was held before.
//!
//! The kernel's part counts both ends of a connection, because both are on one machine.

use pushoff_model::record::{Held, KernelMemory, Measurement, Memory, ProcessMemory};
use serde::Serialize;

use super::wire::{connections, float};
use pushoff_stats::Figure;
use pushoff_stats::Sums;

/// Memory at two moments.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MemoryCosts {
    /// Connected, nothing published.
    pub(crate) idle: Moment,
    /// At the end of the measure phase.
    pub(crate) delivering: Moment,
}

/// Bytes a connection at one moment.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Moment {
    /// The server's process, pages that it shares counted in part.
    pub(crate) server_pss_bytes: Option<Figure>,
    /// The server's process, resident.
    pub(crate) server_rss_bytes: Option<Figure>,
    /// The kernel, both ends: structures and buffers.
    pub(crate) kernel_bytes: Option<Figure>,
    /// The generator's process.
    pub(crate) generator_pss_bytes: Option<Figure>,
    /// The server's process and its end in the kernel: half of both.
    pub(crate) server_and_kernel_bytes: Option<Figure>,
}

/// Picks a moment of a trial.
pub(super) type Pick = fn(&Memory) -> &Held;

impl MemoryCosts {
    pub(super) fn of(trials: &[&Measurement]) -> Self {
        let sums = Sums::of(trials);
        Self { idle: moment(&sums, |it| &it.idle), delivering: moment(&sums, |it| &it.delivering) }
    }
}

fn moment(sums: &Sums<'_>, pick: Pick) -> Moment {
    let a_connection = |of: fn(&Held) -> Option<f64>| {
        sums.difference(|trial| Some((of(pick(&trial.memory))? - of(&trial.memory.empty)?, connections(trial))))
    };
    Moment {
        server_pss_bytes: a_connection(|held| held.server.map(pss)),
        server_rss_bytes: a_connection(|held| held.server.map(|it| float(it.rss_bytes))),
        kernel_bytes: a_connection(|held| held.kernel.map(both)),
        generator_pss_bytes: a_connection(|held| held.generator.map(pss)),
        server_and_kernel_bytes: sums.difference(|trial| Some((server_side(trial, pick)?, connections(trial)))),
    }
}

fn pss(memory: ProcessMemory) -> f64 {
    float(memory.pss_bytes)
}

fn both(memory: KernelMemory) -> f64 {
    float(memory.slab_bytes) + float(memory.tcp_bytes)
}

/// What all connections of a trial take on the server's side: its process, and of the kernel's part
/// one end of two.
pub(super) fn server_side(trial: &Measurement, pick: Pick) -> Option<f64> {
    let at = |held: &Held| Some(pss(held.server?) + both(held.kernel?) / 2.0);
    Some(at(pick(&trial.memory))? - at(&trial.memory.empty)?)
}
