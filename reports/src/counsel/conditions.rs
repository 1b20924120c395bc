//! Under which conditions an answer was measured, and beyond which it says nothing.

use pushoff_model::Transport;

use crate::describe;
use crate::group::Group;
use crate::number::tick;
use crate::prose::{Prose, prose};

/// Load, staleness, pace of polling, and the way that the bytes took.
pub(super) fn of(group: &Group<'_>) -> Prose {
    let workload = group.workload;
    let polling = if group.cell(Transport::ShortPolling).is_some() {
        let interval = tick(workload.polling.interval.as_secs_f64() * 1e9);
        prose![", short polling every ", Prose::asked(interval)]
    } else {
        Prose::default()
    };
    let (load, slo) = (Prose::asked(describe::load(workload)), Prose::asked(describe::slo(workload)));
    // Where somebody else's server stands is not recorded.
    let way = if group.is_ours() { "on loopback, " } else { "" };
    let measured = format!("Measured {way}over HTTP/1.1 without TLS, with the {} client.", group.client);
    prose![load, "; ", slo, polling, ". ", measured]
}
