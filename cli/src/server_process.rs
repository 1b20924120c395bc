//! A server under test as a process of its own: this binary again, or the command of a target.
//!
//! Each trial gets a fresh process, so trials are independent samples and a crash costs one trial. The server ends
//! when its standard input closes, so it cannot outlive the run.

mod group;
mod log;

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use pushoff_loadgen::Anchor;
use pushoff_model::Wire;
use pushoff_model::foreign::{self, shown};
use pushoff_network::{FAR, Link};
use serde::{Deserialize, Deserializer};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, copy, sink};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::pinning;
use group::Group;
pub(crate) use group::kill_all;
use log::Log;

/// How long a server may take to listen. Chosen here: ours takes milliseconds.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// Most bytes of its first line.
const LONGEST_LINE: u64 = 64 * 1024;
/// What a command that prints something else is told.
const FIRST_LINE: &str = r#"the first line of its output must be {"http":"ADDRESS:PORT"} (docs/TARGETS.md)"#;
/// Longest time from the end of a process's connections to its exit status. Chosen here.
const DEATH_WITHIN: Duration = Duration::from_millis(300);
/// How long a server may take to end its connections. Chosen here.
const GRACE: Duration = Duration::from_millis(500);

/// The first line of a server's standard output: the addresses it listens on.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Ready {
    pub(crate) http: SocketAddr,
    /// Where it speaks TLS, and the SHA-256 of its certificate.
    pub(crate) https: Option<SocketAddr>,
    pub(crate) certificate: Option<String>,
    pub(crate) raw_tcp: Option<SocketAddr>,
    /// The server's description, with its version.
    #[serde(default, deserialize_with = "server")]
    pub(crate) server: Option<String>,
}

fn server<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(|server| shown(&server, foreign::NAME)))
}

/// A running server.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    child: Child,
    group: Group,
    log: Log,
    pub(crate) pid: u32,
    pub(crate) ready: Ready,
}

/// The requirements on a server.
#[derive(Debug)]
pub(crate) struct ServerPlan<'a> {
    /// Processors to run on; empty leaves this to the scheduler.
    pub(crate) cpus: &'a [u32],
    /// Connections that it must accept.
    pub(crate) connections: u64,
    /// Topics that it must hold.
    pub(crate) topics: u32,
    /// The heartbeat interval; `None` is the server's default.
    pub(crate) heartbeat: Option<Duration>,
    /// Whether browser pages with other host names for this machine subscribe.
    pub(crate) has_pages: bool,
    /// The file for its log; without one, our standard error.
    pub(crate) log: Option<&'a File>,
    /// What carries the bytes of its subscribers.
    pub(crate) wire: Wire,
    /// Whose certificate is trusted, if it runs already.
    pub(crate) trust: &'a Anchor,
    /// The network that it is behind, if there is one.
    pub(crate) link: Option<&'a Arc<Link>>,
}

