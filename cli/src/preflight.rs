//! The preflight of a run: probes each server before anything is measured.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use pushoff_loadgen::{Anchor, Asked, Finding, browser_limits, probe};
use pushoff_model::browser::Browser;
use pushoff_model::environment::Named;
use pushoff_model::foreign::{self, shown};
use pushoff_model::target::{Place, Target};
use pushoff_model::{Client, Http, Transport, Wire};

use crate::pinning::Cpus;
use crate::served::{self, Served};
use crate::server_process::ServerPlan;
use crate::{targets, terminal};

/// Connections that a server must accept for a probe.
const CONNECTIONS: u64 = 100;
/// More connections than a browser opens to one server.
const CONNECTIONS_OF_A_BROWSER: u64 = 500;
/// Topics of a probe.
const TOPICS: u32 = 20;

/// What the servers of a run say about themselves, and the limits of its browser, if it has one.
///
/// # Errors
/// When a server or the browser cannot be started or reached, or does not do what it should.
pub(crate) async fn look(
    asked: &Asked<'_>,
    cpus: &Cpus,
    has_browser: bool,
) -> anyhow::Result<(Vec<Named>, Option<Browser>)> {
    let servers = servers(asked, cpus).await?;
    Ok((servers, if has_browser { Some(browser(cpus).await?) } else { None }))
}

/// Starts or finds each server once, probes it against its description, and returns what it says about itself. Our own
/// server is not probed. Where a run has networks, a server with a command is started behind the first as well.
///
/// # Errors
/// When a server cannot be started or reached, or does not do on a transport what its description says.
async fn servers(asked: &Asked<'_>, cpus: &Cpus) -> anyhow::Result<Vec<Named>> {
    let mut servers = Vec::new();
    for target in asked.targets {
        let context = || format!("looking at {}", target.name);
        let wire = asked.wires.iter().copied().find(|&wire| target.is_reached(wire)).unwrap_or_default();
        let plan = ServerPlan { wire, trust: asked.trust, ..plan(cpus) };
        let mut served = Served::begin(target, &plan, cpus.server_count()).await.with_context(context)?;
        if target.place != Place::Unsaid
            && let Err(error) = look_at(&served, target, asked).await
        {
            return Err(match served.death().await {
                Some(death) => anyhow!("{}; {death}", terminal::told(&error)),
                None => error,
            })
            .with_context(context);
        }
        servers.push(Named::new(&*target.name, says(target, &served)));
        served.end().await;
        if let (Place::Started { .. }, Some(network)) = (&target.place, asked.networks.first()) {
            let link = served::link(network, asked.seed, cpus).await?;
            let plan = ServerPlan { link: Some(&link), ..plan };
            Served::begin(target, &plan, cpus.server_count()).await.with_context(context)?.end().await;
        }
    }
    Ok(servers)
}

/// Measures the limits of the receiving browser, with a server of our own.
///
/// # Errors
/// When server or browser cannot be started, or the browser does not obey.
async fn browser(cpus: &Cpus) -> anyhow::Result<Browser> {
    terminal::remark("measuring the browser's limits, which takes some seconds");
    let ours = targets::asked(&[])?.remove(0);
    let plan = ServerPlan { connections: CONNECTIONS_OF_A_BROWSER, has_pages: true, ..plan(cpus) };
    let served = Served::begin(&ours, &plan, cpus.server_count()).await?;
    let found = browser_limits(&served.server).await;
    served.end().await;
    found.context("measuring the browser's limits")
}

/// Probes a server on the transports of the run.
async fn look_at(served: &Served, target: &Target, asked: &Asked<'_>) -> anyhow::Result<()> {
    let transports: Vec<Transport> =
        asked.transports.iter().copied().filter(|&transport| target.speaks(transport)).collect();
    let client = asked.clients.iter().copied().find(|client| Client::OF_THE_PROCESS.contains(client));
    let findings = probe(&served.server, &transports, client.unwrap_or_default()).await;
    let wrong: Vec<&str> =
        findings.iter().filter_map(|finding| finding.verdict.as_ref().err()).map(String::as_str).collect();
    // A problem of all transports, such as refused publishing, is reported once and without a transport.
    let mut told: Vec<&str> = findings.iter().filter_map(Finding::without_its_transport).collect();
    told.dedup();
    match wrong.first() {
        None => Ok(()),
        Some(first) if wrong.len() == 1 => bail!("{first}"),
        Some(_) if told.len() == 1 => bail!("{}", told[0]),
        Some(first) => bail!("{first} ({} more like it: pushoff probe shows them)", wrong.len() - 1),
    }
}

/// Starts or finds a target for a probe, reached by this HTTP; one that is started here sends heartbeats that far apart.
pub(crate) async fn begin(
    target: &Arc<Target>,
    cpus: &Cpus,
    trust: &Anchor,
    http: Http,
    heartbeat: Option<Duration>,
) -> anyhow::Result<Served> {
    let tls = matches!(&target.place, Place::At(address) if address.is_tls);
    let wire = Wire { tls, http, compressed: false };
    Served::begin(target, &ServerPlan { wire, trust, heartbeat, ..plan(cpus) }, cpus.server_count()).await
}

/// The requirements of a probe.
fn plan(cpus: &Cpus) -> ServerPlan<'_> {
    ServerPlan {
        cpus: cpus.server.as_slice(),
        connections: CONNECTIONS,
        topics: TOPICS,
        heartbeat: None,
        has_pages: false,
        log: None,
        link: None,
        wire: Wire::default(),
        trust: &Anchor::System,
    }
}

/// A server's own description, or its address.
pub(crate) fn says(target: &Target, served: &Served) -> String {
    served.says.clone().unwrap_or_else(|| match &target.place {
        Place::Unsaid => concat!("pushoff ", env!("CARGO_PKG_VERSION")).to_owned(),
        Place::At(address) => {
            let (said, found) = (address.authority.as_str(), served.server.http.to_string());
            let at = if said == found { String::new() } else { format!(", found at {found}") };
            let scheme = if address.is_tls { "https" } else { "http" };
            let others: String =
                target.others.iter().map(|it| format!(", {scheme}://{}{}", it.authority, it.base)).collect();
            format!("{scheme}://{said}{}{at}{others}", address.base)
        }
        Place::Started { command, .. } => shown(&command.join(" "), foreign::SENTENCE),
    })
}
