//! What the servers are that a run is asked to measure, found out before anything is measured.

use std::sync::Arc;

use anyhow::Context;
use pushoff_model::environment::Named;
use pushoff_model::target::{Place, Target};

use crate::pinning::Cpus;
use crate::served::Served;
use crate::server_process::ServerPlan;

/// Connections that a server must take for a look at it.
const CONNECTIONS: u64 = 100;
/// Topics that a look at it takes.
const TOPICS: u32 = 10;

/// Has each server listen once, and says what it is.
///
/// # Errors
/// When one cannot be started or reached.
pub(crate) async fn survey(targets: &[Arc<Target>], cpus: &Cpus) -> anyhow::Result<Vec<Named>> {
    let mut servers = Vec::new();
    for target in targets {
        let served = begin(target, cpus).await.with_context(|| format!("looking at {}", target.name))?;
        let says = served.says.clone().unwrap_or_else(|| match &target.place {
            Place::Unsaid => concat!("pushoff ", env!("CARGO_PKG_VERSION")).to_owned(),
            Place::At(address) => format!("http://{}{}", address.authority, address.base),
            Place::Started { command, .. } => command.join(" "),
        });
        served.end().await;
        servers.push(Named::new(&*target.name, says));
    }
    Ok(servers)
}

/// Has a target listen to be looked at.
pub(crate) async fn begin(target: &Arc<Target>, cpus: &Cpus) -> anyhow::Result<Served> {
    let plan = ServerPlan { cpus: &cpus.server, connections: CONNECTIONS, topics: TOPICS, heartbeat: None, log: None };
    Served::begin(target, &plan, cpus.server_count()).await
}
