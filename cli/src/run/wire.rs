//! What carries the bytes of a run: TLS, the version of HTTP, compression.

use std::sync::Arc;

use anyhow::{bail, ensure};
use pushoff_loadgen::Asked;
use pushoff_model::target::{Place, Target};
use pushoff_model::{Client, Http, Wire};

use super::asked::once;
use crate::arguments::{RunOptions, Switch};
use crate::terminal;

/// The wires of the run: every combination of what was asked for.
pub(super) fn wires(options: &RunOptions, targets: &[Arc<Target>]) -> Vec<Wire> {
    let is_tls = |target: &Arc<Target>| matches!(&target.place, Place::At(address) if address.is_tls);
    let tls: Vec<bool> = if options.wire.tls.is_empty() {
        once(&targets.iter().map(is_tls).collect::<Vec<_>>())
    } else {
        once(&switched(&options.wire.tls))
    };
    let https = if options.wire.http.is_empty() { vec![Http::One] } else { once(&options.wire.http) };
    let compressed =
        if options.wire.compress.is_empty() { vec![false] } else { once(&switched(&options.wire.compress)) };
    let mut wires = Vec::new();
    for &tls in &tls {
        for &http in &https {
            wires.extend(compressed.iter().map(|&compressed| Wire { tls, http, compressed }));
        }
    }
    wires
}

fn switched(switches: &[Switch]) -> Vec<bool> {
    switches.iter().map(|switch| *switch == Switch::On).collect()
}

/// Refuses a server that is reached in no way that was asked for, and a browser where it is not read.
pub(super) fn ensure_reachable(asked: &Asked<'_>) -> anyhow::Result<()> {
    for target in asked.targets {
        let is_reached = asked.wires.iter().any(|&wire| target.is_reached(wire));
        match &target.place {
            _ if is_reached => {}
            Place::At(address) if address.is_tls => {
                bail!("{} is reached over TLS alone: leave out --tls=off", target.name)
            }
            Place::At(_) => {
                bail!("{} is reached in the clear: give its https:// address in place of --tls", target.name)
            }
            Place::Started { .. } | Place::Unsaid => {
                bail!("--tls is for pushoff's own server, or an https:// address; {} is neither", target.name)
            }
        }
    }
    if asked.clients.contains(&Client::Library) && asked.wires.iter().any(|wire| wire.compressed) {
        ensure!(
            asked.workloads.iter().any(|workload| asked.cells(workload).next().is_some()),
            "the WebSocket of --client library has no compression: take --client lean, or leave out --compress"
        );
        terminal::remark("the library's WebSocket has no compression: it is left out where the wire is compressed");
    }
    let is_spoken = asked.wires.iter().all(|wire| wire.tls || wire.http == Http::One);
    ensure!(
        is_spoken || !asked.clients.contains(&Client::Browser),
        "--client browser speaks HTTP/2 over TLS alone: add --tls, or leave out --http 2"
    );
    Ok(())
}
