//! One trial, from an idle server to an outcome.

use std::sync::Arc;
use std::time::Duration;

use pushoff_model::record::{
    BrowserUse, Connecting, FailureKind, Held, Measurement, Memory, Outcome, Traffic, WindowCounts, Wire,
};
use pushoff_model::workload::{Direction, Phases};
use pushoff_model::{Client, RunClock, RunInstant, Transport};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::setup::{self, CONNECTING_AT_ONCE, Cast, Stage};
use crate::agents::Finished;
use crate::agents::page::Browser;
use crate::books::{Account, Arrivals, Publication, Spread, Subscriber, Totals, Window, settle};
use crate::failure::{Failed, caused, failed};
use crate::load::{Load, Pacer, Poster, Schedule, Timetable};
use crate::plan::Trial;
use crate::server::Server;
use crate::watch::{Observer, Reading, Taps, Use, ended, validity};

/// How long connecting may take, whoever connects …
const CONNECT_BASE: Duration = Duration::from_secs(10);
/// … and how much longer for each subscriber. Chosen here: ten times what it takes.
const CONNECT_EACH: Duration = Duration::from_millis(5);
/// The same in a page, where those who are there already go on polling meanwhile.
const CONNECT_EACH_IN_A_PAGE: Duration = Duration::from_millis(250);
/// From when all are connected to when the load begins: time for everybody to hear of it.
const LEAD: Duration = Duration::from_millis(20);

/// Runs one trial on one fresh server. Whatever goes wrong is in the outcome.
pub async fn run(trial: &Trial, target: &Server, cancel: &CancellationToken) -> Outcome {
    let clock = RunClock::start();
    match Browser::of(trial, target, clock).await {
        Err(failure) => Outcome::Failed(*failure),
        Ok(None) => outcome(trial, target, None, clock, cancel).await,
        Ok(Some(browser)) => {
            let outcome = outcome(trial, target, Some(&browser), clock, cancel).await;
            browser.close().await;
            outcome
        }
    }
}

async fn outcome(
    trial: &Trial,
    target: &Server,
    browser: Option<&Browser>,
    clock: RunClock,
    cancel: &CancellationToken,
) -> Outcome {
    let interrupted = "the trial was interrupted";
    let gone = "the server's process ended in the middle of the trial";
    tokio::select! {
        biased;
        () = cancel.cancelled() => Outcome::Failed(*failed(FailureKind::Interrupted, interrupted)),
        () = ended(target.pids.first().copied()) => Outcome::Failed(*failed(FailureKind::Server, gone)),
        measured = Box::pin(measure(trial, target, browser, clock)) => match measured {
            Ok(measurement) => Outcome::Measured(Box::new(measurement)),
            Err(failure) => Outcome::Failed(*failure),
        },
    }
}

async fn measure(
    trial: &Trial,
    target: &Server,
    browser: Option<&Browser>,
    clock: RunClock,
) -> Result<Measurement, Failed> {
    let trial = &fitted(trial);
    if let Some(reason) = nothing_due(trial) {
        return Err(failed(FailureKind::Generator, reason));
    }
    let observer = Observer { clock, target, browser: browser.map(Browser::pid) };
    let stage = staged(trial, target, clock).await?;
    let empty = observer.held().await;
    let before = observer.reading().await;
    let cast = setup::send_off(stage, trial, target, browser, clock);
    let recorder = cast.recorder.clone();
    let measured = with_everybody(cast, trial, &observer, browser, (empty, &before)).await;
    measured.map_err(|mut failure| {
        failure.faults.merge(&recorder.breaks());
        failure
    })
}

