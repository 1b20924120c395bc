//! `pushoff run`: measures trial by trial, and reports.
//!
//! Every trial writes its record when it ends: a crash costs one trial, and Ctrl-C keeps the others.

mod agents;
mod asked;
mod endings;
mod folder;
mod over;
mod wire;

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use pushoff_loadgen::{Anchor, Asked, Fleet, Plan, Together, Trial, connections_needed};
use pushoff_model::foreign::shown;
use pushoff_model::record::{Failure, FailureKind, Faults, Outcome, Record, SCHEMA_VERSION, TrialId};
use pushoff_model::target::Target;
use pushoff_model::workload::Load;
use pushoff_model::{Client, Conditions, Environment, Transport, Workload};
use pushoff_reports::{Question, Run, race};
use tokio_util::sync::CancellationToken;

use crate::arguments::{RunGate, RunOptions};
use crate::budget::{Budget, Length};
use crate::interrupt::on_interrupt;
use crate::pinning::{Cpus, GeneratorCpus};
use crate::progress::Progress;
use crate::served::{self, Served};
use crate::server_process::ServerPlan;
use crate::throttle::HeldBack;
use crate::{Exit, environment, preflight, report, runtime, targets, terminal};
use endings::{ended, futile, interrupted_after};
use folder::RunFolder;

/// How a transport stands that is shown to meet the SLO.
const MEETS: &str = "meets";
/// Most characters of the reason of a failed trial.
const REASON: usize = 1_000;

pub(crate) fn run(options: &RunOptions, generator: GeneratorCpus) -> anyhow::Result<Exit> {
    let workloads = asked::workloads(options)?;
    asked::ensure_gate(options, &workloads)?;
    let (transports, clients) = (asked::transports(options), asked::once(&options.client));
    let descriptor_limit =
        pushoff_loadgen::raise_descriptor_limit().context("raising the limit of open files to the hard limit")?;
    let targets = targets::of_run(&options.target, &options.server_url)?;
    targets::ensure_trust_matters(&options.trust, &targets)?;
    let networks = over::networks(options, &targets)?;
    let wires = wire::wires(options, &targets);
    let (length, trust) = (Length::asked(options), options.trust.anchor());
    let asked = Asked {
        workloads: &workloads,
        transports: &transports,
        clients: &clients,
        targets: &targets,
        networks: &networks,
        wires: &wires,
        trust: &trust,
        whole: over::whole(options),
        rounds: length.rounds(),
        // Half of its bits, so that it is easily typed.
        seed: options.seed.unwrap_or_else(|| rand::random::<u32>().into()),
        descriptors: agents::descriptors(options, descriptor_limit),
    };
    asked::ensure_descriptors(&asked)?;
    over::ensure_measurable(options, &asked)?;
    wire::ensure_reachable(&asked)?;
    let has_browser = asked::has_browser(&asked)?;
    agents::ensure_divisible(options, &asked, has_browser)?;
    asked::ensure_something_is_due(&asked)?;
    let started = environment::now();
    let cpus = Cpus::take(options.no_pin, generator)?;
    let machine = environment::check(workloads.iter().map(|workload| &**workload), &cpus, descriptor_limit)?;
    let runtime = runtime::build(cpus.generator)?;
    // Whatever was started before the first trial ends when the future that waits for it is dropped.
    let interrupted = on_interrupt()?;
    let gathered = interrupted.run_until_cancelled(gathered(options, &targets));
    let Some(gathered) = runtime.block_on(gathered) else { return Ok(interrupted_after(0)) };
    let (targets, fleet) = gathered?;
    let asked = Asked { targets: &targets, ..asked };
    let measured = || {
        let looked = interrupted.run_until_cancelled(preflight::look(&asked, &cpus, has_browser));
        let Some(looked) = runtime.block_on(looked) else { return Ok(None) };
        let (servers, browser) = looked?;
        let agents = fleet.as_ref().map_or_else(Vec::new, Fleet::agents);
        let environment = environment::gather(started, &asked, &cpus, machine, servers, (browser, agents));
        // Of one process, where the load is divided among several.
        let environment = Environment { descriptor_limit, ..environment };
        let mut folder = RunFolder::create(options.out.as_deref(), &environment)?;
        let _held_back = HeldBack::begin()?;
        let measuring = measure(&asked, length, environment, &cpus, (&mut folder, fleet.as_ref()), &interrupted);
        let exit = runtime.block_on(measuring)?;
        anyhow::Ok(Some((folder, exit)))
    };
    let measured = measured();
    if let Some(fleet) = &fleet {
        runtime.block_on(fleet.release());
    }
    let Some((folder, exit)) = measured? else { return Ok(interrupted_after(0)) };
    reported(options, folder, exit)
}

/// The targets with the addresses that answered, and the agents of the run, if it has some.
async fn gathered(options: &RunOptions, targets: &[Arc<Target>]) -> anyhow::Result<(Vec<Arc<Target>>, Option<Fleet>)> {
    let targets = targets::found(targets.to_vec()).await?;
    let fleet = agents::gather(options, &targets).await?;
    Ok((targets, fleet))
}

