//! `records.jsonl`: appended to as trials end, so that nothing measured is lost with the process.
//!
//! A line is written with one call and synced. A last line without its end is what a crash leaves:
//! it is reported and skipped. Any other line that cannot be read is an error. A trial counts once,
//! however often its line is found.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::file::in_plain_words;
use crate::foreign::{self, SENTENCE, shown};
use crate::record::{Record, SCHEMA_VERSION, TrialId};

/// Why records could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file could not be opened, read or written.
    #[error("{action} {}", foreign::path(.path))]
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
    #[error(
        "{} line {line} is damaged ({}): remove that line (its trial is lost), then run the command again",
        foreign::path(.path),
        shown(.problem, SENTENCE)
    )]
    NotARecord {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser said.
        problem: String,
    },
    /// A line was written by a build with another schema.
    #[error(
        "{} line {line} has schema {found}, and this build reads {SCHEMA_VERSION}: \
         read it with the pushoff that recorded it, whose version is in environment.json",
        foreign::path(.path)
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
    /// How much of the file is whole lines, in bytes.
    whole: u64,
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
        Ok(Self { file, path: path.to_owned(), whole: 0 })
    }

    /// Appends one record as one line and syncs it: wholly, or not at all.
    ///
    /// # Errors
    /// When the line cannot be written or synced: what was written before stays as it is.
    pub fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        let failed = |source| StoreError::Io { action: "appending to", path: self.path.clone(), source };
        let mut line = serde_json::to_vec(record).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => self.whole += line.len() as u64,
            // Where even that fails, a reader finds the line torn.
            Err(_) => drop(self.file.set_len(self.whole)),
        }
        written.map_err(failed)
    }
}

/// What a file held.
#[derive(Debug, Default)]
pub struct Stored {
    /// The records, in the order in which they were written.
    pub records: Vec<Record>,
    /// Whether the last line was cut short by a crash, and skipped.
    pub torn: bool,
    /// How many more lines held a trial that had been read before.
    pub repeated: usize,
}

/// Reads files of records, several as if they were one.
#[derive(Debug, Default)]
pub struct RecordReader {
    read: HashSet<Identity>,
}

/// What makes a trial the same one wherever it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Identity {
    /// Its own id.
    Id(TrialId),
    /// Where a build gave it none: all that its record holds, in whatever order and layout.
    Content(u64),
}

impl Identity {
    fn of(record: &Record, text: &[u8]) -> Result<Self, serde_json::Error> {
        if let Some(id) = record.id {
            return Ok(Self::Id(id));
        }
        let mut hasher = DefaultHasher::new();
        serde_json::from_slice::<Value>(text)?.hash(&mut hasher);
        Ok(Self::Content(hasher.finish()))
    }
}

impl RecordReader {
    /// Reads the records of one more file: those of trials that were not read before.
    ///
    /// # Errors
    /// When the file cannot be read, or holds a line that is not a record of this schema.
    pub fn read(&mut self, path: &Path) -> Result<Stored, StoreError> {
        let text = std::fs::read(path).map_err(|source| StoreError::Io {
            action: "reading",
            path: path.to_owned(),
            source,
        })?;
        let mut lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
        // What stands behind the last line's end: nothing, unless a crash cut a line short.
        let torn = lines.pop().is_some_and(|rest| !rest.is_empty());
        let mut stored = Stored { torn, ..Stored::default() };
        for (index, line) in lines.iter().enumerate().filter(|(_, line)| !line.trim_ascii().is_empty()) {
            let (record, identity) = parse_line(path, index + 1, line)?;
            if self.read.insert(identity) {
                stored.records.push(record);
            } else {
                stored.repeated += 1;
            }
        }
        Ok(stored)
    }

    /// How many trials another has read as well.
    #[must_use]
    pub fn shared_with(&self, other: &Self) -> usize {
        self.read.intersection(&other.read).count()
    }
}

/// Reads the records of one file.
///
/// # Errors
/// When the file cannot be read, or holds a line that is not a record of this schema.
pub fn read(path: &Path) -> Result<Stored, StoreError> {
    RecordReader::default().read(path)
}

