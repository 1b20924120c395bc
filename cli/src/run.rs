//! `pushoff run`: measures a plan, trial by trial, and reports.
//!
//! Every trial leaves a record at once, whatever becomes of the run: a crash of one costs one, and
//! Ctrl-C keeps all that was measured.

mod folder;

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use pushoff_loadgen::{Asked, Plan, Target, Trial, connections_needed, descriptors_needed};
use pushoff_model::record::{Failure, FailureKind, NotRun, Outcome, Record, SCHEMA_VERSION};
use pushoff_model::workload::{Load, Search};
use pushoff_model::{Client, Transport, Workload, workload};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::arguments::RunOptions;
use crate::environment::{self, RunFacts};
use crate::pinning::{Cpus, GeneratorCpus};
use crate::progress::Progress;
use crate::server_process::{ServerPlan, ServerProcess};
use crate::throttle::HeldBack;
use crate::{Exit, report, runtime, terminal};
use folder::RunFolder;

pub(crate) fn run(options: &RunOptions, generator: GeneratorCpus, json: bool) -> anyhow::Result<Exit> {
    let workloads = workloads(options)?;
    let (transports, clients) = (transports(options), clients(options));
    let descriptor_limit =
        pushoff_loadgen::raise_descriptor_limit().context("raising the limit of open files to the hard limit")?;
    let asked = Asked {
        workloads: &workloads,
        transports: &transports,
        clients: &clients,
        trials: options.trials,
        seed: options.seed,
        descriptors: descriptor_limit,
    };
    ensure_descriptors(&asked)?;
    let started = environment::now();
    let cpus = Cpus::take(options.no_pin, generator)?;
    let machine = environment::check(workloads.iter().map(|workload| &**workload), &cpus, descriptor_limit)?;
    let environment = environment::gather(
        started,
        RunFacts {
            seed: options.seed,
            cpus: u32::try_from(cpus.allowed).unwrap_or(u32::MAX),
            pinning: cpus.pinning.clone(),
            descriptor_limit,
            knobs: pushoff_loadgen::knobs(),
            machine,
        },
    );
    let mut folder = RunFolder::create(options.out.as_deref(), &environment)?;
    let plan = Plan::new(&asked);
    let held_back = HeldBack::begin()?;
    let exit = runtime::build(cpus.generator)?.block_on(measure(plan, &environment.run, &cpus, &mut folder))?;
    drop(held_back);
    report::publish(&report::read(&[folder.path().to_owned()])?, folder.path(), json)?;
    Ok(exit)
}

/// The workloads that are asked for, each at every size.
fn workloads(options: &RunOptions) -> anyhow::Result<Vec<Arc<Workload>>> {
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
fn transports(options: &RunOptions) -> Vec<Transport> {
    let mut transports = if options.transport.is_empty() { Transport::ALL.to_vec() } else { options.transport.clone() };
    transports.sort_unstable();
    transports.dedup();
    transports
}

/// The clients that are asked for, each once; none leaves it to each workload.
fn clients(options: &RunOptions) -> Vec<Client> {
    let mut clients = options.client.clone();
    clients.sort_unstable();
    clients.dedup();
    clients
}

/// Refuses what a process has not descriptors enough for. A search must be able to begin.
fn ensure_descriptors(asked: &Asked<'_>) -> anyhow::Result<()> {
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

/// Runs all trials; each leaves its record in `folder`.
async fn measure(mut plan: Plan, run: &str, cpus: &Cpus, folder: &mut RunFolder) -> anyhow::Result<Exit> {
    let interrupted = on_interrupt()?;
    let progress = Progress::new(&plan);
    let mut exit = Exit::Done;
    while let Some(trial) = plan.next_trial() {
        progress.begin(&trial);
        let outcome = if interrupted.is_cancelled() {
            Outcome::NotRun(NotRun { reason: "the run was interrupted before".into() })
        } else {
            one(&trial, cpus, folder, &interrupted).await
        };
        if matches!(outcome, Outcome::Failed(_)) {
            exit = Exit::CellFailed;
        }
        plan.ended(&trial, &outcome);
        let record = Record {
            schema: SCHEMA_VERSION,
            run: run.to_owned(),
            workload: Workload::clone(&trial.asked),
            transport: trial.transport,
            client: trial.client,
            step: trial.step,
            trial: trial.number,
            position: trial.position,
            seed: trial.seed,
            outcome,
        };
        folder.append(&record)?;
        progress.end(&record, &plan);
    }
    progress.finish();
    Ok(if interrupted.is_cancelled() { Exit::Interrupted } else { exit })
}

/// One trial on a server of its own.
async fn one(trial: &Trial, cpus: &Cpus, folder: &RunFolder, interrupted: &CancellationToken) -> Outcome {
    let plan = ServerPlan {
        cpus: &cpus.server,
        connections: connections_needed(&trial.workload, trial.transport),
        topics: trial.workload.topics,
        heartbeat: heartbeat(&trial.workload),
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

/// How often the server's streams say that they live, where the workload has a wish.
fn heartbeat(workload: &Workload) -> Option<Duration> {
    match workload.load {
        Load::Silence { heartbeat } => Some(heartbeat),
        Load::Rate { .. } | Load::Trace { .. } => None,
    }
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