/// Reports what was measured; of a run without a record nothing stays.
fn reported(options: &RunOptions, folder: RunFolder, exit: Exit) -> anyhow::Result<Exit> {
    if folder.kept() == 0 {
        folder.discard();
        return Ok(exit);
    }
    let recorded = report::read(&[folder.path().to_owned()])?;
    agents::say_clocks(&recorded.run.records);
    let exit = report::publish(&recorded.run, folder.path(), options.json)?.and(exit);
    Ok(if options.fail_on == Some(RunGate::Slo) { exit.and(gate(&race(&recorded.run))) } else { exit })
}

/// Whether on every question at least one transport is shown to meet the SLO; says where none is.
fn gate(questions: &[Question]) -> Exit {
    let mut exit = Exit::Done;
    for question in questions.iter().filter(|it| it.runners.iter().all(|runner| runner.standing != MEETS)) {
        let standings = question.runners.iter().filter(|it| it.transport.is_ranked());
        let standings: Vec<_> = standings.map(|it| format!("{} {}", it.transport.label(), it.standing)).collect();
        terminal::remark(&format!("{}: no transport meets the SLO ({})", question.label, standings.join(", ")));
        exit = Exit::GateFailed;
    }
    exit
}

/// Runs all trials; each writes its record into `folder`.
async fn measure(
    asked: &Asked<'_>,
    length: Length,
    environment: Environment,
    cpus: &Cpus,
    (folder, fleet): (&mut RunFolder, Option<&Fleet>),
    interrupted: &CancellationToken,
) -> anyhow::Result<Exit> {
    let mut plan = Plan::new(asked);
    let is_race = asked.workloads.iter().any(|workload| workload.search.is_none());
    let run = environment.run.clone();
    let mut so_far = Run { environments: vec![environment], records: Vec::new() };
    let mut budget = Budget::begin(length);
    let mut progress = Progress::new(asked, &plan, &budget);
    while !interrupted.is_cancelled() {
        let trials = plan.next_trials();
        if trials.is_empty() {
            break;
        }
        progress.begin(&trials, &plan, &budget);
        let log = folder.server_log().try_clone().context("sharing the server's log")?;
        let begin = async |(trial, together)| {
            (trial, one(trial, (together, asked.trust, fleet), cpus, &log, interrupted).await)
        };
        let mut running: FuturesUnordered<_> = trials.iter().zip(Together::of(trials.len())).map(begin).collect();
        while let Some((trial, outcome)) = running.next().await {
            if matches!(&outcome, Outcome::Failed(failure) if failure.kind == FailureKind::Interrupted) {
                continue;
            }
            plan.ended(trial, &outcome);
            budget.note(trial);
            let record = record(trial, &run, outcome);
            if let Err(error) = folder.append(&record) {
                progress.finish();
                terminal::error(&error.context(format!("trial {} is not recorded, and the run ends", trial.position)));
                return Ok(ended(&so_far.records).and(Exit::Unwritten));
            }
            progress.end(&record);
            so_far.records.push(record);
        }
        if budget.is_used() {
            plan.forgo_repeats();
        }
        if let Some(reason) = futile(&plan, &so_far.records, fleet).filter(|_| !interrupted.is_cancelled()) {
            progress.finish();
            terminal::remark(&reason);
            return Ok(ended(&so_far.records).and(Exit::CellFailed));
        }
        if is_race && plan.is_round_complete() {
            let questions = race(&so_far);
            if budget.is_free_after(plan.round()) {
                plan.leave_out(|cell| is_out(&questions, cell.workload, cell.transport, &cell.conditions()));
                if budget.is_used_before_another(&plan) {
                    plan.leave_out(|_| true);
                }
            }
            progress.round(&questions, &plan, &budget);
        }
    }
    progress.finish();
    if !interrupted.is_cancelled() {
        return Ok(ended(&so_far.records));
    }
    Ok(interrupted_after(folder.kept()))
}

/// Whether more rounds of a cell would not change the answer to its question. The floor's rounds are the plan's.
fn is_out(questions: &[Question], workload: &Workload, transport: Transport, conditions: &Conditions) -> bool {
    questions.iter().any(|question| question.leaves_out(workload, transport, conditions))
}

fn record(trial: &Trial, run: &str, outcome: Outcome) -> Record {
    Record {
        schema: SCHEMA_VERSION,
        id: Some(TrialId(rand::random())),
        run: run.to_owned(),
        workload: Workload::clone(&trial.asked),
        transport: trial.transport,
        client: trial.client,
        server: trial.target.name.clone(),
        conditions: trial.conditions().others,
        step: trial.step,
        trial: trial.number,
        position: trial.position,
        seed: trial.seed,
        outcome,
    }
}