/// The trial from when the subscribers connect.
async fn with_everybody(
    cast: Cast,
    trial: &Trial,
    observer: &Observer<'_>,
    browser: Option<&Browser>,
    (empty, before): (Held, &Reading),
) -> Result<Measurement, Failed> {
    let Cast {
        mut subscribers,
        standings,
        publishers,
        publications,
        posters,
        schedule,
        recorder,
        arrivals,
        taps,
        start,
        stop,
    } = cast;
    let (clock, target, workload) = (observer.clock, observer.target, &trial.workload);
    let mut finished = Vec::new();
    tokio::select! {
        failure = broken(&mut subscribers, &mut finished) => return Err(failure),
        connected = all_connected(target, &posters, &arrivals, clock, patience(trial)) => connected?,
    }
    let connecting = observer.used_since(before).await;
    let idle = observer.held().await;
    let pages = match browser {
        Some(browser) => Some((browser, browser.used().await?)),
        None => None,
    };
    let set_up = taps.traffic().filter(|_| browser.is_none());
    let pacer = Pacer::new(&schedule).map_err(|error| caused(FailureKind::Generator, "making a timer", &error))?;
    let table = Timetable::new(&workload.phases, clock.now() + LEAD);
    recorder.begin(table.window);
    let before =
        |publisher| schedule.of(publisher).take_while(|&due| table.start + due < table.window.start()).count() as u64;
    recorder.watch(Spread::of(workload, before));
    start.send_replace(Some(table.start));
    let load = Load { workload, clock, table, recorder: &recorder, publications: &publications, standings: &standings };
    let (loaded, measured) = tokio::select! {
        failure = broken(&mut subscribers, &mut finished) => return Err(failure),
        done = async { tokio::join!(load.run(pacer, publishers, posters), observer.measure(table.window.start(), table.window.end())) } => done,
    };
    loaded?;
    let (used, delivering) = measured?;
    let wire = wire(&taps, set_up);
    stop.cancel();
    while let Some(joined) = subscribers.join_next().await {
        finished.extend(joined.map_err(|error| crashed(&error))?.into_iter().map(|one| *one.subscriber));
    }
    let browser = match pages {
        Some((browser, idle)) => Some(browser.showed(&idle, clock).await?),
        None => None,
    };
    publications.iter().for_each(Publication::close);
    let fates: Vec<_> = publications.iter().map(Publication::fates).collect();
    let due = |publisher| schedule.of(publisher).map(move |due| table.start + due);
    let account = settle(&finished, &fates, due, table.window)?;
    load.check(&account)?;
    let observed = Observed { connecting, memory: Memory { empty, idle, delivering }, used, wire, browser };
    Ok(measurement(trial, table.window, account, recorder.take(), &observed))
}

/// The trial as it can be run: where the server knows of no complete topics, none is completed.
///
/// Where it polls on a timer, it has a warm-up of at least one interval. Before that, a poll finds
/// less than an interval's messages: fewer deliveries for the same work, each seeming dearer. Where
/// there are none, the beat is the same from its start.
fn fitted(trial: &Trial) -> Trial {
    let mut trial = trial.clone();
    if trial.workload.completes && trial.target.dialect.complete.is_none() {
        Arc::make_mut(&mut trial.workload).completes = false;
    }
    if trial.transport == Transport::ShortPolling && !trial.workload.is_silent() {
        let workload = Arc::make_mut(&mut trial.workload);
        workload.phases.warm_up = workload.phases.warm_up.max(workload.polling.interval);
    }
    trial
}

/// Why a trial would measure nothing: no message is due in its measure phase. `None` where one is, or where
/// silence is what is measured.
#[must_use]
pub fn nothing_due(trial: &Trial) -> Option<String> {
    let trial = fitted(trial);
    let workload = &trial.workload;
    let window = Timetable::new(&workload.phases, RunInstant::default()).window;
    let schedule = Schedule::new(workload, trial.seed);
    let is_due = |publisher| schedule.of(publisher).any(|due| window.contains(RunInstant::default() + due));
    if workload.is_silent() || (0..workload.publishers()).any(is_due) {
        return None;
    }
    let Phases { warm_up, measure, .. } = workload.phases;
    Some(format!(
        "no message of {} is due within the {measure:?} that are measured after {warm_up:?} of warm-up: measure for \
         longer (--duration), or publish more often",
        workload.name
    ))
}

fn patience(trial: &Trial) -> Duration {
    let each = match trial.client {
        Client::Library | Client::Lean => CONNECT_EACH,
        Client::Browser => CONNECT_EACH_IN_A_PAGE,
    };
    CONNECT_BASE + each * trial.workload.subscribers
}

