//! `pushoff list`: the built-in workloads and the transports.

use anyhow::Context;
use pushoff_model::Transport;
use pushoff_model::workload::{BUILT_IN, parse};
use serde::Serialize;

use crate::{Exit, terminal};

#[derive(Serialize)]
struct Listing {
    workloads: Vec<WorkloadRow>,
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
    let listing = Listing { workloads, transports };
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

fn prose(listing: &Listing) -> String {
    let mut lines = vec!["Workloads (--workload NAME, or your own TOML file: docs/WORKLOADS.md)".to_owned()];
    for row in &listing.workloads {
        lines.push(format!("  {:<15} {}", row.name, row.question));
        lines.push(format!("  {:<15} {}", "", row.load));
        lines.push(format!("  {:<15} good enough: {}", "", row.slo));
    }
    lines.push("\nTransports (--transport NAME)".to_owned());
    lines.extend(listing.transports.iter().map(|row| format!("  {:<15} {}", row.name, row.summary)));
    lines.join("\n")
}
