//! `pushoff probe`: what a server offers, technique by technique, and what is wrong.

use anyhow::Context;
use pushoff_loadgen::{Finding, probe as look};
use pushoff_model::foreign::shown;
use pushoff_model::target::Target;
use pushoff_model::{Client, Transport};
use serde::Serialize;

use crate::arguments::ProbeOptions;
use crate::pinning::{Cpus, GeneratorCpus};
use crate::{Exit, runtime, survey, targets, terminal};

/// Most characters of a reason.
const REASON: usize = 1_000;

/// The result for one transport, for scripts.
#[derive(Serialize)]
struct Row {
    transport: &'static str,
    #[serde(flatten)]
    found: Found,
}

#[derive(Serialize)]
#[serde(tag = "found", rename_all = "kebab-case")]
enum Found {
    Offered { first_message_ns: u64, resumes: bool },
    NotDescribed,
    Wrong { reason: String },
}

pub(crate) fn probe(options: &ProbeOptions, json: bool) -> anyhow::Result<Exit> {
    let target = targets::asked(std::slice::from_ref(&options.target))?.remove(0);
    let cpus = Cpus::take(true, GeneratorCpus::Half)?;
    let (says, findings, death) = runtime::build(cpus.allowed)?.block_on(async {
        let mut served = survey::begin(&target, &cpus, &options.trust.anchor())
            .await
            .with_context(|| format!("looking at {}", target.name))?;
        let findings = look(&served.server, &spoken(&target), Client::Library).await;
        let says = survey::says(&target, &served);
        let death = if findings.iter().any(|finding| finding.verdict.is_err()) { served.death().await } else { None };
        served.end().await;
        anyhow::Ok((says, findings, death))
    })?;
    let rows: Vec<Row> = Transport::ALL.into_iter().map(|transport| row(transport, &findings)).collect();
    let text = if json {
        serde_json::to_string_pretty(&rows)?
    } else {
        std::iter::once(says).chain(lines(&rows)).collect::<Vec<_>>().join("\n")
    };
    if let Some(death) = death {
        terminal::remark(&format!("{}: {death}", target.name));
    }
    let is_wrong = rows.iter().any(|row| matches!(row.found, Found::Wrong { .. }));
    Ok(terminal::result(&text).and(if is_wrong { Exit::CellFailed } else { Exit::Done }))
}

/// The transports that a target describes.
pub(crate) fn spoken(target: &Target) -> Vec<Transport> {
    Transport::ALL.into_iter().filter(|&transport| target.speaks(transport)).collect()
}

fn row(transport: Transport, findings: &[Finding]) -> Row {
    let finding = findings.iter().find(|finding| finding.transport == transport);
    let found = match finding.map(|finding| &finding.verdict) {
        None => Found::NotDescribed,
        Some(Ok(offer)) => {
            let first_message_ns = pushoff_model::time::nanos(offer.first_message);
            Found::Offered { first_message_ns, resumes: offer.resumes }
        }
        // The row names the transport already.
        Some(Err(_)) => {
            let reason = finding.and_then(Finding::without_its_transport).unwrap_or_default();
            Found::Wrong { reason: shown(reason, REASON) }
        }
    };
    Row { transport: transport.name(), found }
}

/// One line a transport; transports with the same problem share a line.
fn lines(rows: &[Row]) -> Vec<String> {
    let mut lines: Vec<(Vec<&str>, String)> = Vec::new();
    for row in rows {
        let said = prose(&row.found);
        let is_wrong = matches!(row.found, Found::Wrong { .. });
        match lines.iter_mut().find(|(_, other)| is_wrong && *other == said) {
            Some((names, _)) => names.push(row.transport),
            None => lines.push((vec![row.transport], said)),
        }
    }
    let line = |(names, said): (Vec<&str>, String)| match names[..] {
        [name] => format!("  {name:<15} {said}"),
        _ => format!("  {}:\n  {:<15} {said}", names.join(", "), ""),
    };
    lines.into_iter().map(line).collect()
}

fn prose(found: &Found) -> String {
    match found {
        Found::NotDescribed => "not described".to_owned(),
        Found::Wrong { reason } => reason.clone(),
        Found::Offered { first_message_ns, resumes } => {
            let resumes = if *resumes { "resumes after a break" } else { "starts over after a break" };
            let microseconds = first_message_ns / 1_000;
            format!(
                "offered: first message after {}.{} ms, {resumes}",
                microseconds / 1_000,
                microseconds % 1_000 / 100
            )
        }
    }
}
