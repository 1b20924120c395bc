//! `pushoff report`: writes the report again, from the records.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use pushoff_model::store::{RecordReader, StoreError};
use pushoff_model::{Environment, foreign};
use pushoff_reports::{Report, Run};

use crate::arguments::ReportOptions;
use crate::{Exit, terminal};

/// The records of a run.
pub(crate) const RECORDS: &str = "records.jsonl";
/// The environment of a run.
pub(crate) const ENVIRONMENT: &str = "environment.json";
/// Most runs that a message names.
const MOST_NAMED: usize = 5;

pub(crate) fn report(options: &ReportOptions, json: bool) -> anyhow::Result<Exit> {
    let out = match (&options.out, options.folders.as_slice()) {
        (Some(out), _) => out.clone(),
        (None, [only]) => only.clone(),
        (None, _) => bail!("several folders need --out DIR, a folder for their common report"),
    };
    let run = read(&options.folders)?.run;
    let writing = || format!("cannot write to {}: choose a writable folder with --out", foreign::path(&out));
    std::fs::create_dir_all(&out).with_context(writing)?;
    publish(&run, &out, json)
}

/// The records that were read.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// The records of all folders, each trial once.
    pub(crate) run: Run,
    /// The trials of those records.
    pub(crate) trials: RecordReader,
}

/// Reads one or several recorded runs as one. Each trial counts once, even if a folder is named twice, linked or
/// copied.
pub(crate) fn read(folders: &[PathBuf]) -> anyhow::Result<Recorded> {
    let mut run = Run::default();
    let mut trials = RecordReader::default();
    let mut repeated = 0;
    for folder in folders {
        let stored = trials.read(&folder.join(RECORDS)).map_err(|error| unread(folder, error))?;
        if stored.torn {
            terminal::remark(&format!("{}: the last record was cut short and is left out", foreign::path(folder)));
        }
        repeated += stored.repeated;
        for record in &stored.records {
            let same_name = run.records.iter().find(|other| other.workload.name == record.workload.name);
            ensure!(
                same_name.is_none_or(|other| other.workload == record.workload),
                "{} holds a different workload named {}: report these runs apart",
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
    ensure!(!run.records.is_empty(), "{} holds no record: nothing to report", list(folders));
    if repeated > 0 {
        let records = if repeated == 1 { "record is left out" } else { "records are left out" };
        terminal::remark(&format!(
            "{repeated} {records}: the same trials were read before (a folder named twice, a link such as latest, or a \
             copy)"
        ));
    }
    Ok(Recorded { run, trials })
}

/// Writes a run's report into an existing folder and prints the verdict, even if a file cannot be written.
pub(crate) fn publish(run: &Run, folder: &Path, json: bool) -> anyhow::Result<Exit> {
    let report = Report::of(run)?;
    let written = report.write(folder);
    let shown = terminal::result(&if json {
        serde_json::to_string_pretty(&report.document().json()).context("writing the findings")?
    } else {
        report.document().terminal(terminal::width(), terminal::colour())
    });
    match written {
        Ok(()) => {
            terminal::remark(&format!("report: {}", foreign::path(&folder.join("report.html"))));
            Ok(shown)
        }
        Err(error) => {
            let again = format!(
                "a file of the report is missing: free some space and run `pushoff report {}`, or add --out DIR",
                foreign::path(folder)
            );
            terminal::error(&anyhow::Error::new(error).context(again));
            Ok(shown.and(Exit::Unwritten))
        }
    }
}

/// Why a folder's records were not read, with what to do.
fn unread(folder: &Path, error: StoreError) -> anyhow::Error {
    let StoreError::Io { .. } = error else { return error.into() };
    let within = runs_within(folder);
    let advice = if within.is_empty() {
        format!("{} is not a recorded run: name a folder that `pushoff run` wrote", foreign::path(folder))
    } else {
        let named = list(&within[..within.len().min(MOST_NAMED)]);
        let more = if within.len() > MOST_NAMED { ", …" } else { "" };
        format!("{} holds runs in its folders: name one or several of {named}{more}", foreign::path(folder))
    };
    anyhow::Error::new(error).context(advice)
}

/// The folders in a folder that hold a run.
fn runs_within(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut runs: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|it| it.join(RECORDS).is_file()).collect();
    runs.sort_unstable();
    runs
}

fn environment(folder: &Path) -> anyhow::Result<Environment> {
    let path = folder.join(ENVIRONMENT);
    let advice = |is: &str| {
        format!("{} is {is}: restore it from a copy of the run's folder, or measure again", foreign::path(&path))
    };
    let file = File::open(&path).with_context(|| advice("missing or unreadable"))?;
    serde_json::from_reader(BufReader::new(file)).with_context(|| advice("damaged"))
}

fn list(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| foreign::path(folder)).collect::<Vec<_>>().join(", ")
}
