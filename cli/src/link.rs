//! `pushoff link`: a command behind a network.

use std::ffi::OsString;
use std::iter;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context, bail};
use pushoff_model::record::{self, LinkDirection};
use pushoff_network::{FAR, Link, NEAR, Relay, enter};
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::arguments::LinkOptions;
use crate::{Exit, named, terminal};

/// Runs the command behind the network and ends as it ends.
pub(crate) fn link(options: &LinkOptions) -> anyhow::Result<ExitCode> {
    let network = named::network(&options.network)?;
    let relay = enter(Relay::begin)?.context("beginning a thread that carries connections on")?;
    let seed = options.seed.unwrap_or_else(rand::random);
    let link = Link::new(&network, seed)?;
    link.watch(true);
    for &port in &options.port {
        let listening = link.far.within(|| TcpListener::bind((FAR, port))).and_then(|bound| bound);
        let carried =
            listening.and_then(|listener| relay.carry(listener, (Ipv4Addr::LOCALHOST, port).into(), iter::empty()));
        carried.with_context(|| format!("listening at {FAR}:{port} behind the network"))?;
    }
    outlive_ctrl_c()?;
    terminal::remark(&format!(
        "{}: {}. The command runs at {NEAR}; port {} of this machine's 127.0.0.1 is at {FAR} (seed {seed})",
        network.name,
        network.says,
        options.port.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    ));
    // A command ends with the thread that began it, and this one with the command.
    let status = link.near.within(|| begin(&options.command).and_then(|mut child| Ok(child.wait()?)))??;
    let passed = link.end()?;
    terminal::remark(&format!("passed: {}", told(&passed)));
    if !passed.is_in_time() {
        terminal::remark(
            "more than 1 % of the packets were passed on later than docs/NETWORKS.md allows: do not trust what was measured",
        );
    }
    Ok(code(status))
}

/// Becomes the command, which ends when its parent does.
pub(crate) fn become_command(command: &[OsString]) -> anyhow::Result<Exit> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let Some((program, arguments)) = command.split_first() else { bail!("a command is needed") };
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("running {}", Path::new(program).display()))
}

fn begin(command: &[OsString]) -> anyhow::Result<std::process::Child> {
    let own = std::env::current_exe().context("finding pushoff's own file")?;
    Ok(Command::new(own).arg("become").arg("--").args(command).spawn()?)
}

/// Ctrl-C goes to the command as well, which decides what it means.
fn outlive_ctrl_c() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _entered = runtime.enter();
    // The handler stays, whether anybody listens or not.
    drop(tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?);
    Ok(())
}

fn told(passed: &record::Link) -> String {
    let one = |tally: &LinkDirection| {
        let late = tally.lateness.quantile(0.99).unwrap_or_default();
        format!(
            "{} of {} packets, {} bytes (largest {}); {} dropped by the queue, {} lost; 99 % at most {} µs late",
            tally.passed,
            tally.offered,
            tally.bytes,
            tally.largest,
            tally.dropped,
            tally.lost,
            late.as_micros()
        )
    };
    format!("down {}; up {}", one(&passed.down), one(&passed.up))
}

fn code(status: ExitStatus) -> ExitCode {
    // As shells have it.
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
