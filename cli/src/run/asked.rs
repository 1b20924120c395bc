//! The request of a run: the command line and its workloads, parsed and checked.

use std::ffi::{OsStr, OsString};
use std::num::NonZeroU32;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{bail, ensure};
use pushoff_loadgen::{Asked, AskedCell, MOST_IN_A_BROWSER, Plan, descriptors_needed, find_chromium, nothing_due};
use pushoff_model::record::{NotRun, Outcome};
use pushoff_model::target::Place;
use pushoff_model::{Client, Transport, Workload, foreign, workload};
use strsim::jaro;

use crate::arguments::RunOptions;
use crate::terminal;

/// From this similarity of Jaro on a name is suggested, as clap does.
const NEAR: f64 = 0.7;

/// The workloads of the run, each at every size.
pub(super) fn workloads(options: &RunOptions) -> anyhow::Result<Vec<Arc<Workload>>> {
    let names: Vec<&OsStr> = if options.workload.is_empty() {
        workload::DEFAULT.iter().map(OsStr::new).collect()
    } else {
        options.workload.iter().map(OsString::as_os_str).collect()
    };
    let mut sizes = options.subscribers.clone();
    sizes.sort_unstable();
    sizes.dedup();
    let mut workloads: Vec<Arc<Workload>> = Vec::new();
    for name in names {
        let mut workload = load(name)?;
        if let Some(duration) = options.duration {
            workload.phases.measure = duration;
        }
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

/// The transports of the run, each once, in the order of `Transport::ALL`.
pub(super) fn transports(options: &RunOptions) -> Vec<Transport> {
    let mut transports = if options.transport.is_empty() { Transport::ALL.to_vec() } else { options.transport.clone() };
    transports.sort_unstable();
    transports.dedup();
    transports
}

/// The clients of the run, each once; empty means the workload's own.
pub(super) fn clients(options: &RunOptions) -> Vec<Client> {
    let mut clients = options.client.clone();
    clients.sort_unstable();
    clients.dedup();
    clients
}

/// Refuses a workload that needs more open files than a process may have; of a search, its first load.
pub(super) fn ensure_descriptors(asked: &Asked<'_>) -> anyhow::Result<()> {
    for workload in asked.workloads {
        for AskedCell { transport, client, .. } in asked.cells(workload) {
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

/// Refuses a trial without a message due in its measure phase, of the first round; of a search, its first load.
pub(super) fn ensure_something_is_due(asked: &Asked<'_>) -> anyhow::Result<()> {
    let mut plan = Plan::new(asked);
    ensure!(!plan.is_over(), "nothing is to be measured: no workload is measured on a transport that was asked for");
    while let Some(trial) = plan.next_trial().filter(|trial| trial.number == 1) {
        if let Some(reason) = nothing_due(&trial) {
            bail!("{reason}");
        }
        plan.ended(&trial, &Outcome::NotRun(NotRun { reason: String::new() }));
    }
    Ok(())
}

/// Whether a browser receives.
///
/// # Errors
/// When there is no browser, or the run asks for something it cannot do.
pub(super) fn has_browser(asked: &Asked<'_>) -> anyhow::Result<bool> {
    let of_workloads =
        || asked.workloads.iter().any(|it| it.client == Client::Browser || it.compared.contains(&Client::Browser));
    let is_asked = if asked.clients.is_empty() { of_workloads() } else { asked.clients.contains(&Client::Browser) };
    if !is_asked {
        return Ok(false);
    }
    ensure!(
        find_chromium().is_some(),
        "--client browser needs Chromium, and there is none on the PATH: install it (Debian and Ubuntu: apt-get \
         install chromium; elsewhere: google-chrome will do)"
    );
    if let Some(other) = asked.targets.iter().find(|target| target.place != Place::Unsaid) {
        bail!(
            "--client browser opens pages of pushoff's own server: measure --target {} with the other clients",
            other.name
        );
    }
    let spoken = asked.transports.iter().any(|&transport| Client::Browser.speaks(transport));
    ensure!(spoken || asked.clients.len() > 1, "a browser opens no raw TCP connection: choose other transports");
    for workload in asked.workloads.iter().filter(|workload| workload.search.is_none()) {
        ensure!(
            workload.subscribers <= MOST_IN_A_BROWSER,
            "{} has {} subscribers and a browser holds at most {MOST_IN_A_BROWSER}: lower --subscribers",
            workload.name,
            workload.subscribers
        );
    }
    if asked.transports.iter().any(|transport| !transport.is_ranked()) {
        terminal::remark("a browser opens no raw TCP connection: its cells have no floor");
    }
    Ok(true)
}

fn load(name: &OsStr) -> anyhow::Result<Workload> {
    if let Some(built_in) = name.to_str().and_then(workload::built_in) {
        return Ok(built_in?);
    }
    let path = Path::new(name);
    if path.extension().is_none() && !name.as_bytes().contains(&b'/') {
        let (typed, known) = (name.to_string_lossy(), workload::BUILT_IN.map(|(name, _)| name));
        let nearest = known.into_iter().max_by(|one, other| jaro(one, &typed).total_cmp(&jaro(other, &typed)));
        let meant = nearest.filter(|name| jaro(name, &typed) > NEAR);
        bail!(
            "{} is not a built-in workload{}: take one of {}, or name a TOML file",
            foreign::quoted(&typed),
            meant.map_or_else(String::new, |name| format!(" (did you mean {name}?)")),
            known.join(", ")
        );
    }
    Ok(workload::read(path)?)
}

/// The workload with this number of subscribers.
fn sized(workload: &Workload, subscribers: NonZeroU32) -> anyhow::Result<Workload> {
    let subscribers = subscribers.get();
    ensure!(
        subscribers >= workload.topics,
        "--subscribers is {subscribers}, and {} has {} topics: each needs at least one subscriber",
        workload.name,
        workload.topics
    );
    Ok(Workload { subscribers, ..workload.clone() })
}
