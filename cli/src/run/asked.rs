//! What a run is asked for: the command line and the workloads that it names, read and checked.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use pushoff_loadgen::{Asked, descriptors_needed};
use pushoff_model::workload::Search;
use pushoff_model::{Client, Transport, Workload, workload};

use crate::arguments::RunOptions;

/// The workloads that are asked for, each at every size.
pub(super) fn workloads(options: &RunOptions) -> anyhow::Result<Vec<Arc<Workload>>> {
    let names: Vec<&str> = if options.workload.is_empty() {
        workload::DEFAULT.to_vec()
    } else {
        options.workload.iter().map(String::as_str).collect()
    };
    let mut sizes = options.subscribers.clone();
    sizes.sort_unstable();
    sizes.dedup();
    let mut workloads: Vec<Arc<Workload>> = Vec::new();
    for name in names {
        let workload = adjusted(load(name)?, options)?;
        ensure!(
            workloads.iter().all(|other| other.name != workload.name),
            "two workloads are named {}: give each its own `name`",
            workload.name
        );
        if sizes.is_empty() {
            workloads.push(Arc::new(workload));
        } else {
            let sized = sizes.iter().map(|&subscribers| sized(&workload, subscribers).map(Arc::new));
            workloads.append(&mut sized.collect::<anyhow::Result<_>>()?);
        }
    }
    Ok(workloads)
}

/// The transports that are asked for, each once, in their customary order.
pub(super) fn transports(options: &RunOptions) -> Vec<Transport> {
    let mut transports = if options.transport.is_empty() { Transport::ALL.to_vec() } else { options.transport.clone() };
    transports.sort_unstable();
    transports.dedup();
    transports
}

/// The clients that are asked for, each once; none leaves it to each workload.
pub(super) fn clients(options: &RunOptions) -> Vec<Client> {
    let mut clients = options.client.clone();
    clients.sort_unstable();
    clients.dedup();
    clients
}

/// Refuses what a process has not descriptors enough for. A search must be able to begin.
pub(super) fn ensure_descriptors(asked: &Asked<'_>) -> anyhow::Result<()> {
    for workload in asked.workloads {
        let own = [workload.client];
        let clients = if asked.clients.is_empty() { &own[..] } else { asked.clients };
        for (&transport, &client) in asked.transports.iter().flat_map(|one| clients.iter().map(move |two| (one, two))) {
            let needed = descriptors_needed(workload, transport, client);
            ensure!(
                needed <= asked.descriptors,
                "{} with {} subscribers over {transport} needs {needed} open files in a process and this system allows \
                 {}: raise the limit (ulimit -Hn, or LimitNOFILE= of the service) or lower --subscribers",
                workload.name,
                workload.subscribers,
                asked.descriptors
            );
        }
    }
    Ok(())
}

fn load(name: &str) -> anyhow::Result<Workload> {
    if let Some(built_in) = workload::built_in(name) {
        return Ok(built_in?);
    }
    let is_file = Path::new(name).extension().is_some() || name.contains(std::path::MAIN_SEPARATOR);
    ensure!(
        is_file,
        "`{name}` is not a built-in workload: take one of {}, or name a TOML file",
        workload::BUILT_IN.map(|(name, _)| name).join(", ")
    );
    Ok(workload::read(Path::new(name))?)
}

/// The workload with what the command line puts in place of its own parameters.
fn adjusted(mut workload: Workload, options: &RunOptions) -> anyhow::Result<Workload> {
    if let Some(duration) = options.duration {
        ensure!(
            duration >= Duration::from_millis(100),
            "--duration is {}: 100ms is the least that can be measured",
            humantime::format_duration(duration)
        );
        workload.phases.measure = duration;
    }
    Ok(workload)
}

/// The workload with that many subscribers in all.
fn sized(workload: &Workload, subscribers: NonZeroU32) -> anyhow::Result<Workload> {
    let subscribers = subscribers.get();
    ensure!(
        subscribers >= workload.topics,
        "--subscribers is {subscribers}, and {} has {} topics: each needs at least one subscriber",
        workload.name,
        workload.topics
    );
    ensure!(
        subscribers <= Search::MOST_SUBSCRIBERS,
        "--subscribers is {subscribers}: {} is the most",
        Search::MOST_SUBSCRIBERS
    );
    Ok(Workload { subscribers, ..workload.clone() })
}
