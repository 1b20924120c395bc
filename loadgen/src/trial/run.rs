//! Runs a trial from state to state.

use std::sync::Arc;

use pushoff_model::record::{FailureKind, Measurement, Outcome};
use pushoff_model::workload::Phases;
use pushoff_model::{RunClock, RunInstant, Transport};
use tokio_util::sync::CancellationToken;

use super::drained::Drained;
use super::opened::Opened;
use super::setting::Setting;
use super::together::Together;
use crate::failure::{Failed, failed};
use crate::load::{Schedule, Timetable};
use crate::peers::Peers;
use crate::plan::Trial;
use crate::server::Server;
use crate::subscribers::page::Browser;
use crate::watch::{ended, handshakes};

/// Runs one trial on one fresh server, at the same time as the trials of `together`. Every failure is in the outcome.
pub async fn run(trial: &Trial, target: &Server, together: Together, cancel: &CancellationToken) -> Outcome {
    let clock = RunClock::start();
    let interrupted = || Outcome::Failed(*failed(FailureKind::Interrupted, "the trial was interrupted"));
    let browser = match cancel.run_until_cancelled(Browser::of(trial, target, clock)).await {
        Some(Ok(browser)) => browser,
        Some(Err(failure)) => return Outcome::Failed(*failure),
        None => return interrupted(),
    };
    let trial = fitted(trial);
    let peers = Peers::none();
    let setting = Setting { trial: &trial, server: target, browser: browser.as_ref(), clock, peers: &peers };
    let gone = "the server's process ended in the middle of the trial";
    let outcome = tokio::select! {
        biased;
        () = cancel.cancelled() => interrupted(),
        () = ended(target.only_process()) => Outcome::Failed(*failed(FailureKind::Server, gone)),
        measured = Box::pin(measure(setting, together)) => match measured {
            Ok(measurement) => Outcome::Measured(Box::new(measurement)),
            Err(failure) => Outcome::Failed(*failure),
        },
    };
    if let Some(browser) = browser {
        browser.close().await;
    }
    outcome
}

/// Runs one agent's part of a trial, whose coordinator started the clock.
pub(crate) async fn run_part(
    trial: &Trial,
    server: &Server,
    clock: RunClock,
    peers: &Peers,
) -> Result<Drained, Failed> {
    let setting = Setting { trial, server, browser: None, clock, peers };
    Box::pin(drained(setting, Together::alone())).await
}

async fn measure(setting: Setting<'_>, together: Together) -> Result<Measurement, Failed> {
    if let Some(reason) = nothing_due(setting.trial) {
        return Err(failed(FailureKind::Generator, reason));
    }
    let drained = drained(setting, together).await?;
    let handshakes = handshakes(setting.observer()).await;
    Ok(Measurement { handshakes, ..drained.measurement(setting.trial) })
}

async fn drained(setting: Setting<'_>, together: Together) -> Result<Drained, Failed> {
    let server = Server { windows: setting.trial.workload.windows, ..setting.server.clone() };
    let setting = Setting { server: &server, ..setting };
    let opened = Opened::open(setting).await?;
    let recorder = opened.recorder.clone();
    let drained = async {
        let connected = opened.connect().await?;
        let measuring = together.connected().await;
        connected.load(measuring).await?.drain().await
    };
    Box::pin(drained).await.map_err(|mut failure| {
        failure.faults.merge(&recorder.breaks());
        failure
    })
}

/// Adapts a trial to its server and transport.
///
/// If the server cannot complete topics, none is completed. Short polling warms up and is measured for whole polling
/// intervals, so that every measured poll finds an interval's messages and every message waits for a measured poll.
/// A silent workload has no messages to wait for.
pub(crate) fn fitted(trial: &Trial) -> Trial {
    let mut trial = trial.clone();
    if trial.workload.completes && trial.target.dialect.complete.is_none() {
        Arc::make_mut(&mut trial.workload).completes = false;
    }
    if trial.transport == Transport::ShortPolling && !trial.workload.is_silent() {
        let workload = Arc::make_mut(&mut trial.workload);
        let interval = workload.polling.interval;
        let Phases { warm_up, measure, .. } = &mut workload.phases;
        for phase in [warm_up, measure] {
            let intervals = phase.as_nanos().div_ceil(interval.as_nanos().max(1));
            *phase = interval.saturating_mul(u32::try_from(intervals).unwrap_or(u32::MAX));
        }
    }
    trial
}

/// Why a trial would measure nothing: no message is due in its measure phase. `None` if one is, or if the workload is
/// silent.
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pushoff_model::target::{self, OURS};
    use pushoff_model::workload::built_in;

    use super::*;

    #[test]
    fn short_polling_runs_whole_intervals_and_the_others_what_was_asked() {
        let target = Arc::new(target::built_in(OURS).unwrap().unwrap());
        let phases = |name: &str, transport| {
            let workload = Arc::new(built_in(name).unwrap().unwrap());
            let Phases { warm_up, measure, .. } =
                fitted(&Trial::new(workload, transport, target.clone(), 1)).workload.phases;
            [warm_up, measure]
        };
        let ms = Duration::from_millis;
        assert_eq!(phases("ticker", Transport::ShortPolling), [ms(2_025); 2]);
        assert_eq!(phases("progress", Transport::ShortPolling), [ms(2_000), ms(1_000)]);
        assert_eq!(phases("ticker", Transport::LongPolling), [ms(2_000); 2]);
        assert_eq!(phases("idle", Transport::ShortPolling), [ms(0), ms(5_000)]);
    }
}
