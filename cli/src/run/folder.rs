//! The folder of a run: created once, never shared with another run, written when a trial ends.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use pushoff_model::store::RecordWriter;
use pushoff_model::{Environment, Record, foreign};

use crate::report::{ENVIRONMENT, RECORDS};
use crate::terminal;

/// The default folder of runs.
const RUNS: &str = "pushoff-runs";
/// The link to the newest run in [`RUNS`].
const LATEST: &str = "latest";
/// The log of the servers under test.
const SERVER_LOG: &str = "server.log";

/// The folder of a run.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    /// Whether it stands in [`RUNS`].
    is_default: bool,
    records: RecordWriter,
    /// Number of records written.
    kept: u32,
    server_log: File,
}

impl RunFolder {
    /// Creates the folder `asked`, or one named after the time of the run, with its environment.
    ///
    /// # Errors
    /// When the folder already holds a run, or cannot be written.
    pub(crate) fn create(asked: Option<&Path>, environment: &Environment) -> anyhow::Result<Self> {
        let path = asked.map_or_else(|| Path::new(RUNS).join(environment.run.replace(':', "-")), Path::to_owned);
        ensure!(
            !path.join(RECORDS).exists(),
            "{} already holds a run: choose another --out DIR, or remove it",
            foreign::path(&path)
        );
        let writing = || format!("cannot write to {}: choose a writable folder with --out", foreign::path(&path));
        fs::create_dir_all(&path).with_context(writing)?;
        let json = serde_json::to_vec_pretty(environment).context("encoding the environment")?;
        if let Err(error) = pushoff_reports::write_whole(&path.join(ENVIRONMENT), &json) {
            let removed = fs::remove_dir(&path);
            tracing::debug!(?removed, "an empty folder is of no use");
            return Err(error).with_context(writing);
        }
        let server_log = File::options().create(true).append(true).open(path.join(SERVER_LOG)).with_context(writing)?;
        let records = RecordWriter::create(&path.join(RECORDS)).with_context(writing)?;
        Ok(Self { path, is_default: asked.is_none(), records, kept: 0, server_log })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) const fn server_log(&self) -> &File {
        &self.server_log
    }

    /// Writes one record; the first makes this the latest run.
    pub(crate) fn append(&mut self, record: &Record) -> anyhow::Result<()> {
        self.records.append(record)?;
        if self.kept == 0 && self.is_default {
            point_latest_at(&self.path);
        }
        self.kept += 1;
        Ok(())
    }

    /// Removes what a run without a record leaves: its files, and its folder if that holds nothing else.
    pub(crate) fn discard(self) {
        let files = [ENVIRONMENT, RECORDS, SERVER_LOG].map(|name| fs::remove_file(self.path.join(name)));
        let folder = fs::remove_dir(&self.path);
        tracing::debug!(?files, ?folder, "nothing was measured");
    }

    /// Number of records written.
    pub(crate) const fn kept(&self) -> u32 {
        self.kept
    }
}

impl Drop for RunFolder {
    /// Removes an empty log.
    fn drop(&mut self) {
        let path = self.path.join(SERVER_LOG);
        if fs::metadata(&path).is_ok_and(|log| log.len() == 0)
            && let Err(error) = fs::remove_file(&path)
        {
            tracing::debug!(%error, "the empty server log stays");
        }
    }
}

/// Updates the link to the latest run, if links are possible and the name is free.
fn point_latest_at(path: &Path) {
    let Some(name) = path.file_name() else { return };
    let link = Path::new(RUNS).join(LATEST);
    if fs::symlink_metadata(&link).is_ok() && !is_ours(&link) {
        terminal::remark(&format!(
            "{} is not a link of pushoff's and stays as it is: this run is in {}",
            foreign::path(&link),
            foreign::path(path)
        ));
        return;
    }
    let old = fs::remove_file(&link);
    if let Err(error) = std::os::unix::fs::symlink(name, &link) {
        tracing::debug!(%error, ?old, "no link to the latest run");
    }
}

/// Whether a path is a link to a run in the same folder, by the form of its name.
fn is_ours(link: &Path) -> bool {
    let digits = |name: &str| name.chars().map(|it| if it.is_ascii_digit() { '0' } else { it }).collect::<String>();
    let name = fs::read_link(link).ok().and_then(|target| target.into_os_string().into_string().ok());
    name.is_some_and(|name| digits(&name).starts_with("0000-00-00T00-00-00Z-") && !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_a_link_to_a_run_beside_it_is_ours() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (target, ours) in [
            ("2026-11-27T12-13-59Z-4711", true),
            ("2026-11-27T12-13-59Z-4711/", false),
            ("mine", false),
            ("../2026-11-27T12-13-59Z-4711", false),
            ("/2026-11-27T12-13-59Z-4711", false),
        ] {
            let link = at("link");
            symlink(target, &link).unwrap();
            assert_eq!(is_ours(&link), ours, "{target}");
            fs::remove_file(&link).unwrap();
        }
        fs::write(at("file"), "precious").unwrap();
        fs::create_dir(at("folder")).unwrap();
        assert!(["file", "folder", "nothing"].into_iter().all(|name| !is_ours(&at(name))));
    }
}
