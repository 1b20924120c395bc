//! `records.jsonl`: appended to as trials end, so that nothing measured is lost with the process.
//!
//! A line is written with one call and synced. A last line without its end is what a crash leaves:
//! it is reported and skipped. Any other line that cannot be read is an error.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::record::{Record, SCHEMA_VERSION};

/// Why records could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file could not be opened, read or written.
    #[error("{action} {path}")]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// A line is not a record.
    #[error("{path} line {line} is not a pushoff record; remove the line, or run again into another folder")]
    NotARecord {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// A line was written by a build with another schema.
    #[error(
        "{path} line {line} has schema {found}, and this build reads {SCHEMA_VERSION}: \
         render it with the pushoff that recorded it"
    )]
    OtherSchema {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The schema found.
        found: u32,
    },
}

/// Appends records to one file.
#[derive(Debug)]
pub struct RecordWriter {
    file: File,
    path: PathBuf,
}

impl RecordWriter {
    /// Creates `path`, which must not exist yet.
    ///
    /// # Errors
    /// When the file exists or cannot be created.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let file = OpenOptions::new().create_new(true).append(true).open(path).map_err(|source| StoreError::Io {
            action: "creating",
            path: path.to_owned(),
            source,
        })?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Appends one record as one line and syncs it.
    ///
    /// # Errors
    /// When the line cannot be written or synced.
    pub fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        let failed = |source| StoreError::Io { action: "appending to", path: self.path.clone(), source };
        let mut line = serde_json::to_vec(record).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(failed)?;
        self.file.sync_data().map_err(failed)
    }
}

/// What a file held.
#[derive(Debug, Default)]
pub struct Stored {
    /// The records, in the order in which they were written.
    pub records: Vec<Record>,
    /// Whether the last line was cut short by a crash, and skipped.
    pub torn: bool,
}

/// Reads the records of one file.
///
/// # Errors
/// When the file cannot be read, or holds a line that is not a record of this schema.
pub fn read(path: &Path) -> Result<Stored, StoreError> {
    let text = std::fs::read_to_string(path).map_err(|source| StoreError::Io {
        action: "reading",
        path: path.to_owned(),
        source,
    })?;
    let mut stored = Stored { torn: !text.is_empty() && !text.ends_with('\n'), ..Stored::default() };
    let whole = if stored.torn { text.rfind('\n').map_or("", |end| text.split_at(end).0) } else { &text };
    for (index, line) in whole.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        stored.records.push(parse_line(path, index + 1, line)?);
    }
    Ok(stored)
}

fn parse_line(path: &Path, line: usize, text: &str) -> Result<Record, StoreError> {
    #[derive(Deserialize)]
    struct Schema {
        schema: u32,
    }
    let not_a_record = |source| StoreError::NotARecord { path: path.to_owned(), line, source };
    let Schema { schema } = serde_json::from_str(text).map_err(not_a_record)?;
    if schema != SCHEMA_VERSION {
        return Err(StoreError::OtherSchema { path: path.to_owned(), line, found: schema });
    }
    serde_json::from_str(text).map_err(not_a_record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::record::{NotRun, Outcome};
    use crate::target::OURS;
    use crate::transport::Transport;
    use crate::workload::built_in;

    fn record(trial: u32) -> Record {
        Record {
            schema: SCHEMA_VERSION,
            run: "test".into(),
            workload: built_in("ticker").unwrap().unwrap(),
            transport: Transport::Sse,
            client: Client::Library,
            server: OURS.into(),
            step: None,
            trial,
            position: trial,
            seed: 1,
            outcome: Outcome::NotRun(NotRun { reason: "a test".into() }),
        }
    }

    #[test]
    fn a_line_cut_short_is_told_and_the_rest_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.jsonl");
        let mut writer = RecordWriter::create(&path).unwrap();
        writer.append(&record(1)).unwrap();
        writer.append(&record(2)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 7]).unwrap();
        let stored = read(&path).unwrap();
        assert!(stored.torn);
        assert_eq!(stored.records, [record(1)]);
    }

    #[test]
    fn a_line_that_is_no_record_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.jsonl");
        RecordWriter::create(&path).unwrap().append(&record(1)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}{{}}\n{text}")).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("line 2"));
        std::fs::write(&path, text.replace("\"schema\":2", "\"schema\":99")).unwrap();
        assert!(matches!(read(&path), Err(StoreError::OtherSchema { found: 99, line: 1, .. })));
    }

    #[test]
    fn an_existing_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.jsonl");
        std::fs::write(&path, "precious").unwrap();
        assert!(RecordWriter::create(&path).is_err());
    }
}
