//! The server under test: this binary again, as a process of its own.
//!
//! Each trial gets a fresh one, so that trials are independent samples and a crash costs one
//! trial. The server watches its standard input and ends with it: it cannot outlive the run.

use std::fs::File;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a server may take to listen. Chosen here: it takes milliseconds where all is well.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// How long a server may take to end its connections, and this side to wait for that.
const GRACE: Duration = Duration::from_millis(500);

/// Where a server listens, as its readiness line says.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Addresses {
    pub(crate) http: SocketAddr,
    pub(crate) raw_tcp: SocketAddr,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    child: Child,
    pub(crate) pid: u32,
    pub(crate) addresses: Addresses,
}

/// What the server is asked for.
#[derive(Debug)]
pub(crate) struct ServerPlan<'a> {
    /// Processors to stay on; empty leaves it to the scheduler.
    pub(crate) cpus: &'a [u32],
    /// Connections that it must take.
    pub(crate) connections: u64,
    /// Topics that it must hold.
    pub(crate) topics: u32,
    /// How long a stream may be idle before it is told that it lives; its own default where the
    /// workload does not say.
    pub(crate) heartbeat: Option<Duration>,
    /// Where its log goes.
    pub(crate) log: &'a File,
}

impl ServerProcess {
    /// Starts a server on free ports and waits until it says that it listens.
    ///
    /// # Errors
    /// When it cannot be started, or is not ready in time.
    pub(crate) async fn start(plan: &ServerPlan<'_>) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe().context("finding this program")?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--raw-tcp", "127.0.0.1:0", "--until-stdin-closes"]);
        command.arg("--grace").arg(humantime::format_duration(GRACE).to_string());
        command.arg("--max-connections").arg(plan.connections.to_string());
        command.arg("--max-topics").arg((plan.topics + 1).to_string());
        if let Some(heartbeat) = plan.heartbeat {
            command.arg("--heartbeat").arg(humantime::format_duration(heartbeat).to_string());
        }
        if !plan.cpus.is_empty() {
            let list = plan.cpus.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
            command.arg("--cpus").arg(list);
        }
        // A group of its own: Ctrl-C is for the run, which then ends the server.
        command.process_group(0).kill_on_drop(true).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.env_remove("PUSHOFF_PUBLISH_TOKEN").stderr(plan.log.try_clone().context("sharing the server's log")?);
        let mut child = command.spawn().context("starting the server")?;
        let pid = child.id().context("the server ended at once")?;
        let output = child.stdout.take().context("reading the server's standard output")?;
        let mut line = String::new();
        timeout(READY_WITHIN, BufReader::new(output).read_line(&mut line))
            .await
            .with_context(|| format!("the server was not ready within {}", humantime::format_duration(READY_WITHIN)))?
            .context("reading the server's readiness line")?;
        let addresses = serde_json::from_str(&line)
            .with_context(|| format!("the server said {line:?} in place of where it listens; see server.log"))?;
        Ok(Self { child, pid, addresses })
    }

    /// Ends the server: by closing its standard input, and by force where that takes too long.
    pub(crate) async fn stop(mut self) {
        drop(self.child.stdin.take());
        if timeout(GRACE * 2, self.child.wait()).await.is_err()
            && let Err(error) = self.child.kill().await
        {
            tracing::warn!(%error, "the server could not be ended");
        }
    }
}