impl ServerPlan<'_> {
    /// The address that readers reach it at.
    fn address(&self) -> IpAddr {
        self.link.map_or(Ipv4Addr::LOCALHOST, |_| FAR).into()
    }

    /// This binary, on free ports.
    fn ours(&self) -> anyhow::Result<Command> {
        let mut command = Command::new(std::env::current_exe().context("finding this program")?);
        let anywhere = SocketAddr::new(self.address(), 0).to_string();
        command.args(["serve", "--listen", &anywhere, "--raw-tcp", &anywhere, "--until-stdin-closes"]);
        command.arg("--grace").arg(humantime::format_duration(GRACE).to_string());
        command.arg("--max-connections").arg(self.connections.to_string());
        command.arg("--max-topics").arg((self.topics + 1).to_string());
        if self.wire.tls {
            command.args(["--tls", "self-signed", "--tls-listen", &anywhere]);
        }
        if self.wire.compressed {
            command.arg("--compress");
        }
        if let Some(heartbeat) = self.heartbeat {
            command.arg("--heartbeat").arg(humantime::format_duration(heartbeat).to_string());
        }
        if let Some(name) = pushoff_loadgen::congestion_control() {
            command.args(["--congestion-control", name]);
        }
        if self.has_pages {
            // The server lives for one trial, on loopback, at a port that nobody else knows.
            command.args(["--allow-origin", "*"]);
        }
        if !self.cpus.is_empty() {
            let list = self.cpus.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
            command.arg("--cpus").arg(list);
        }
        command.env_remove("PUSHOFF_PUBLISH_TOKEN");
        Ok(command)
    }

    /// A target's own command, with the requirements in its environment.
    fn theirs(&self, command: &[String], folder: &Path) -> anyhow::Result<Command> {
        let (program, arguments) = command.split_first().context("the command of a target is empty")?;
        let program = if program.contains(std::path::MAIN_SEPARATOR) {
            // Without the `.` of a folder that is this one.
            let beside: PathBuf = folder.join(program).components().collect();
            beside
                .canonicalize()
                .with_context(|| format!("finding {}, the command of a target", foreign::path(&beside)))?
        } else {
            PathBuf::from(program)
        };
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).env("PUSHOFF_CONNECTIONS", self.connections.to_string());
        command.env("PUSHOFF_ADDRESS", self.address().to_string());
        command.env("PUSHOFF", std::env::current_exe().context("finding this program")?);
        if let Some(heartbeat) = self.heartbeat {
            command.env("PUSHOFF_HEARTBEAT_SECONDS", heartbeat.as_secs_f64().to_string());
        }
        Ok(command)
    }
}

impl ServerProcess {
    /// Starts our own server and waits until it listens.
    ///
    /// # Errors
    /// When it cannot be started, or is not ready in time.
    pub(crate) async fn start(plan: &ServerPlan<'_>) -> anyhow::Result<Self> {
        Self::ready(plan.ours()?, plan).await
    }

    /// Starts a target's own server and waits until it listens.
    ///
    /// # Errors
    /// When it cannot be started, or is not ready in time.
    pub(crate) async fn start_theirs(plan: &ServerPlan<'_>, command: &[String], folder: &Path) -> anyhow::Result<Self> {
        Self::ready(plan.theirs(command, folder)?, plan).await
    }

    async fn ready(mut command: Command, plan: &ServerPlan<'_>) -> anyhow::Result<Self> {
        // In a process group of its own: Ctrl-C reaches the run only, which then ends the server.
        command.process_group(0).kill_on_drop(true).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(match plan.log {
            Some(log) => log.try_clone().context("sharing the server's log")?.into(),
            None => Stdio::piped(),
        });
        let mut log = Log::begin(plan.log)?;
        let runtime = Handle::current();
        let mut child = pinning::confined(plan.cpus, || {
            let _entered = runtime.enter();
            let spawned = match plan.link {
                Some(link) => link.far.within(|| command.spawn())?,
                None => command.spawn(),
            };
            spawned.with_context(|| format!("starting the server {}", command.as_std().get_program().to_string_lossy()))
        })?;
        log.follow(&mut child);
        let pid = child.id().context("the server ended at once")?;
        let group = Group::of(pid);
        let mut output = BufReader::new(child.stdout.take().context("reading the server's standard output")?);
        let mut line = Vec::new();
        timeout(READY_WITHIN, (&mut output).take(LONGEST_LINE).read_until(b'\n', &mut line))
            .await
            .with_context(|| {
                let within = humantime::format_duration(READY_WITHIN);
                format!("the server did not print its address within {within}{}", log.hint())
            })?
            .context("reading the server's readiness line")?;
        match serde_json::from_slice(&line) {
            Ok(ready) => {
                // Later output is read and discarded: a pipe without a reader would end the server.
                tokio::spawn(async move { copy(&mut output, &mut sink()).await });
                Ok(Self { child, group, log, pid, ready })
            }
            Err(_) if line.is_empty() => {
                let ended = end_of(&mut child, &mut log).await;
                let ended =
                    ended.unwrap_or_else(|| format!("the server closed its output without its address{}", log.hint()));
                bail!("{ended}; {FIRST_LINE}")
            }
            Err(error) => {
                let said = foreign::quoted(String::from_utf8_lossy(&line).trim_end());
                let ended =
                    end_of(&mut child, &mut log).await.map_or_else(|| log.hint().to_owned(), |end| format!("; {end}"));
                Err(error).context(format!("the server printed {said} instead of its address{ended}; {FIRST_LINE}"))
            }
        }
    }

