//! `pushoff list`: the built-in workloads, networks and the transports.

use anyhow::Context;
use pushoff_model::Transport;
use pushoff_model::network::{self, Rate};
use pushoff_model::workload::{BUILT_IN, parse};
use pushoff_reports::describe;
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
    /// Whether a rate changes all the time.
    rate_varies: bool,
    /// The share of packets that are lost in the long run, in the direction that loses more.
    loss: f64,
    loses_in_bursts: bool,
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
        slo: describe::slo(&workload),
        load: describe::load(&workload),
        name: workload.name,
        question: workload.question,
    })
}

fn network(name: &str) -> anyhow::Result<NetworkRow> {
    let network = network::built_in(name).context("a built-in network")??;
    let both = [&network.down, &network.up];
    Ok(NetworkRow {
        rate_varies: both.iter().any(|way| matches!(way.rate, Some(Rate::Trace(_)))),
        loss: both.iter().map(|way| way.loss_in_the_long_run()).fold(0.0, f64::max),
        loses_in_bursts: both.iter().any(|way| way.bursts.is_some()),
        round_trip_ms: network.round_trip().as_secs_f64() * 1e3,
        down_bits_per_second: network.down.mean_bits_per_second(),
        up_bits_per_second: network.up.mean_bits_per_second(),
        name: network.name,
        says: network.says,
    })
}

/// What a network does: `round trip 30 ms, 10 Mbit/s down, 5 Mbit/s up, 1.2 % lost in bursts`.
fn path(row: &NetworkRow) -> String {
    let rate = |rate: Option<f64>| {
        rate.map_or_else(|| "no limit".to_owned(), |rate| format!("{} Mbit/s", describe::number(rate / 1e6)))
    };
    let (down, up) = (rate(row.down_bits_per_second), rate(row.up_bits_per_second));
    let varying = if row.rate_varies { ", varying rate" } else { "" };
    let bursts = if row.loses_in_bursts { " in bursts" } else { "" };
    let lost = if row.loss > 0.0 { format!(", {} lost{bursts}", describe::share(row.loss)) } else { String::new() };
    format!("round trip {} ms, {down} down, {up} up{varying}{lost}", describe::number(row.round_trip_ms))
}

fn prose(listing: &Listing) -> String {
    let mut lines = vec!["Workloads (--workload NAME, or your own TOML file: docs/WORKLOADS.md)".to_owned()];
    for row in &listing.workloads {
        lines.push(format!("  {:<15} {}", row.name, row.question));
        lines.push(format!("  {:<15} {}", "", row.load));
        lines.push(format!("  {:<15} good enough: {}", "", row.slo));
    }
    lines.push("\nNetworks (--network NAME, or your own TOML file: docs/NETWORKS.md)".to_owned());
    lines.extend(listing.networks.iter().map(|row| format!("  {:<17} {}: {}", row.name, row.says, path(row))));
    lines.push("\nTransports (--transport NAME)".to_owned());
    lines.extend(listing.transports.iter().map(|row| format!("  {:<15} {}", row.name, row.summary)));
    lines.join("\n")
}
