//! `pushoff report`: the documents again, from what was recorded.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use pushoff_model::{Environment, store};
use pushoff_reports::Run;

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
    let run = read(&options.folders)?;
    publish(&run, &out, json)?;
    Ok(Exit::Done)
}

/// Reads one or several recorded runs as one.
pub(crate) fn read(folders: &[PathBuf]) -> anyhow::Result<Run> {
    let mut run = Run { environments: Vec::new(), records: Vec::new() };
    for folder in folders {
        let stored = store::read(&folder.join(RECORDS)).with_context(|| {
            format!("{} is not a recorded run: name a folder that `pushoff run` wrote", folder.display())
        })?;
        if stored.torn {
            terminal::remark(&format!("{}: the last record was cut short and is left out", folder.display()));
        }
        for record in &stored.records {
            let same_name = run.records.iter().find(|other| other.workload.name == record.workload.name);
            ensure!(
                same_name.is_none_or(|other| other.workload == record.workload),
                "{} holds another workload of the name {}: runs of different workloads cannot be one report",
                folder.display(),
                record.workload.name
            );
        }
        run.environments.push(environment(folder)?);
        run.records.extend(stored.records);
    }
    ensure!(!run.records.is_empty(), "there is no record in {}: nothing to report", list(folders));
    Ok(run)
}

/// Writes a run's documents and shows its verdict.
pub(crate) fn publish(run: &Run, folder: &Path, json: bool) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    pushoff_reports::write(run, folder)?;
    terminal::result(&if json {
        serde_json::to_string_pretty(&pushoff_reports::summary(run)).context("writing the summary")?
    } else {
        pushoff_reports::terminal(run, terminal::width(), terminal::colour())
    });
    terminal::remark(&format!("report: {}", folder.join("report.html").display()));
    Ok(())
}

fn environment(folder: &Path) -> anyhow::Result<Environment> {
    let path = folder.join(ENVIRONMENT);
    let file = File::open(&path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_reader(BufReader::new(file))
        .with_context(|| format!("{} is not what `pushoff run` wrote", path.display()))
}

fn list(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}