async fn staged(trial: &Trial, target: &Server, clock: RunClock) -> Result<Stage, Failed> {
    let patience = patience(trial);
    timeout(patience, Box::pin(setup::stage(trial, target, clock))).await.unwrap_or_else(|_elapsed| {
        Err(failed(FailureKind::Server, format!("the server did not open every topic within {patience:?}")))
    })
}

async fn all_connected(
    server: &Server,
    posters: &[Poster],
    arrivals: &Arrivals,
    clock: RunClock,
    patience: Duration,
) -> Result<(), Failed> {
    timeout(patience, setup::gathered(server, posters, arrivals, clock)).await.unwrap_or_else(|_elapsed| {
        let reason = format!("{} subscribers had no first message within {patience:?}", arrivals.greeted.missing());
        Err(failed(FailureKind::Connect, reason))
    })
}

/// Collects subscribers that are at the end of their topic; returns when one gave up, and why.
async fn broken(subscribers: &mut JoinSet<Vec<Finished>>, finished: &mut Vec<Subscriber>) -> Failed {
    while let Some(joined) = subscribers.join_next().await {
        let all = match joined {
            Ok(all) => all,
            Err(error) => return crashed(&error),
        };
        for Finished { subscriber, result } in all {
            if let Err(failure) = result {
                return failure;
            }
            finished.push(*subscriber);
        }
    }
    std::future::pending().await
}

fn crashed(error: &JoinError) -> Failed {
    caused(FailureKind::Generator, "a task of the generator", error)
}

fn measurement(trial: &Trial, window: Window, account: Account, totals: Totals, observed: &Observed) -> Measurement {
    let Observed { connecting, memory, used, wire, browser } = observed;
    // A page's client says nothing of the moments at which it polls.
    let polls = trial.transport.is_polling() && browser.is_none();
    let mut concerns = validity::concerns(used, &totals.own_lag, trial.workload.slo.as_ref());
    concerns.extend(browser.as_ref().and_then(|browser| validity::uncertain(&browser.clock)));
    let mut faults = account.faults;
    faults.merge(&totals.breaks);
    Measurement {
        faults,
        measured_ns: pushoff_model::time::nanos(window.length()),
        counts: account.counts,
        window: WindowCounts { delivered: totals.delivered, received: totals.received, ..account.window },
        concerns,
        connecting: connecting_of(trial.workload.subscribers, &totals, connecting),
        wire: *wire,
        memory: *memory,
        delivery_latency: totals.delivery_latency,
        latency_from_send: totals.latency_from_send,
        send_lag: totals.send_lag,
        poll_wait: polls.then_some(totals.poll_wait),
        poll_queueing: polls.then_some(totals.poll_queueing),
        transfer: polls.then_some(totals.transfer),
        round_trip: (trial.workload.direction == Direction::Both).then_some(totals.round_trip),
        connect: totals.connect,
        first_message: totals.first_message,
        spread: totals.spread.map(Spread::into_histogram),
        series: totals.series,
        server: used.server,
        generator: used.generator,
        machine: used.machine,
        browser: *browser,
    }
}

/// What a trial cost, beside what its messages say.
#[derive(Clone, Copy, Debug)]
struct Observed {
    /// What was used while everybody connected.
    connecting: Use,
    memory: Memory,
    /// What was used during the measure phase.
    used: Use,
    wire: Option<Wire>,
    browser: Option<BrowserUse>,
}

/// What crossed the connections, parted where everybody was connected.
fn wire(taps: &Taps, setup: Option<Traffic>) -> Option<Wire> {
    let (setup, all) = (setup?, taps.traffic()?);
    Some(Wire { setup, load: all.since(&setup), unread: taps.unread() })
}

/// Everybody connecting, as the record has it.
fn connecting_of(subscribers: u32, totals: &Totals, used: &Use) -> Connecting {
    let began = totals.first_connecting.unwrap_or_default();
    Connecting {
        connections: subscribers.into(),
        at_once: subscribers.min(u32::try_from(CONNECTING_AT_ONCE).unwrap_or(u32::MAX)),
        took_ns: pushoff_model::time::nanos(totals.last_greeted.since(began)),
        server: used.server,
        generator: used.generator,
    }
}
