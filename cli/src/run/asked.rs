//! The request of a run: the command line and its workloads, parsed and checked.

use std::ffi::{OsStr, OsString};
use std::num::NonZeroU32;
use std::sync::Arc;

use anyhow::{bail, ensure};
use pushoff_loadgen::{Asked, AskedCell, MOST_IN_A_BROWSER, Plan, descriptors_needed, find_chromium, nothing_due};
use pushoff_model::record::{NotRun, Outcome};
use pushoff_model::target::Place;
use pushoff_model::{Client, Transport, Wire, Workload, workload};

use crate::arguments::RunOptions;
use crate::probe::spoken;
use crate::{named, terminal};

/// The workloads of the run, each at every size.
pub(super) fn workloads(options: &RunOptions) -> anyhow::Result<Vec<Arc<Workload>>> {
    let is_default = options.workload.is_empty();
    let names: Vec<&OsStr> = if is_default {
        workload::DEFAULT.iter().map(OsStr::new).collect()
    } else {
        options.workload.iter().map(OsString::as_os_str).collect()
    };
    // Clients are compared at so few readers that none is at its limit, and all on one server.
    let has_own_clients = options.client.is_empty()
        && options.subscribers.is_empty()
        && options.target.is_empty()
        && options.server_url.is_empty()
        && options.agents.agents.is_none();
    let sizes = once(&options.subscribers);
    let mut workloads: Vec<Arc<Workload>> = Vec::new();
    for name in names {
        let mut workload = load(name)?;
        if is_default && !workload.compared.is_empty() && (options.quick || !has_own_clients) {
            continue;
        }
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
    if !options.transport.is_empty() {
        return once(&options.transport);
    }
    Transport::ALL.into_iter().filter(|transport| transport.is_ranked() || !options.quick).collect()
}

/// What was asked for, each once and in order.
pub(super) fn once<T: Ord + Clone>(asked: &[T]) -> Vec<T> {
    let mut all = asked.to_vec();
    all.sort_unstable();
    all.dedup();
    all
}

/// Refuses a workload that needs more open files than a process may have; of a search, its first load.
pub(super) fn ensure_descriptors(asked: &Asked<'_>) -> anyhow::Result<()> {
    for workload in asked.workloads {
        for AskedCell { transport, client, .. } in asked.cells(workload) {
            let needed = descriptors_needed(workload, transport, client);
            ensure!(
                needed <= asked.descriptors,
                "{} with {} subscribers over {transport} needs {needed} open files and this system allows \
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
    ensure!(!plan.is_over(), "{}", why_nothing(asked));
    while let Some(trial) = plan.next_trial().filter(|trial| trial.number == 1) {
        if let Some(reason) = nothing_due(&trial) {
            bail!("{reason}");
        }
        plan.ended(&trial, &Outcome::NotRun(NotRun { reason: String::new() }));
    }
    Ok(())
}

/// Why nothing is to be measured, and what can be.
fn why_nothing(asked: &Asked<'_>) -> String {
    let names = |all: &[Transport]| all.iter().map(|it| it.name()).collect::<Vec<_>>().join(", ");
    let has_any = |all: &[Transport]| asked.transports.iter().any(|it| all.contains(it));
    for workload in asked.workloads.iter().filter(|it| !it.transports.is_empty()) {
        let own = workload.transports.as_slice();
        if !has_any(own) {
            return format!(
                "{} is not measured on {}: take one of {}",
                workload.name,
                names(asked.transports),
                names(own)
            );
        }
    }
    for target in asked.targets {
        let spoken = spoken(target);
        if !has_any(&spoken) {
            let wanted: Vec<&str> = asked.transports.iter().map(|it| it.label()).collect();
            return format!("{} has no {}: take one of {}", target.name, wanted.join(", no "), names(&spoken));
        }
    }
    let wanted = names(asked.transports);
    format!("nothing is to be measured: no client of the run speaks {wanted} over the --http and --compress of the run")
}

/// Refuses a gate on an SLO where no workload of the run is held to one.
pub(super) fn ensure_gate(options: &RunOptions, workloads: &[Arc<Workload>]) -> anyhow::Result<()> {
    let is_held = |workload: &Arc<Workload>| workload.slo.is_some() && workload.search.is_none();
    ensure!(
        options.fail_on.is_none() || workloads.iter().any(is_held),
        "--fail-on slo needs a workload with an SLO, such as ticker; a search for the most is held to none"
    );
    ensure!(
        options.fail_on.is_none() || options.trials.is_none_or(|trials| trials.get() > 1),
        "--fail-on slo needs two trials or more: give --trials 2, or none"
    );
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
    let spoken = asked.transports.iter().any(|&transport| Client::Browser.speaks(transport, Wire::default()));
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
    let path = named::file(name, "workload", &workload::BUILT_IN.map(|(name, _)| name))?;
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::Arguments;

    fn asked(words: &[&str]) -> (Vec<String>, Vec<Transport>) {
        let options = Arguments::try_parse_from([&["pushoff"], words].concat()).unwrap().run;
        let names = workloads(&options).unwrap().iter().map(|workload| workload.name.clone()).collect();
        (names, transports(&options))
    }

    #[test]
    fn a_quick_run_is_without_the_floor_and_the_clients() {
        let (names, transports) = asked(&["--quick"]);
        assert_eq!(names, ["progress", "ticker", "chat"]);
        assert!(transports.len() == 5 && transports.iter().all(|transport| transport.is_ranked()));
        assert_eq!(asked(&["--quick", "--transport", "raw"]).1.len(), 1, "what was asked for is measured");
    }

    #[test]
    fn a_default_run_compares_clients_unless_clients_sizes_or_servers_were_asked_for() {
        let (names, transports) = asked(&[]);
        assert_eq!((names.last().unwrap().as_str(), names.len(), transports.len()), ("clients", 4, 6));
        for words in [["--client", "lean"], ["--subscribers", "200,400"], ["--target", "http://127.0.0.1:1"]] {
            assert!(!asked(&words).0.contains(&"clients".to_owned()), "{words:?}");
        }
        assert_eq!(asked(&["--workload", "clients,ticker", "--client", "lean"]).0, ["clients", "ticker"]);
    }
}
