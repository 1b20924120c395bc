//! A target that listens: one that runs already, or a process started for the occasion.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use pushoff_loadgen::{Server, processes_of};
use pushoff_model::target::{Address, Place, Target};
use tokio::net::lookup_host;

use crate::server_process::{ServerPlan, ServerProcess};

/// What is behind a listening server.
#[derive(Debug)]
pub(crate) struct Served {
    /// The server as the generator sees it.
    pub(crate) server: Server,
    /// What it says that it is.
    pub(crate) says: Option<String>,
    /// Its process, where it was started for the occasion.
    process: Option<ServerProcess>,
}

impl Served {
    /// Has a target listen; `cpus` is how many processors it may use.
    ///
    /// # Errors
    /// When it cannot be started, or its name not be found.
    pub(crate) async fn begin(target: &Arc<Target>, plan: &ServerPlan<'_>, cpus: f64) -> anyhow::Result<Self> {
        let process = match &target.place {
            Place::Unsaid => Some(ServerProcess::start(plan).await?),
            Place::Started { command, folder } => Some(ServerProcess::start_theirs(plan, command, folder).await?),
            Place::At(_) => None,
        };
        let http = match (&process, &target.place) {
            (Some(process), _) => process.ready.http,
            (None, Place::At(address)) => resolve(address).await?,
            (None, Place::Unsaid | Place::Started { .. }) => anyhow::bail!("{} was not started", target.name),
        };
        let ready = process.as_ref().map(|process| &process.ready);
        let raw_tcp = ready.and_then(|ready| ready.raw_tcp).or(target.raw_tcp);
        let says = ready.and_then(|ready| ready.server.clone());
        let pid = process.as_ref().map(|process| process.pid);
        // A server with several processes has them all by now: it listens.
        let pids = processes_of(http, pid);
        let server = Server { raw_tcp, pids, cpus, ..Server::at(target.clone(), http) };
        Ok(Self { server, says, process })
    }

    /// How the process that was started has ended by itself, where it has.
    pub(crate) async fn death(&mut self) -> Option<String> {
        self.process.as_mut()?.death().await
    }

    /// Ends what was started.
    pub(crate) async fn end(self) {
        if let Some(process) = self.process {
            process.stop().await;
        }
    }
}

/// The first address of a host's name.
async fn resolve(address: &Address) -> anyhow::Result<SocketAddr> {
    let (host, port) = (address.authority.host(), address.authority.port_u16().unwrap_or(80));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let mut found =
        lookup_host((host, port)).await.with_context(|| format!("looking up {host}: is the name right?"))?;
    found.next().with_context(|| format!("{host} has no address: is the name right?"))
}
