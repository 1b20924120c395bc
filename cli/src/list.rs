//! `pushoff list`: the built-in workloads, networks and the transports.

use anyhow::Context;
use pushoff_model::workload::{BUILT_IN, parse};
use pushoff_model::{Transport, network};
use serde::Serialize;

use crate::{Exit, terminal};

#[derive(Serialize)]
struct Listing {
    workloads: Vec<WorkloadRow>,
    networks: Vec<NetworkRow>,
    transports: Vec<TransportRow>,
}

#[derive(Serialize)]
struct WorkloadRow {
    name: String,
    question: String,
    slo: String,
    load: String,
}

#[derive(Serialize)]
struct NetworkRow {
    name: String,
    says: String,
    round_trip_ms: f64,
    down_bits_per_second: Option<f64>,
    up_bits_per_second: Option<f64>,
}

#[derive(Serialize)]
struct TransportRow {
    name: &'static str,
    summary: &'static str,
    ranked: bool,
}

pub(crate) fn list(json: bool) -> anyhow::Result<Exit> {
    let workloads = BUILT_IN.into_iter().map(|(name, text)| workload(name, text)).collect::<anyhow::Result<_>>()?;
    let transports = Transport::ALL
        .into_iter()
        .map(|transport| TransportRow {
            name: transport.name(),
            summary: transport.summary(),
            ranked: transport.is_ranked(),
        })
        .collect();
    let networks = network::BUILT_IN.into_iter().map(|(name, _)| network(name)).collect::<anyhow::Result<_>>()?;
    let listing = Listing { workloads, networks, transports };
    Ok(terminal::result(&if json { serde_json::to_string_pretty(&listing)? } else { prose(&listing) }))
}

fn workload(name: &str, text: &str) -> anyhow::Result<WorkloadRow> {
    let workload = parse(text, format!("workloads/{name}.toml").as_ref()).context("a built-in workload")?;
    Ok(WorkloadRow {
        slo: pushoff_reports::describe::slo(&workload),
        load: pushoff_reports::describe::load(&workload),
        name: workload.name,
        question: workload.question,
    })
}

fn network(name: &str) -> anyhow::Result<NetworkRow> {
    let network = network::built_in(name).context("a built-in network")??;
    Ok(NetworkRow {
        round_trip_ms: network.round_trip().as_secs_f64() * 1e3,
        down_bits_per_second: network.down.mean_bits_per_second(),
        up_bits_per_second: network.up.mean_bits_per_second(),
        name: network.name,
        says: network.says,
    })
}

fn prose(listing: &Listing) -> String {
    let mut lines = vec!["Workloads (--workload NAME, or your own TOML file: docs/WORKLOADS.md)".to_owned()];
    for row in &listing.workloads {
        lines.push(format!("  {:<15} {}", row.name, row.question));
        lines.push(format!("  {:<15} {}", "", row.load));
        lines.push(format!("  {:<15} good enough: {}", "", row.slo));
    }
    lines.push("\nNetworks (--network NAME, or your own TOML file: docs/NETWORKS.md)".to_owned());
    let mbit = |rate: Option<f64>| rate.map_or_else(|| "no limit".to_owned(), |rate| format!("{} Mbit/s", rate / 1e6));
    lines.extend(listing.networks.iter().map(|row| {
        let rates = format!("{} down, {} up", mbit(row.down_bits_per_second), mbit(row.up_bits_per_second));
        format!("  {:<17} {}: {} ms there and back, {rates}", row.name, row.says, row.round_trip_ms)
    }));
    lines.push("\nTransports (--transport NAME)".to_owned());
    lines.extend(listing.transports.iter().map(|row| format!("  {:<15} {}", row.name, row.summary)));
    lines.join("\n")
}
