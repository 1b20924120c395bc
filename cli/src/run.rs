//! `pushoff run`: measures a plan, trial by trial, and reports.
//!
//! Every trial leaves a record at once, whatever becomes of the run: a crash of one costs one, and
//! Ctrl-C keeps all that was measured.

mod folder;

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use pushoff_loadgen::{Target, Trial, descriptors_needed};
use pushoff_model::record::{Failure, FailureKind, NotRun, Outcome, Record, SCHEMA_VERSION};
use pushoff_model::{Transport, Workload, workload};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::arguments::RunOptions;
use crate::environment::{self, RunFacts};
use crate::pinning::Cpus;
use crate::progress::Progress;
use crate::server_process::{ServerPlan, ServerProcess};
use crate::{Exit, report, runtime, terminal};
use folder::RunFolder;

pub(crate) fn run(options: &RunOptions, json: bool) -> anyhow::Result<Exit> {
    let trials = plan(options)?;
    let descriptor_limit =
        pushoff_loadgen::raise_descriptor_limit().context("raising the limit of open files to the hard limit")?;
    for trial in &trials {
        let needed = descriptors_needed(&trial.workload, trial.transport);
        ensure!(
            needed <= descriptor_limit,
            "{} with {} subscribers needs {needed} open files and this system allows {descriptor_limit}: \
             raise the limit (ulimit -n) or lower --subscribers",
            trial.workload.name,
            trial.workload.subscribers
        );
    }
    let started = environment::now();
    let cpus = Cpus::take(options.no_pin)?;
    let environment = environment::gather(
        started,
        RunFacts {
            seed: options.seed,
            cpus: u32::try_from(cpus.allowed).unwrap_or(u32::MAX),
            pinning: cpus.pinning.clone(),
            descriptor_limit,
            knobs: pushoff_loadgen::knobs(),
        },
    );
    let mut folder = RunFolder::create(options.out.as_deref(), &environment)?;
    let exit = runtime::build(cpus.generator)?.block_on(measure(&trials, &environment.run, &cpus, &mut folder))?;
    report::publish(&report::read(&[folder.path().to_owned()])?, folder.path(), json)?;
    Ok(exit)
}

/// The trials that are asked for, in the order in which they run.
fn plan(options: &RunOptions) -> anyhow::Result<Vec<Trial>> {
    let names: Vec<&str> = if options.workload.is_empty() {
        workload::DEFAULT.to_vec()
    } else {
        options.workload.iter().map(String::as_str).collect()
    };
    let mut workloads: Vec<Arc<Workload>> = Vec::new();
    for name in names {
        let workload = adjusted(load(name)?, options)?;
        ensure!(
            workloads.iter().all(|other| other.name != workload.name),
            "two workloads are named {}: give each its own `name`",
            workload.name
        );
        workloads.push(Arc::new(workload));
    }
    let mut transports = if options.transport.is_empty() { Transport::ALL.to_vec() } else { options.transport.clone() };
    transports.sort_unstable();
    transports.dedup();
    Ok(pushoff_loadgen::plan(&workloads, &transports, options.trials, options.seed))
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
            duration >= std::time::Duration::from_millis(100),
            "--duration is {}: 100ms is the least that can be measured",
            humantime::format_duration(duration)
        );
        workload.phases.measure = duration;
    }
    if let Some(subscribers) = options.subscribers.first().copied().map(NonZeroU32::get) {
        ensure!(
            subscribers >= workload.topics,
            "--subscribers is {subscribers}, and {} has {} topics: each needs at least one subscriber",
            workload.name,
            workload.topics
        );
        workload.subscribers = subscribers;
    }
    Ok(workload)
}

/// Runs all trials; each leaves its record in `folder`.
async fn measure(trials: &[Trial], run: &str, cpus: &Cpus, folder: &mut RunFolder) -> anyhow::Result<Exit> {
    let interrupted = on_interrupt()?;
    let progress = Progress::new(trials);
    let mut exit = Exit::Done;
    for trial in trials {
        progress.begin(trial);
        let outcome = if interrupted.is_cancelled() {
            Outcome::NotRun(NotRun { reason: "the run was interrupted before".into() })
        } else {
            one(trial, cpus, folder, &interrupted).await
        };
        if matches!(outcome, Outcome::Failed(_)) {
            exit = Exit::CellFailed;
        }
        let record = Record {
            schema: SCHEMA_VERSION,
            run: run.to_owned(),
            workload: Workload::clone(&trial.workload),
            transport: trial.transport,
            client: trial.workload.client,
            step: None,
            trial: trial.number,
            position: trial.position,
            seed: trial.seed,
            outcome,
        };
        folder.append(&record)?;
        progress.end(&record);
    }
    progress.finish();
    Ok(if interrupted.is_cancelled() { Exit::Interrupted } else { exit })
}

/// One trial on a server of its own.
async fn one(trial: &Trial, cpus: &Cpus, folder: &RunFolder, interrupted: &CancellationToken) -> Outcome {
    let plan = ServerPlan {
        cpus: &cpus.server,
        connections: descriptors_needed(&trial.workload, trial.transport),
        topics: trial.workload.topics,
        log: folder.server_log(),
    };
    let server = match ServerProcess::start(&plan).await {
        Ok(server) => server,
        Err(error) => {
            return Outcome::Failed(Failure { kind: FailureKind::Server, reason: format!("{error:#}"), counts: None });
        }
    };
    let target = Target {
        http: server.addresses.http,
        raw_tcp: Some(server.addresses.raw_tcp),
        server_pid: Some(server.pid),
        server_cpus: cpus.server_count(),
        publish_token: None,
    };
    let outcome = pushoff_loadgen::run(trial, &target, interrupted).await;
    server.stop().await;
    outcome
}

/// A token that SIGINT or SIGTERM cancels; the second of them ends the process at once.
fn on_interrupt() -> anyhow::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let token = CancellationToken::new();
    let cancel = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        terminal::remark("interrupted: ending the trial under way and writing the report");
        cancel.cancel();
    });
    Ok(token)
}