    /// How the server ended by itself, if it did.
    pub(crate) async fn death(&mut self) -> Option<String> {
        end_of(&mut self.child, &mut self.log).await
    }

    /// Ends the server: closes its standard input, and kills it if that takes too long. What it started and left behind
    /// is killed in any case.
    pub(crate) async fn stop(mut self) {
        drop(self.child.stdin.take());
        if timeout(GRACE * 2, self.child.wait()).await.is_ok() {
            return;
        }
        drop(self.group);
        if let Err(error) = self.child.wait().await {
            tracing::warn!(%error, "the server's end was not seen");
        }
    }
}

/// How a process ended, if it did or is about to: its connections end before its status is known.
async fn end_of(child: &mut Child, log: &mut Log) -> Option<String> {
    // `wait` closes standard input, which would end a healthy server.
    let stdin = child.stdin.take();
    let status = timeout(DEATH_WITHIN, child.wait()).await;
    child.stdin = stdin;
    let status = status.ok()?.ok()?;
    log.settle(DEATH_WITHIN).await;
    Some(format!("the server ended by itself ({status}){}", log.hint()))
}

#[cfg(test)]
mod tests {
    use procfs::process::{ProcState, Process};
    use pushoff_model::{RunClock, RunInstant};

    use super::*;

    /// Starts a shell as the server of a target.
    async fn shell(script: &str) -> anyhow::Result<ServerProcess> {
        let plan = ServerPlan {
            cpus: &[],
            connections: 1,
            topics: 1,
            heartbeat: None,
            has_pages: false,
            log: None,
            wire: Wire::default(),
            trust: &Anchor::System,
            link: None,
        };
        let command = ["sh", "-c", script].map(str::to_owned);
        ServerProcess::start_theirs(&plan, &command, Path::new(".")).await
    }

    fn wait_until_it_ends(pid: i32) {
        let clock = RunClock::start();
        let lives = || {
            let state = Process::new(pid).and_then(|process| process.stat()).and_then(|stat| stat.state());
            state.is_ok_and(|state| state != ProcState::Zombie)
        };
        while lives() {
            assert!(clock.now().since(RunInstant::default()) < Duration::from_secs(30), "process {pid} goes on");
            std::thread::yield_now();
        }
    }

    #[tokio::test]
    async fn what_a_shell_leaves_behind_ends_with_the_server() {
        // Its description is the number of the process that it leaves.
        let says = r#"sleep 600 & echo "{\"http\":\"127.0.0.1:1\",\"server\":\"$!\"}""#;
        for script in [says.to_owned(), format!("{says}; wait")] {
            let server = shell(&script).await.unwrap();
            let left = server.ready.server.clone().unwrap().parse().unwrap();
            server.stop().await;
            wait_until_it_ends(left);
        }
    }

    #[tokio::test]
    async fn what_a_shell_leaves_behind_ends_where_the_server_is_not_ready() {
        let refused = shell("sleep 600 & echo $! is no address; wait").await.unwrap_err();
        let said = format!("{refused:#}");
        let number = said.split(|character: char| !character.is_ascii_digit()).find(|word| !word.is_empty());
        wait_until_it_ends(number.unwrap_or_else(|| panic!("{said}")).parse().unwrap());

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 600 & echo $! > {}; wait", file.display());
        let mut starting = Box::pin(shell(&script));
        let left = loop {
            tokio::select! {
                ended = &mut starting => panic!("{ended:?}"),
                () = tokio::task::yield_now() => {}
            }
            if let Some(pid) = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok()) {
                break pid;
            }
        };
        drop(starting);
        wait_until_it_ends(left);
    }
}
