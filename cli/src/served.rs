//! A target that listens: one that runs already, or a process started for the occasion.

use std::sync::Arc;

use pushoff_loadgen::{Server, find, processes_of};
use pushoff_model::target::{Address, Place, Target};

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
    /// When it cannot be started, or nobody listens at its address.
    pub(crate) async fn begin(target: &Arc<Target>, plan: &ServerPlan<'_>, cpus: f64) -> anyhow::Result<Self> {
        let process = match &target.place {
            Place::Unsaid => Some(ServerProcess::start(plan).await?),
            Place::Started { command, folder } => Some(ServerProcess::start_theirs(plan, command, folder).await?),
            Place::At(_) => None,
        };
        let http = match (&process, &target.place) {
            (Some(process), _) => process.ready.http,
            (None, Place::At(Address { socket: Some(socket), .. })) => *socket,
            (None, Place::At(address)) => find(address).await?,
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
