//! `pushoff report`: the documents again, from what was recorded.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use pushoff_model::store::RecordReader;
use pushoff_model::{Environment, foreign};
use pushoff_reports::{Report, Run};

use crate::arguments::ReportOptions;
use crate::{Exit, terminal};

/// The records of a run.
pub(crate) const RECORDS: &str = "records.jsonl";
/// What a run ran on.
pub(crate) const ENVIRONMENT: &str = "environment.json";

pub(crate) fn report(options: &ReportOptions, json: bool) -> anyhow::Result<Exit> {
    let out = match (&options.out, options.folders.as_slice()) {
        (Some(out), _) => out.clone(),
        (None, [only]) => only.clone(),
        (None, _) => bail!("several folders need --out DIR: where the common report goes"),
    };
    let run = read(&options.folders)?.run;
    std::fs::create_dir_all(&out).with_context(|| format!("creating {}", foreign::path(&out)))?;
    publish(&run, &out, json)
}

/// What was recorded.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// The records of all folders, each trial once.
    pub(crate) run: Run,
    /// Which trials those are.
    pub(crate) trials: RecordReader,
}

/// Reads one or several recorded runs as one. A trial counts once, wherever and however often it is
/// found: a folder may be named twice, be linked to, or have been copied.
pub(crate) fn read(folders: &[PathBuf]) -> anyhow::Result<Recorded> {
    let mut run = Run::default();
    let mut trials = RecordReader::default();
    let mut repeated = 0;
    for folder in folders {
        let stored = trials.read(&folder.join(RECORDS)).with_context(|| {
            format!("{} is not a recorded run: name a folder that `pushoff run` wrote", foreign::path(folder))
        })?;
        if stored.torn {
            terminal::remark(&format!("{}: the last record was cut short and is left out", foreign::path(folder)));
        }
        repeated += stored.repeated;
        for record in &stored.records {
            let same_name = run.records.iter().find(|other| other.workload.name == record.workload.name);
            ensure!(
                same_name.is_none_or(|other| other.workload == record.workload),
                "{} holds another workload of the name {}: runs of different workloads cannot be one report",
                foreign::path(folder),
                record.workload.name
            );
        }
        let environment = environment(folder)?;
        if !run.environments.contains(&environment) {
            run.environments.push(environment);
        }
        run.records.extend(stored.records);
    }
    ensure!(!run.records.is_empty(), "there is no record in {}: nothing to report", list(folders));
    if repeated > 0 {
        let what = if repeated == 1 {
            "record is left out: it is of a trial"
        } else {
            "records are left out: they are of trials"
        };
        let were = if repeated == 1 { "was" } else { "were" };
        terminal::remark(&format!(
            "{repeated} {what} that {were} read already (a folder named twice, a link such as latest, or a copy), and a \
             trial counts once"
        ));
    }
    Ok(Recorded { run, trials })
}

/// Writes a run's documents into a folder that is there, and shows its verdict: that also where a
/// document cannot be written.
pub(crate) fn publish(run: &Run, folder: &Path, json: bool) -> anyhow::Result<Exit> {
    let report = Report::of(run)?;
    let written = report.write(folder);
    let shown = terminal::result(&if json {
        serde_json::to_string_pretty(&report.json()).context("writing the findings")?
    } else {
        report.terminal(terminal::width(), terminal::colour())
    });
    match written {
        Ok(()) => {
            terminal::remark(&format!("report: {}", foreign::path(&folder.join("report.html"))));
            Ok(shown)
        }
        Err(error) => {
            let again = format!(
                "a document is missing: make room and run `pushoff report {}`, or add --out DIR to it",
                foreign::path(folder)
            );
            terminal::error(&anyhow::Error::new(error).context(again));
            Ok(shown.and(Exit::Unwritten))
        }
    }
}

fn environment(folder: &Path) -> anyhow::Result<Environment> {
    let path = folder.join(ENVIRONMENT);
    let file = File::open(&path).with_context(|| format!("reading {}", foreign::path(&path)))?;
    serde_json::from_reader(BufReader::new(file))
        .with_context(|| format!("{} is not what `pushoff run` wrote", foreign::path(&path)))
}

fn list(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| foreign::path(folder)).collect::<Vec<_>>().join(", ")
}
