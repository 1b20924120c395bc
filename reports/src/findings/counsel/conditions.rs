//! Under which conditions an answer was measured, and beyond which it says nothing.

use std::time::Duration;

use crate::cells::Group;
use crate::prose::{Prose, prose};
use crate::words::describe;
use crate::words::number::tick;

/// Load, staleness, pace of polling, and the way that the bytes took.
pub(super) fn of(group: &Group<'_>) -> Prose {
    let workload = group.workload;
    let time = |duration: Duration| Prose::asked(tick(duration.as_secs_f64() * 1e9));
    let load = Prose::asked(describe::load(workload));
    let staleness = workload.slo.map(|slo| prose![", wanted within ", time(slo.within)]).unwrap_or_default();
    let polling = match group.cells.iter().find(|cell| cell.transport().polls_on_a_timer()) {
        Some(_) => prose![", short polling every ", time(workload.polling.interval)],
        None => Prose::default(),
    };
    // Where somebody else's server stands is not recorded.
    let way = if group.is_ours() { "on loopback, " } else { "" };
    let measured = format!("Measured {way}over HTTP/1.1 without TLS, with the {} client.", group.client());
    prose![load, staleness, polling, ". ", measured]
}
