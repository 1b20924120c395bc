//! Limits the generator to a part of one processor, to test how a weak generator is detected.
//!
//! The first process (the keeper) starts this program again as the generator, which it stops and continues many times a
//! second. The keeper is the parent, because a shell takes the terminal back from a stopped child, and because the
//! kernel kills a generator without a keeper: nothing can leave the generator stopped. The server is never stopped.

use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, bail};
use pushoff_model::RunClock;
use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, getppid, kill_process, pidfd_open, pidfd_send_signal,
    set_parent_process_death_signal,
};
use tokio::process::{Child, Command};
use tokio::signal::unix::{self, SignalKind};

use crate::pinning::GeneratorCpus;
use crate::{Exit, runtime};

/// Time from one SIGCONT to the next. Chosen here: short against an SLO, long against a context switch.
const PERIOD: Duration = Duration::from_millis(10);
/// The environment variable with the keeper's process id.
const KEEPER: &str = "PUSHOFF_HELD_BACK_BY";
/// The generator sends this to its keeper to be limited from now on.
const BEGIN: Signal = Signal::USR1;
/// The generator sends this to its keeper to be limited no longer.
const CEASE: Signal = Signal::USR2;

/// The generator's side: the generator is limited until this is dropped.
#[derive(Debug)]
pub(crate) struct HeldBack(Option<Pid>);

impl HeldBack {
    /// Asks the keeper, if there is one, to begin.
    ///
    /// # Errors
    /// When the keeper is gone.
    pub(crate) fn begin() -> anyhow::Result<Self> {
        let keeper = keeper();
        if let Some(keeper) = keeper {
            kill_process(keeper, BEGIN).context("asking the keeper to begin")?;
        }
        Ok(Self(keeper))
    }
}

impl Drop for HeldBack {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.map(|keeper| kill_process(keeper, CEASE)) {
            tracing::debug!(%error, "the keeper is gone");
        }
    }
}

/// Runs `run` in this process, or in a limited one if the generator gets a part of a processor.
///
/// # Errors
/// As `run`; and when the generator cannot be started or was ended by a signal.
pub(crate) fn around(cpus: GeneratorCpus, run: impl FnOnce() -> anyhow::Result<Exit>) -> anyhow::Result<Exit> {
    match cpus {
        GeneratorCpus::Half | GeneratorCpus::Whole(_) => run(),
        GeneratorCpus::Part(part) if std::env::var_os(KEEPER).is_none() => hold_back(part),
        GeneratorCpus::Part(_) => {
            end_with_keeper()?;
            run()
        }
    }
}

/// The keeper of this process, if this is a limited generator.
fn keeper() -> Option<Pid> {
    let named = std::env::var(KEEPER).ok()?.parse().ok().and_then(Pid::from_raw)?;
    (getppid() == Some(named)).then_some(named)
}

/// Has the kernel kill this process when its keeper ends, even while this process is stopped.
fn end_with_keeper() -> anyhow::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL)).context("tying the generator to its keeper")?;
    // The keeper may have ended before.
    anyhow::ensure!(keeper().is_some(), "the process that limits the generator is gone: start the run again");
    Ok(())
}

/// Starts this program again as the generator, with the same arguments, and limits it to `part` of a processor when it
/// asks for that. Returns the generator's exit code.
fn hold_back(part: f64) -> anyhow::Result<Exit> {
    let status = runtime::build(1)?.block_on(keep(part))?;
    let ended = status.code().and_then(|code| Exit::ALL.into_iter().find(|&exit| exit as i32 == code));
    match (ended, status.signal()) {
        (Some(exit), _) => Ok(exit),
        (None, Some(signal)) => bail!("the generator was ended by signal {signal}: its folder keeps what it measured"),
        (None, None) => bail!("the generator ended with {status}: its folder keeps what it measured"),
    }
}

