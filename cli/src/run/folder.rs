//! The folder of a run: created once, never shared with another run, written as trials end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use pushoff_model::store::RecordWriter;
use pushoff_model::{Environment, Record};

use crate::report::{ENVIRONMENT, RECORDS};

/// Where runs go that were given no folder of their own.
const RUNS: &str = "pushoff-runs";
/// Points at the newest run among [`RUNS`].
const LATEST: &str = "latest";
/// What the servers under test logged.
const SERVER_LOG: &str = "server.log";

/// A folder that records are written to.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    records: RecordWriter,
    server_log: File,
}

impl RunFolder {
    /// Creates the folder `asked`, or one named after the time of the run, with its environment.
    ///
    /// # Errors
    /// When it already holds a run, or cannot be written.
    pub(crate) fn create(asked: Option<&Path>, environment: &Environment) -> anyhow::Result<Self> {
        let path = asked.map_or_else(|| Path::new(RUNS).join(environment.run.replace(':', "-")), Path::to_owned);
        ensure!(
            !path.join(RECORDS).exists(),
            "{} already holds a run: take another --out DIR, or remove it",
            path.display()
        );
        let writing = || format!("cannot write to {}: choose a writable folder with --out", path.display());
        fs::create_dir_all(&path).with_context(writing)?;
        let json = serde_json::to_vec_pretty(environment).context("writing the environment down")?;
        pushoff_reports::write_whole(&path.join(ENVIRONMENT), &json).with_context(writing)?;
        let server_log = File::options().create(true).append(true).open(path.join(SERVER_LOG)).with_context(writing)?;
        let records = RecordWriter::create(&path.join(RECORDS)).with_context(writing)?;
        if asked.is_none() {
            point_latest_at(&path);
        }
        Ok(Self { path, records, server_log })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) const fn server_log(&self) -> &File {
        &self.server_log
    }

    /// Keeps one record.
    pub(crate) fn append(&mut self, record: &Record) -> anyhow::Result<()> {
        Ok(self.records.append(record)?)
    }
}

impl Drop for RunFolder {
    /// A log that says nothing is not worth a file.
    fn drop(&mut self) {
        let path = self.path.join(SERVER_LOG);
        if fs::metadata(&path).is_ok_and(|log| log.len() == 0)
            && let Err(error) = fs::remove_file(&path)
        {
            tracing::debug!(%error, "the empty server log stays");
        }
    }
}

/// A convenience: where links cannot be made, there is none.
fn point_latest_at(path: &Path) {
    let Some(name) = path.file_name() else { return };
    let link = Path::new(RUNS).join(LATEST);
    let old = fs::remove_file(&link);
    if let Err(error) = std::os::unix::fs::symlink(name, &link) {
        tracing::debug!(%error, ?old, "no link to the latest run");
    }
}
