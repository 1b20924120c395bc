//! `pushoff run`: measures trial by trial, and reports.
//!
//! Every trial writes its record when it ends: a crash costs one trial, and Ctrl-C keeps the others.

mod asked;
mod folder;

use std::time::Duration;

use anyhow::Context;
use pushoff_loadgen::{Asked, Plan, Trial, connections_needed};
use pushoff_model::foreign::shown;
use pushoff_model::record::{Failure, FailureKind, Faults, Outcome, Record, SCHEMA_VERSION, TrialId};
use pushoff_model::workload::Load;
use pushoff_model::{Client, Workload};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::arguments::RunOptions;
use crate::environment::{self, RunFacts};
use crate::pinning::{Cpus, GeneratorCpus};
use crate::progress::{Progress, count};
use crate::served::Served;
use crate::server_process::ServerPlan;
use crate::throttle::HeldBack;
use crate::{Exit, report, runtime, survey, targets, terminal};
use folder::RunFolder;

/// Most characters of the reason of a failed trial.
const REASON: usize = 1_000;

pub(crate) fn run(options: &RunOptions, generator: GeneratorCpus) -> anyhow::Result<Exit> {
    let workloads = asked::workloads(options)?;
    let (transports, clients) = (asked::transports(options), asked::clients(options));
    let descriptor_limit =
        pushoff_loadgen::raise_descriptor_limit().context("raising the limit of open files to the hard limit")?;
    let targets = targets::asked(&options.target)?;
    let asked = Asked {
        workloads: &workloads,
        transports: &transports,
        clients: &clients,
        targets: &targets,
        rounds: Some(options.trials),
        seed: options.seed,
        descriptors: descriptor_limit,
    };
    asked::ensure_descriptors(&asked)?;
    asked::ensure_something_is_due(&asked)?;
    let has_browser = asked::has_browser(&asked)?;
    let started = environment::now();
    let cpus = Cpus::take(options.no_pin, generator)?;
    let machine = environment::check(workloads.iter().map(|workload| &**workload), &cpus, descriptor_limit)?;
    let runtime = runtime::build(cpus.generator)?;
    let targets = runtime.block_on(targets::found(targets.clone()))?;
    let asked = Asked { targets: &targets, ..asked };
    let servers = runtime.block_on(survey::survey(&asked, &cpus))?;
    let browser = if has_browser { Some(runtime.block_on(survey::browser(&cpus))?) } else { None };
    let environment = environment::gather(
        started,
        RunFacts {
            seed: options.seed,
            cpus: u32::try_from(cpus.allowed).unwrap_or(u32::MAX),
            pinning: cpus.pinning.clone(),
            descriptor_limit,
            servers,
            knobs: pushoff_loadgen::settings(),
            machine,
            browser,
        },
    );
    let mut folder = RunFolder::create(options.out.as_deref(), &environment)?;
    let plan = Plan::new(&asked);
    let held_back = HeldBack::begin()?;
    let exit = runtime.block_on(measure(plan, &environment.run, &cpus, &mut folder))?;
    drop(held_back);
    if folder.kept() == 0 {
        folder.discard();
        return Ok(exit);
    }
    let recorded = report::read(&[folder.path().to_owned()])?;
    Ok(report::publish(&recorded.run, folder.path(), options.json)?.and(exit))
}

/// Runs all trials; each writes its record into `folder`.
async fn measure(mut plan: Plan, run: &str, cpus: &Cpus, folder: &mut RunFolder) -> anyhow::Result<Exit> {
    let interrupted = on_interrupt()?;
    let progress = Progress::new(&plan);
    let mut exit = Exit::Done;
    while let Some(trial) = plan.next_trial().filter(|_| !interrupted.is_cancelled()) {
        progress.begin(&trial);
        let outcome = one(&trial, cpus, folder, &interrupted).await;
        if let Outcome::Failed(failure) = &outcome {
            if failure.kind == FailureKind::Interrupted {
                break;
            }
            exit = Exit::CellFailed;
        }
        plan.ended(&trial, &outcome);
        let record = Record {
            schema: SCHEMA_VERSION,
            id: Some(TrialId(rand::random())),
            run: run.to_owned(),
            workload: Workload::clone(&trial.asked),
            transport: trial.transport,
            client: trial.client,
            server: trial.target.name.clone(),
            conditions: std::collections::BTreeMap::new(),
            step: trial.step,
            trial: trial.number,
            position: trial.position,
            seed: trial.seed,
            outcome,
        };
        if let Err(error) = folder.append(&record) {
            progress.finish();
            terminal::error(&error.context(format!("trial {} is not recorded, and the run ends", trial.position)));
            return Ok(exit.and(Exit::Unwritten));
        }
        progress.end(&record, &plan);
    }
    progress.finish();
    if !interrupted.is_cancelled() {
        return Ok(exit);
    }
    terminal::remark(&match folder.kept() {
        0 => "interrupted before a trial had ended: nothing was measured, and nothing is kept".to_owned(),
        kept => format!("interrupted after {}: the report is of these alone", count(kept, "trial")),
    });
    Ok(Exit::Interrupted)
}

/// Runs one trial, on a fresh server if the target has a command.
async fn one(trial: &Trial, cpus: &Cpus, folder: &RunFolder, interrupted: &CancellationToken) -> Outcome {
    let plan = ServerPlan {
        cpus: &cpus.server,
        connections: connections_needed(&trial.workload, trial.transport, trial.client),
        topics: trial.workload.topics,
        heartbeat: heartbeat(&trial.workload),
        has_pages: trial.client == Client::Browser,
        log: Some(folder.server_log()),
    };
    let mut served = match Served::begin(&trial.target, &plan, cpus.server_count()).await {
        Ok(served) => served,
        Err(error) => {
            let (kind, reason) = (FailureKind::Server, shown(&terminal::told(&error), REASON));
            return Outcome::Failed(Failure { kind, reason, counts: None, faults: Faults::default() });
        }
    };
    let mut outcome = pushoff_loadgen::run(trial, &served.server, interrupted).await;
    if let Outcome::Failed(failure) = &mut outcome {
        let death = served.death().await.map_or_else(String::new, |death| format!("; {death}"));
        failure.reason = shown(&failure.reason, REASON) + &death;
    }
    served.end().await;
    outcome
}

/// The heartbeat interval of the server's streams, if the workload sets one.
fn heartbeat(workload: &Workload) -> Option<Duration> {
    match workload.load {
        Load::Silence { heartbeat } => Some(heartbeat),
        Load::Rate { .. } | Load::Trace { .. } => None,
    }
}

/// A token that SIGINT or SIGTERM cancels.
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
        cancel.cancel();
    });
    Ok(token)
}
