//! A listening target: a server that runs already, or a process started for a trial or a probe.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, ensure};
use pushoff_loadgen::{Anchor, Server, Sibling, Tls, find, processes_of};
use pushoff_model::Wire;
use pushoff_model::network::Network;
use pushoff_model::target::{Address, Place, Target};
use pushoff_network::{FAR, Link};
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity};

use crate::pinning::{Cpus, confined};
use crate::server_process::{ServerPlan, ServerProcess};

/// Where readers reach a server that said where it listens: at another address than loopback's, if a network is between.
///
/// # Errors
/// When it listens at loopback's.
fn reached(mut said: SocketAddr, plan: &ServerPlan<'_>) -> anyhow::Result<SocketAddr> {
    if plan.link.is_some() {
        ensure!(
            !said.ip().is_loopback(),
            "the server listens at {said}, where no network leads: it must listen at the address in the environment \
             variable PUSHOFF_ADDRESS (--network none measures it without networks)"
        );
        if said.ip().is_unspecified() {
            said.set_ip(FAR.into());
        }
    }
    Ok(said)
}

/// The servers of a target that are one with it, itself among them; none where it is alone.
async fn siblings(target: &Target, plan: &ServerPlan<'_>) -> anyhow::Result<Arc<[Sibling]>> {
    let Place::At(first) = &target.place else { return Ok([].into()) };
    let mut siblings = Vec::new();
    for address in [first].into_iter().chain(&target.others).filter(|_| !target.others.is_empty()) {
        let http = match address.socket {
            Some(socket) => socket,
            None => find(address).await?,
        };
        let tls = plan.wire.tls.then(|| Tls::new(plan.trust, address.host(), plan.wire.http)).transpose()?;
        let (authority, base) = (address.authority.to_string(), address.base.clone());
        siblings.push(Sibling { http, tls: tls.map(Arc::new), authority, base });
    }
    Ok(siblings.into())
}

/// How many processors at least one of these processes may use; `None` where the system does not say.
fn processors_of(pids: &[u32]) -> Option<f64> {
    let allowed = |&pid: &u32| {
        let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
        sched_getaffinity(Some(pid)).ok()
    };
    let all = pids.iter().map(allowed).collect::<Option<Vec<CpuSet>>>()?;
    let processors = (0..CpuSet::MAX_CPU).filter(|&cpu| all.iter().any(|allowed| allowed.is_set(cpu))).count();
    u32::try_from(processors).ok().filter(|&processors| processors > 0).map(f64::from)
}

/// A listening target.
#[derive(Debug)]
pub(crate) struct Served {
    /// The server as the generator sees it.
    pub(crate) server: Server,
    /// The server's own description, with its version.
    pub(crate) says: Option<String>,
    /// Its process, if it was started here.
    process: Option<ServerProcess>,
}

impl Served {
    /// Starts or finds a target; `cpus` is the number of processors of one that is started.
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
        let clear = reached(http, plan)?;
        let ready = process.as_ref().map(|process| &process.ready);
        let (http, tls) = match &target.place {
            _ if !plan.wire.tls => (clear, None),
            Place::At(address) => (clear, Some(Tls::new(plan.trust, address.host(), plan.wire.http)?)),
            Place::Unsaid | Place::Started { .. } => {
                let said = ready.and_then(|ready| ready.https.zip(ready.certificate.as_deref()));
                let (https, certificate) = said.context("the server did not say where it speaks TLS")?;
                let https = reached(https, plan)?;
                let trust = Anchor::fingerprint(certificate)?;
                (https, Some(Tls::new(&trust, &https.ip().to_string(), plan.wire.http)?))
            }
        };
        // Our own server has a port in the clear in any case, for those that publish beside it.
        let beside = (target.place == Place::Unsaid && plan.wire != Wire::default()).then_some(clear);
        let raw_tcp = ready.and_then(|ready| ready.raw_tcp).or(target.raw_tcp);
        let says = ready.and_then(|ready| ready.server.clone());
        let pid = process.as_ref().map(|process| process.pid);
        let siblings = siblings(target, plan).await?;
        // A listening server has started all its processes.
        let own = processes_of(clear, pid);
        let others = siblings.iter().skip(1).map(|sibling| processes_of(sibling.http, None));
        let each: Vec<_> = [own].into_iter().chain(others).collect();
        // The costs of some of several servers are nobody's.
        let are_seen = each.iter().all(|pids| !pids.is_empty());
        let (pids, link) = (each.concat(), plan.link.cloned());
        let cpus = match &target.place {
            Place::At(_) => processors_of(&pids).unwrap_or(cpus),
            Place::Unsaid | Place::Started { .. } => cpus,
        };
        let server = Server::at(target.clone(), http).on(plan.wire, tls, beside);
        let server = Server { raw_tcp, pids, cpus, siblings, link, ..server };
        let server = if are_seen { server } else { server.unseen()? };
        Ok(Self { server, says, process })
    }

    /// How the started process ended by itself, if it did.
    pub(crate) async fn death(&mut self) -> Option<String> {
        self.process.as_mut()?.death().await
    }

    /// Ends the process that was started.
    pub(crate) async fn end(self) {
        if let Some(process) = self.process {
            process.stop().await;
        }
    }
}

/// The network of one trial, whose threads run on any processor.
///
/// # Errors
/// When the system refuses it.
pub(crate) async fn link(network: &Arc<Network>, seed: u64, cpus: &Cpus) -> anyhow::Result<Arc<Link>> {
    let (network, all) = (network.clone(), cpus.all.clone());
    let made = tokio::task::spawn_blocking(move || confined(&all, || Ok(Link::new(&network, seed)?)));
    Ok(Arc::new(made.await.context("making a network")??))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, id};

    use super::*;
    use crate::pinning::allowed;

    #[test]
    fn a_server_that_runs_already_has_the_processors_that_its_processes_may_use() {
        let all = allowed().unwrap();
        let mut pinned = confined(&all[..1], || Ok(Command::new("sleep").arg("600").spawn()?)).unwrap();
        let processors = [&[pinned.id()][..], &[pinned.id(), id()], &[]].map(processors_of);
        pinned.kill().unwrap();
        pinned.wait().unwrap();
        assert_eq!(processors, [Some(1.0), Some(f64::from(u32::try_from(all.len()).unwrap())), None]);
    }
}