async fn keep(part: f64) -> anyhow::Result<ExitStatus> {
    let listen = |kind| unix::signal(kind).context("listening for signals");
    // Before the child starts, because the child sends some of these signals.
    let (mut begin, mut cease) = (listen(SignalKind::user_defined1())?, listen(SignalKind::user_defined2())?);
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let mut hangup = listen(SignalKind::hangup())?;
    let mut generator = start()?;
    let pid = generator.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    let generator_fd = pidfd_open(pid.context("the generator ended at once")?, PidfdFlags::empty())
        .context("taking hold of the generator")?;
    let pass_on = |signal| {
        if let Err(error) = pidfd_send_signal(&generator_fd, signal) {
            tracing::debug!(%error, "the generator has ended");
        }
    };
    let (mut stopping, mut beat) = (None, None);
    let status = loop {
        tokio::select! {
            status = generator.wait() => break status,
            _ = begin.recv(), if beat.is_none() => {
                let (stop, stopped) = channel();
                let process = generator_fd.as_fd().try_clone_to_owned().context("taking hold of the generator")?;
                stopping = Some(stop);
                beat = Some(std::thread::spawn(move || stop_and_continue(&process, part, &stopped)));
            }
            _ = cease.recv() => stopping = None,
            _ = interrupt.recv() => pass_on(Signal::INT),
            _ = terminate.recv() => pass_on(Signal::TERM),
            _ = hangup.recv() => pass_on(Signal::HUP),
        }
    };
    drop(stopping);
    drop(beat.map(std::thread::JoinHandle::join));
    status.context("waiting for the generator")
}

/// Starts the generator in a process group of its own, so that a signal reaches it once, through its keeper.
fn start() -> anyhow::Result<Child> {
    let mut command = Command::new(std::env::current_exe().context("finding this program")?);
    command.args(std::env::args_os().skip(1)).process_group(0).kill_on_drop(true);
    command.env(KEEPER, getpid().as_raw_nonzero().to_string());
    command.spawn().context("starting the generator")
}

/// Lets a process run for `part` of the time until `end` is dropped; then lets it run freely.
fn stop_and_continue(process: impl AsFd, part: f64, end: &Receiver<()>) {
    let clock = RunClock::start();
    let send = |signal| pidfd_send_signal(process.as_fd(), signal).is_ok();
    // The wait ends early when the sender is dropped.
    let wait = |time| end.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
    while send(Signal::CONT) {
        let from = clock.now();
        let goes_on = wait(PERIOD.mul_f64(part)) && send(Signal::STOP);
        // Stopped time is measured from the time it ran, which may be longer than planned.
        let rest = clock.now().since(from).mul_f64((1.0 - part) / part);
        if !(goes_on && wait(rest)) {
            break;
        }
    }
    if !send(Signal::CONT) {
        tracing::debug!("the generator has ended");
    }
}

#[cfg(test)]
mod tests {
    use procfs::process::{ProcState, Process};

    use super::*;

    #[test]
    fn a_process_that_is_held_back_is_given_its_part_and_left_running() {
        let mut busy = std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let process = pidfd_open(Pid::from_child(&busy), PidfdFlags::empty()).unwrap();
        let stat = || Process::new(busy.id().try_into().unwrap()).unwrap().stat().unwrap();
        let (end, ended) = channel::<()>();
        let held = std::thread::spawn(move || stop_and_continue(&process, 0.2, &ended));
        let before = stat();
        // What is measured is this second itself.
        std::thread::park_timeout(Duration::from_secs(1));
        let after = stat();
        drop(end);
        held.join().unwrap();
        let state = stat().state().unwrap();
        busy.kill().unwrap();
        busy.wait().unwrap();
        let ticks = (after.utime + after.stime) - (before.utime + before.stime);
        #[expect(clippy::cast_precision_loss, reason = "some ticks")]
        let used = ticks as f64 / procfs::ticks_per_second() as f64;
        assert!((0.01..0.35).contains(&used), "a fifth of a second was its part, not {used} s");
        assert_eq!(state, ProcState::Running);
    }
}
