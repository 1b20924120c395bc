//! The agents of a run: whether they can generate its load, and who they are.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{bail, ensure};
use pushoff_loadgen::{Asked, Fleet, Wanted};
use pushoff_model::Record;
use pushoff_model::target::{Address, Place, Target, redacted};
use pushoff_model::workload::Direction;

use crate::arguments::RunOptions;
use crate::{environment, nats, terminal};

/// Refuses what agents cannot generate.
pub(super) fn ensure_divisible(options: &RunOptions, asked: &Asked<'_>, has_browser: bool) -> anyhow::Result<()> {
    let Some(agents) = options.agents.agents else { return Ok(()) };
    ensure!(!has_browser, "--client browser opens pages on this machine: leave it out, or leave out --agents");
    for workload in asked.workloads {
        ensure!(
            workload.direction == Direction::Down || !workload.completes || workload.topics >= agents.get(),
            "{} completes topics whose speakers {agents} agents would divide: give --agents {} or fewer",
            workload.name,
            workload.topics
        );
    }
    Ok(())
}

/// How many descriptors there are in all, where each process may have `limit` of them: a connection takes one of its
/// agent and one of its server.
pub(super) fn descriptors(options: &RunOptions, limit: u64) -> u64 {
    let agents = options.agents.agents.map_or(1, |agents| u64::from(agents.get()));
    let servers = options.server_url.len().max(1) as u64;
    limit.saturating_mul(agents.min(servers))
}

/// Waits for the agents of the run, if it has some; they belong to it from then on.
///
/// # Errors
/// When there are too few, another run has them, or they cannot reach a server.
pub(super) async fn gather(options: &RunOptions, targets: &[impl AsRef<Target>]) -> anyhow::Result<Option<Fleet>> {
    let (Some(agents), Some(url)) = (options.agents.agents, &options.agents.nats) else { return Ok(None) };
    let client = nats::connect(url, options.agents.credentials.nats_credentials.as_deref()).await?;
    let host = environment::host();
    let wanted = Wanted {
        agents: usize::try_from(agents.get())?,
        within: options.agents.agents_within,
        version: environment::VERSION.to_owned(),
        holder: format!("process {} on {host}, since {}", std::process::id(), environment::now()),
        host: host.clone(),
        at: redacted(url),
    };
    let fleet = Fleet::gather(client, &wanted, &terminal::remark).await?;
    let far = fleet.agents().into_iter().find(|agent| agent.host != host);
    let near = targets.iter().map(AsRef::as_ref).find(|target| !is_reached_from_afar(target));
    if let (Some(far), Some(target)) = (far, near) {
        fleet.release().await;
        bail!(
            "agent {} runs on {}, from where {} is not reached: start the server with pushoff serve --listen at an \
             address of this machine, and give its URL",
            far.name,
            far.host,
            target.name
        );
    }
    Ok(Some(fleet))
}

/// Whether a server listens at an address that leads to it from other machines.
fn is_reached_from_afar(target: &Target) -> bool {
    match &target.place {
        Place::At(address) => {
            let is_far = |it: &Address| !it.socket.as_ref().is_some_and(|it: &SocketAddr| it.ip().is_loopback());
            is_far(address) && target.others.iter().all(is_far)
        }
        Place::Unsaid | Place::Started { .. } => false,
    }
}

/// Says how well the agents' clocks were known, of each in its worst trial.
pub(super) fn say_clocks(records: &[Record]) {
    let mut worst = BTreeMap::<&str, u64>::new();
    for part in records.iter().filter_map(Record::measurement).flat_map(|measurement| &measurement.agents) {
        let bound = worst.entry(&part.name).or_default();
        *bound = part.clock.bound_ns.max(*bound);
    }
    let said =
        |(name, bound): (&&str, &u64)| format!("{name} within ±{:?}", Duration::from_micros(bound.div_ceil(1_000)));
    let all: Vec<_> = worst.iter().map(said).collect();
    if !all.is_empty() {
        terminal::remark(&format!("clocks of the agents: {}", all.join(", ")));
    }
}
