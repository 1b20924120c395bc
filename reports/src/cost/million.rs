//! What 1 million users would need, a line a transport: bandwidth, memory and processors.
//!
//! What one user was measured to need, a million times. It says nothing of what changes on the way:
//! the table names how far that is.

use pushoff_model::record::Measurement;
use serde::Serialize;

use super::memory::server_side;
use super::wire::{connections, float, seconds, segments};
use crate::group::Group;
use crate::number::{Quantity, thousands};
use crate::table::{Column, Reading, column};
use pushoff_planner::HEADERS;
use pushoff_stats::Figure;
use pushoff_stats::Sums;

/// So many users.
const USERS: f64 = 1e6;
/// What they would need.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Million {
    /// Both directions, headers of TCP and IP among it.
    pub(crate) bandwidth_bytes_per_second: Option<Figure>,
    /// The same above TCP.
    pub(crate) bandwidth_above_tcp_bytes_per_second: Option<Figure>,
    /// The server's process and its end in the kernel.
    pub(crate) memory_bytes: Option<Figure>,
    /// Processors at full use.
    pub(crate) cores: Option<Figure>,
}

impl Million {
    /// `None` where nothing was published, or to a single user, of whom nothing follows for many.
    pub(super) fn of(trials: &[&Measurement]) -> Option<Self> {
        if trials.iter().all(|trial| trial.window.received == 0 || trial.counts.subscribers < 2) {
            return None;
        }
        let sums = Sums::of(trials);
        // Bytes a delivery over the whole load, times deliveries a second and user while measured.
        let bandwidth = |headers: f64| {
            sums.product(|trial| {
                let load = trial.wire.as_ref()?.load;
                let bytes = float(load.down.bytes + load.up.bytes) + segments(&load) * headers;
                let deliveries = (float(trial.window.received), seconds(trial) * connections(trial));
                Some([(bytes, float(load.contents.messages)), deliveries])
            })
        };
        let users = |figure: Figure| figure.times(USERS);
        Some(Self {
            bandwidth_bytes_per_second: bandwidth(HEADERS).map(users),
            bandwidth_above_tcp_bytes_per_second: bandwidth(0.0).map(users),
            memory_bytes: sums
                .difference(|trial| Some((server_side(trial, |it| &it.delivering)?, connections(trial))))
                .map(users),
            cores: sums
                .quotient(|trial| {
                    let server = trial.server?;
                    Some((float(server.cpu_ns), float(server.wall_ns) * connections(trial)))
                })
                .map(users),
        })
    }
}

/// The columns of the table.
#[rustfmt::skip]
pub(super) const COLUMNS: [Column<Million>; 4] = [
    column!(1, "bandwidth", Million, ByteRate, Less, "both directions, with 52 bytes of TCP and IP headers a segment",
        |it| Reading::Figure(it.bandwidth_bytes_per_second)),
    column!(4, "above TCP", Million, ByteRate, Less, "both directions, without those headers",
        |it| Reading::Figure(it.bandwidth_above_tcp_bytes_per_second)),
    column!(2, "memory", Million, Bytes, Less, "the server's process and its end of each connection in the kernel",
        |it| Reading::Figure(it.memory_bytes)),
    column!(3, "cores", Million, Count, Less, "processors like the measured one, at full use",
        |it| Reading::Figure(it.cores)),
];

/// What the figures rest on: `Measured at 300 users; 1 million is 3,333 times beyond that.`
pub(super) fn basis(group: &Group<'_>) -> String {
    let users = group.workload.subscribers;
    let times = USERS / f64::from(users.max(1));
    let times = if times >= 999.5 { thousands(&format!("{times:.0}")) } else { Quantity::Count.write(times) };
    format!(
        "Measured at {} users; 1 million is {times} times beyond what was measured. The range in brackets is that of \
         the measurement alone: what changes on the way (caches, more servers, more kernel) is not in it.",
        thousands(&users.to_string()),
    )
}