fn parse_line(path: &Path, line: usize, text: &[u8]) -> Result<(Record, Identity), StoreError> {
    #[derive(Deserialize)]
    struct Schema {
        schema: u32,
    }
    let not_a_record = |error: serde_json::Error| StoreError::NotARecord {
        path: path.to_owned(),
        line,
        problem: in_plain_words(&error.to_string()),
    };
    let Schema { schema } = serde_json::from_slice(text).map_err(not_a_record)?;
    if schema != SCHEMA_VERSION {
        return Err(StoreError::OtherSchema { path: path.to_owned(), line, found: schema });
    }
    let record: Record = serde_json::from_slice(text).map_err(not_a_record)?;
    let identity = Identity::of(&record, text).map_err(not_a_record)?;
    Ok((record, identity))
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
            id: None,
            run: "test".into(),
            workload: built_in("ticker").unwrap().unwrap(),
            transport: Transport::Sse,
            client: Client::Library,
            server: OURS.into(),
            conditions: std::collections::BTreeMap::new(),
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
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("line 2 is damaged (missing field `schema`"), "{error}");
        assert!(error.contains("): remove that line (its trial is lost), then run the command again"), "{error}");
        std::fs::write(&path, text.replace("\"schema\":2", "\"schema\":99")).unwrap();
        assert!(matches!(read(&path), Err(StoreError::OtherSchema { found: 99, line: 1, .. })));
    }

    #[test]
    fn a_record_of_numbers_that_no_workload_has_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let whole = line(&record(1));
        for (right, wrong, problem) in [
            ("\"topics\":5,", "\"topics\":0,", "nonzero"),
            ("\"subscribers\":300,", "\"subscribers\":0,", "nonzero"),
            ("\"per_second\":20.0,", "\"per_second\":0.0,", "a rate is 0.00001 to 1000000 messages a second, not 0"),
            ("\"per_second\":20.0,", "\"per_second\":1e308,", "a rate is 0.00001 to 1000000 messages a second"),
        ] {
            assert!(whole.contains(right), "{right}: {whole}");
            let path = lines(folder.path(), "records.jsonl", &[&whole.replace(right, wrong)]);
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains("line 1 is damaged (") && error.contains(problem), "{error}");
        }
    }

    #[test]
    fn an_existing_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.jsonl");
        std::fs::write(&path, "precious").unwrap();
        assert!(RecordWriter::create(&path).is_err());
    }
    fn lines(folder: &Path, name: &str, lines: &[&str]) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, lines.concat()).unwrap();
        path
    }

    fn line(record: &Record) -> String {
        serde_json::to_string(record).unwrap() + "\n"
    }

    #[test]
    fn a_trial_counts_once_however_often_its_line_is_found() {
        let folder = tempfile::tempdir().unwrap();
        for id in [None, Some(TrialId(7))] {
            let one = line(&Record { id, ..record(1) });
            let other = line(&Record { id: id.map(|_| TrialId(8)), ..record(2) });
            let (first, second) = (
                lines(folder.path(), "first", &[&one, &other, &one]),
                lines(folder.path(), "second", &[&other, &one, &other]),
            );
            let mut reader = RecordReader::default();
            let (once, again) = (reader.read(&first).unwrap(), reader.read(&second).unwrap());
            assert_eq!((once.records.len(), once.repeated), (2, 1), "{id:?}");
            assert_eq!((again.records.len(), again.repeated), (0, 3), "{id:?}");
        }
    }

    #[test]
    fn an_id_tells_trials_apart_that_are_equal_and_unites_what_was_edited() {
        let folder = tempfile::tempdir().unwrap();
        let [one, twin] = [1, 2].map(|id| line(&Record { id: Some(TrialId(id)), ..record(1) }));
        let edited = line(&Record { id: Some(TrialId(1)), server: "renamed".into(), ..record(1) });
        let stored = read(&lines(folder.path(), "records", &[&one, &twin, &edited])).unwrap();
        assert_eq!((stored.records.len(), stored.repeated), (2, 1));
        assert_eq!(stored.records[0].server, OURS, "the first that is found is kept");
    }

    #[test]
    fn a_record_without_an_id_is_known_by_its_content_however_it_is_laid_out() {
        let folder = tempfile::tempdir().unwrap();
        let one = line(&record(1));
        let value: Value = serde_json::from_str(&one).unwrap();
        let backwards: Vec<String> =
            value.as_object().unwrap().iter().rev().map(|(key, value)| format!("\"{key}\" : {value}")).collect();
        let other_layout = format!("{{ {} }}\r\n", backwards.join(" , "));
        let stored = read(&lines(folder.path(), "records", &[&one, &other_layout, &line(&record(2))])).unwrap();
        assert_eq!((stored.records.len(), stored.repeated), (2, 1));
    }

    #[test]
    fn what_two_readers_have_both_read_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two, three] = [1, 2, 3].map(|trial| line(&record(trial)));
        let [mut left, mut right] = [RecordReader::default(), RecordReader::default()];
        left.read(&lines(folder.path(), "left", &[&one, &two])).unwrap();
        right.read(&lines(folder.path(), "right", &[&two, &three])).unwrap();
        assert_eq!((left.shared_with(&right), right.shared_with(&left), left.shared_with(&left)), (1, 1, 2));
    }

    #[test]
    fn an_id_that_is_none_is_refused() {
        for wrong in ["", "7", "zz", "+0000000000000000000000000000007", &"0".repeat(33)] {
            assert!(TrialId::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
        let id = TrialId(0xabc);
        assert_eq!(TrialId::try_from(String::from(id)), Ok(id));
    }

    #[test]
    fn a_line_cut_within_a_character_is_torn_like_any_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.jsonl");
        let dashed = Record { outcome: Outcome::NotRun(NotRun { reason: "a dash – here".into() }), ..record(2) };
        let text = line(&record(1)) + &line(&dashed);
        let within = text.find('–').unwrap() + 1;
        std::fs::write(&path, &text.as_bytes()[..within]).unwrap();
        let stored = read(&path).unwrap();
        assert_eq!((stored.records, stored.torn), (vec![record(1)], true));
    }

    #[test]
    fn a_line_that_is_no_text_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.jsonl");
        std::fs::write(&path, [line(&record(1)).as_bytes(), b"{\"schema\":2,\"run\":\"\xff\xfe\"}\n"].concat())
            .unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("line 2 is damaged"), "{error}");
    }
}
