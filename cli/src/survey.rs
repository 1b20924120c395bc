//! What the servers are that a run is asked to measure, found out before anything is measured.

use std::sync::Arc;

use anyhow::{Context, bail};
use pushoff_loadgen::{Asked, probe};
use pushoff_model::environment::Named;
use pushoff_model::target::{Place, Target};
use pushoff_model::{Client, Transport};

use crate::pinning::Cpus;
use crate::served::Served;
use crate::server_process::ServerPlan;

/// Connections that a server must take for a look at it.
const CONNECTIONS: u64 = 100;
/// Topics that a look at it takes.
const TOPICS: u32 = 20;

/// Has each server listen once, looks whether it is what it is said to be, and says what it is. Our
/// own server is known.
///
/// # Errors
/// When one cannot be started or reached, or does not do by a transport what it is said to.
pub(crate) async fn survey(asked: &Asked<'_>, cpus: &Cpus) -> anyhow::Result<Vec<Named>> {
    let mut servers = Vec::new();
    for target in asked.targets {
        let context = || format!("looking at {}", target.name);
        let served = begin(target, cpus).await.with_context(context)?;
        if target.place != Place::Unsaid {
            look(&served, target, asked).await.with_context(context)?;
        }
        servers.push(Named::new(&*target.name, says(target, &served)));
        served.end().await;
    }
    Ok(servers)
}

/// Looks at a server by the transports that are asked for.
async fn look(served: &Served, target: &Target, asked: &Asked<'_>) -> anyhow::Result<()> {
    let transports: Vec<Transport> =
        asked.transports.iter().copied().filter(|&transport| target.speaks(transport)).collect();
    let client = asked.clients.first().copied().unwrap_or(Client::Library);
    let findings = probe(&served.server, &transports, client).await;
    let wrong: Vec<&str> =
        findings.iter().filter_map(|finding| finding.verdict.as_ref().err()).map(String::as_str).collect();
    match wrong.first() {
        None => Ok(()),
        Some(first) if wrong.len() == 1 => bail!("{first}"),
        Some(first) => bail!("{first} ({} more like it: pushoff probe shows them)", wrong.len() - 1),
    }
}

/// Has a target listen to be looked at.
pub(crate) async fn begin(target: &Arc<Target>, cpus: &Cpus) -> anyhow::Result<Served> {
    let plan = ServerPlan { cpus: &cpus.server, connections: CONNECTIONS, topics: TOPICS, heartbeat: None, log: None };
    Served::begin(target, &plan, cpus.server_count()).await
}

/// What a server is: in its own words, or where it is.
pub(crate) fn says(target: &Target, served: &Served) -> String {
    served.says.clone().unwrap_or_else(|| match &target.place {
        Place::Unsaid => concat!("pushoff ", env!("CARGO_PKG_VERSION")).to_owned(),
        Place::At(address) => format!("http://{}{}", address.authority, address.base),
        Place::Started { command, .. } => command.join(" "),
    })
}