/// Runs one trial, on a fresh server if the target has a command.
async fn one(
    trial: &Trial,
    (together, trust, fleet): (Together, &Anchor, Option<&Fleet>),
    cpus: &Cpus,
    log: &File,
    interrupted: &CancellationToken,
) -> Outcome {
    let failed = |kind, reason: &str| {
        Outcome::Failed(Failure { kind, reason: shown(reason, REASON), counts: None, faults: Faults::default() })
    };
    let mut served = match interrupted.run_until_cancelled(begun(trial, trust, cpus, log)).await {
        Some(Ok(served)) => served,
        Some(Err((kind, error))) => return failed(kind, &terminal::told(&error)),
        None => return failed(FailureKind::Interrupted, "the start of the server was interrupted"),
    };
    let mut outcome = match fleet {
        Some(fleet) => fleet.run(trial, &served.server, interrupted).await,
        None => pushoff_loadgen::run(trial, &served.server, together, interrupted).await,
    };
    if let Outcome::Failed(failure) = &mut outcome {
        let death = served.death().await.map_or_else(String::new, |death| format!("; {death}"));
        failure.reason = shown(&failure.reason, REASON) + &death;
    }
    served.end().await;
    outcome
}

/// Begins the network of a trial, if it has one, and its server.
async fn begun(trial: &Trial, trust: &Anchor, cpus: &Cpus, log: &File) -> Result<Served, (FailureKind, anyhow::Error)> {
    let link = match &trial.network {
        Some(network) => {
            let link = served::link(network, trial.seed, cpus).await;
            Some(link.map_err(|error| (FailureKind::Machine, error))?)
        }
        None => None,
    };
    let plan = ServerPlan {
        cpus: &cpus.server,
        connections: connections_needed(&trial.workload, trial.transport, trial.client),
        topics: trial.workload.topics,
        heartbeat: heartbeat(&trial.workload),
        has_pages: trial.client == Client::Browser,
        log: Some(log),
        link: link.as_ref(),
        wire: trial.wire,
        trust,
    };
    let served = Served::begin(&trial.target, &plan, cpus.server_count()).await;
    served.map_err(|error| (FailureKind::Server, error))
}

/// The heartbeat interval of the server's streams, if the workload sets one.
fn heartbeat(workload: &Workload) -> Option<Duration> {
    match workload.load {
        Load::Silence { heartbeat } => Some(heartbeat),
        Load::Rate { .. } | Load::Trace { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::workload::built_in;
    use pushoff_reports::Runner;

    use super::*;

    fn ticker() -> Workload {
        built_in("ticker").unwrap().unwrap()
    }

    /// A question on the ticker, and how each transport stands in it.
    fn question(runners: &[(Transport, &'static str, Option<&'static str>)]) -> Question {
        let runner = |&(transport, standing, out)| Runner {
            transport,
            out,
            standing,
            p50: String::new(),
            p99: String::new(),
            cost: String::new(),
        };
        Question {
            workload: ticker(),
            conditions: Conditions::new(Client::Lean, "pushoff"),
            label: "ticker".into(),
            outcome: "undecided",
            is_settled: false,
            choice: None,
            runners: runners.iter().map(runner).collect(),
            over: Vec::new(),
        }
    }

    #[test]
    fn a_gate_holds_where_one_transport_meets_the_slo_of_each_question() {
        let meets = question(&[(Transport::ShortPolling, "fails", None), (Transport::Sse, "meets", None)]);
        let fails = question(&[(Transport::ShortPolling, "fails", None), (Transport::RawTcp, "floor", None)]);
        let void = question(&[(Transport::Sse, "void", None)]);
        assert_eq!(gate(&[meets.clone(), meets.clone()]), Exit::Done);
        assert_eq!(gate(&[meets.clone(), fails]), Exit::GateFailed);
        assert_eq!(gate(&[meets, void]), Exit::GateFailed, "what is not shown is not met");
    }

    #[test]
    fn a_transport_is_left_out_of_its_own_question_alone() {
        let runners = [(Transport::ShortPolling, "fails", Some("fails the SLO")), (Transport::Sse, "meets", None)];
        let mut questions = [question(&runners)];
        let (ticker, ours) = (ticker(), Conditions::new(Client::Lean, "pushoff"));
        assert!(is_out(&questions, &ticker, Transport::ShortPolling, &ours));
        assert!(!is_out(&questions, &ticker, Transport::Sse, &ours));
        let theirs = Conditions::new(Client::Lean, "theirs");
        assert!(!is_out(&questions, &ticker, Transport::ShortPolling, &theirs));
        questions[0].is_settled = true;
        assert!(is_out(&questions, &ticker, Transport::Sse, &ours), "an answered question is measured no more");
        let over = ours.over("slow");
        assert!(
            !is_out(&questions, &ticker, Transport::Sse, &over),
            "nothing is known over a network that was not seen"
        );
        questions[0].over = vec![(over.clone(), vec![Transport::Sse])];
        assert!(!is_out(&questions, &ticker, Transport::Sse, &over), "open over a network, it goes on there");
        assert!(is_out(&questions, &ticker, Transport::WebSocket, &over));
    }
}
