//! The networks of a run.

use std::ffi::OsStr;
use std::sync::Arc;

use anyhow::{bail, ensure};
use pushoff_loadgen::{Asked, Whole, congestion_control};
use pushoff_model::foreign::quoted;
use pushoff_model::network::Network;
use pushoff_model::target::{Place, Target};
use pushoff_network::{Link, enter};

use crate::arguments::RunOptions;
use crate::{named, terminal};

/// A home, a phone, and a place where packets are lost.
const DEFAULT: [&str; 3] = ["cable", "fast-4g", "wifi-bad"];
/// What is given for no network.
const NONE: &str = "none";

/// The networks of the run, none where the system has none to offer. Call it before any thread is made.
///
/// # Errors
/// When a network is not known or its file is wrong, or a server runs already.
pub(super) fn networks(options: &RunOptions, targets: &[Arc<Target>]) -> anyhow::Result<Vec<Arc<Network>>> {
    let running = targets.iter().find(|target| matches!(target.place, Place::At(_)));
    let is_default = options.network.is_empty();
    if options.agents.agents.is_some() {
        ensure!(
            options.network.iter().all(|name| name == NONE),
            "--network is between processes of this machine: leave it out with --agents"
        );
        return Ok(Vec::new());
    }
    let names = match options.network.as_slice() {
        [] if options.quick || !options.workload.is_empty() || running.is_some() => Vec::new(),
        [] => DEFAULT.iter().map(OsStr::new).collect(),
        [one] if one == NONE => Vec::new(),
        several => several.iter().map(|name| &**name).collect(),
    };
    let mut networks = named::networks(names)?;
    if let (Some(running), false) = (running, is_default || networks.is_empty()) {
        bail!(
            "--network is for a server that pushoff starts, and {} runs already: give a TOML file with `start` \
             (docs/TARGETS.md), or run behind `pushoff link`",
            quoted(&running.name)
        );
    }
    // Before this process has rights that the server's process will not have.
    let _chosen = congestion_control();
    if let Some(first) = networks.first()
        && let Err(error) = enter(|| ()).and_then(|()| Link::new(first, 0).map(drop))
    {
        terminal::remark(&format!("nothing is measured over a network: {}", terminal::told(&error.into())));
        networks.clear();
    }
    Ok(networks)
}

/// What a workload keeps over a network: what the command line asked for.
pub(super) const fn whole(options: &RunOptions) -> Whole {
    Whole { readers: !options.subscribers.is_empty(), measure: options.duration.is_some() }
}

/// Refuses a network that nothing is measured over, or that has more packets to pass on than it can.
pub(super) fn ensure_measurable(options: &RunOptions, asked: &Asked<'_>) -> anyhow::Result<()> {
    let cells = || asked.workloads.iter().flat_map(|workload| asked.cells(workload));
    let mut over = cells().filter(|cell| cell.network.is_some()).peekable();
    ensure!(
        asked.networks.is_empty() || options.network.is_empty() || over.peek().is_some(),
        "--network needs a workload with an SLO, such as ticker, and one of the five transports"
    );
    for cell in over {
        if let Some(packets) = cell.too_many_packets(asked.whole) {
            bail!(
                "{} over {} is some {packets:.0} packets a second, and a network passes at most 30000 on: lower \
                 --subscribers, or leave it out",
                cell.workload.name,
                cell.transport
            );
        }
    }
    Ok(())
}
