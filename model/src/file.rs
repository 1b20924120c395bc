//! Files that people write: what is wrong with one is said with its line.

mod typed;

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::foreign::{self, shown};

pub(crate) use typed::Typed;

/// The largest file that is read, in bytes: a trace of millions of messages. Chosen here.
const LARGEST_BYTES: u64 = 256 << 20;
/// Characters of what is wrong with a line.
const LONGEST_PROBLEM: usize = 1_000;

/// What a library calls the kinds of a value, and what people do.
const KINDS: [(&str, &str); 7] = [
    ("expected i64", "a whole number is needed"),
    ("expected u64", "a whole number from 0 on is needed"),
    ("expected f64", "a number is needed"),
    ("expected a boolean", "true or false is needed"),
    ("expected a string", "a text in quotation marks is needed"),
    ("expected path string", "the name of a file in quotation marks is needed"),
    ("expected a sequence", "a list in brackets is needed"),
];

/// Why a file was refused.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file, or one that it names, could not be read.
    #[error("reading {}", foreign::path(.path))]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// A line is wrong.
    #[error("{} line {line}: {}", foreign::path(.path), shown(.problem, LONGEST_PROBLEM))]
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

impl<'a> Source<'a> {
    /// What the text says, as far as its form goes.
    pub(crate) fn parsed<T: DeserializeOwned>(self) -> Result<T, FileError> {
        toml::from_str(self.text).map_err(|error: toml::de::Error| {
            let at = error.span().unwrap_or(0..0);
            let key = self.key_of(at.start).map_or_else(String::new, |key| format!("`{key}`: "));
            self.wrong(at, format!("{key}{}", in_plain_words(error.message())))
        })
    }

    /// The key that the value at a place in the text belongs to; none where no value stands there.
    fn key_of(self, value: usize) -> Option<&'a str> {
        let before = self.text.get(..value)?.trim_end_matches([' ', '\t']).strip_suffix('=')?.trim_end();
        let is_of_key = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        let key = &before[before.trim_end_matches(is_of_key).len()..];
        (!key.is_empty()).then_some(key)
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
/// When it cannot be read, is larger than 256 MiB, or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String, FileError> {
    let bytes = File::open(path).and_then(|file| at_most(LARGEST_BYTES, file));
    let bytes = bytes.map_err(|source| FileError::Unreadable { path: path.to_owned(), source })?;
    String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = before.filter(|&&byte| byte == b'\n').count() + 1;
        wrong_line(path, line, "this is not UTF-8: save the file as UTF-8 text".into())
    })
}

/// All that there is to read; an error where that is more than so many bytes.
fn at_most(limit: u64, reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {} MiB", limit >> 20)));
    }
    Ok(bytes)
}

pub(crate) fn wrong_line(path: &Path, line: usize, problem: String) -> FileError {
    FileError::Wrong { path: path.to_owned(), line, problem }
}

/// A library's message without the names that kinds of values have in a program.
pub(crate) fn in_plain_words(message: &str) -> String {
    let message = message.replace('\n', ", ").replace(" at line 1 column ", " at column ");
    if let Some((_, number)) = message.split_once("invalid type: integer `")
        && let Some((number, _)) = number.split_once("` as i128")
    {
        return format!("integer {number} is too large");
    }
    let Some(at) = message.rfind("expected ") else {
        return match message.as_str() {
            "floating-point number overflowed" => "this number is too large".into(),
            "wanted string or table" => "a text or a table is needed".into(),
            "wanted exactly 1 element, more than 1 element" => "one value is needed, not several".into(),
            _ => message,
        };
    };
    let (before, kind) = message.split_at(at);
    if kind.starts_with("expected struct ") {
        return format!("{before}a table is needed");
    }
    let known = KINDS.into_iter().find_map(|(name, words)| Some((kind.strip_prefix(name)?, words)));
    match known.filter(|(rest, _)| rest.is_empty() || rest.starts_with(" at ")) {
        Some((rest, words)) => format!("{before}{words}{rest}"),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only what is wrong is read")]
    struct Form {
        whole: i64,
        number: Option<f64>,
        text: Option<String>,
        file: Option<PathBuf>,
        many: Option<Vec<String>>,
        yes: Option<bool>,
        table: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only what is wrong is read")]
    struct Inner {
        whole: i64,
    }

    #[test]
    fn a_value_of_another_kind_is_named_by_line_and_key_and_in_words() {
        for (line, wanted) in [
            ("whole = \"x\"", "f.toml line 2: `whole`: invalid type: string \"x\", a whole number is needed"),
            ("whole = 1.5", "`whole`: invalid type: floating point `1.5`, a whole number is needed"),
            ("whole = 1\nnumber = true", "line 3: `number`: invalid type: boolean `true`, a number is needed"),
            ("whole = 1\nnumber = 1e400", "line 3: `number`: this number is too large"),
            ("whole = 1\ntext = 7", "`text`: invalid type: integer `7`, a text in quotation marks is needed"),
            (
                "whole = 1\nfile = 7",
                "`file`: invalid type: integer `7`, the name of a file in quotation marks is needed",
            ),
            ("whole = 1\nmany = 7", "`many`: invalid type: integer `7`, a list in brackets is needed"),
            ("whole = 1\nyes = 7", "`yes`: invalid type: integer `7`, true or false is needed"),
            ("whole = 1\ntable = 7", "`table`: invalid type: integer `7`, a table is needed"),
            ("whole = 1\ntable = { whole = [] }", "line 3: `whole`: invalid type: sequence, a whole number is needed"),
        ] {
            let error = parsed::<Form>(&format!("\n{line}\n"), Path::new("f.toml")).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn what_is_no_toml_is_one_line_with_its_number() {
        for wrong in
            ["whole", "whole = ", "whole = 1\n[", "whole = 1 2", "= 1", "whole = 99999999999999999999", "\u{1b}[2J"]
        {
            let error = parsed::<Form>(wrong, Path::new("f.toml")).unwrap_err().to_string();
            assert!(error.starts_with("f.toml line ") && !error.contains(['\n', '\u{1b}']), "{error}");
            assert!(!error.contains("i64"), "{error}");
        }
    }

    #[test]
    fn what_a_file_spells_into_a_message_stays_one_line() {
        let text = format!("whole = \"\\u001b]0;{}\"\n", "x".repeat(5_000));
        let error = parsed::<Form>(&text, Path::new("a\nb.toml")).unwrap_err().to_string();
        assert!(error.starts_with(r"a\nb.toml line 1: `whole`") && !error.contains(['\n', '\u{1b}']), "{error}");
        assert!(error.chars().count() < 1_100, "{error}");
    }

    #[test]
    fn a_file_that_is_no_text_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("latin1.toml");
        std::fs::write(&path, b"name = \"x\"\nquestion = \"caf\xe9\"\n").unwrap();
        let error = read_text(&path).unwrap_err().to_string();
        assert!(error.ends_with("latin1.toml line 2: this is not UTF-8: save the file as UTF-8 text"), "{error}");
    }

    #[test]
    fn a_file_without_an_end_is_refused() {
        let error = at_most(1 << 20, io::repeat(b'x')).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 1 MiB");
        assert_eq!(at_most(1 << 20, io::repeat(b'x').take(1 << 20)).unwrap().len(), 1 << 20);
    }
}
