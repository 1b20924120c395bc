//! Files that people write: what is wrong with one is said with its line.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Why a file was refused.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file, or one that it names, could not be read.
    #[error("reading {path}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// A line is wrong.
    #[error("{path} line {line}: {problem}")]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong and what is allowed.
        problem: String,
    },
}

/// A TOML text and where it stands, for messages.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) text: &'a str,
    pub(crate) path: &'a Path,
}

impl Source<'_> {
    /// What the text says, as far as its form goes.
    pub(crate) fn parsed<T: DeserializeOwned>(self) -> Result<T, FileError> {
        let wrong = |error: toml::de::Error| self.wrong(error.span().unwrap_or(0..0), error.message().to_owned());
        toml::from_str(self.text).map_err(wrong)
    }

    /// The error that names the line of a place in the text.
    pub(crate) fn wrong(self, at: Range<usize>, problem: String) -> FileError {
        let before = self.text.get(..at.start).unwrap_or_default();
        wrong_line(self.path, before.matches('\n').count() + 1, problem)
    }

    /// The file that `named` means: relative names count from the folder of this one.
    pub(crate) fn beside(self, named: &Path) -> PathBuf {
        self.path.parent().map_or_else(|| named.to_owned(), |folder| folder.join(named))
    }
}

/// Parses a TOML text; what is wrong with it is said with its line, and `path` for a name.
///
/// # Errors
/// When it is not TOML, or not what was asked for.
pub fn parsed<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T, FileError> {
    Source { text, path }.parsed()
}

/// Reads a file as text.
///
/// # Errors
/// When it cannot be read, or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String, FileError> {
    std::fs::read_to_string(path).map_err(|source| FileError::Unreadable { path: path.to_owned(), source })
}

pub(crate) fn wrong_line(path: &Path, line: usize, problem: String) -> FileError {
    FileError::Wrong { path: path.to_owned(), line, problem }
}
