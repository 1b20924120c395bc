//! The terminal: its width and colour, and how results, remarks and errors reach it.
//!
//! A closed pipe (`| head`) or a full disk behind standard output or standard error never ends the command. Remarks may
//! contain foreign text: each is one line without control characters.

use std::io::{self, ErrorKind, IsTerminal, Write};

use pushoff_model::foreign::shown;

use crate::Exit;

/// The width of tables without a terminal, in columns.
const DEFAULT_WIDTH: usize = 120;
/// Most characters of a remark or an error.
const LONGEST_LINE: usize = 2_000;

/// The width of standard output's terminal in columns; [`DEFAULT_WIDTH`] elsewhere.
pub(crate) fn width() -> usize {
    let columns = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    // 0 means that the terminal does not know its width.
    columns.filter(|&width| width > 0).unwrap_or(DEFAULT_WIDTH)
}

/// Whether standard output is a terminal and `NO_COLOR` is not set.
pub(crate) fn colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// One sentence on standard error, causes after colons; it begins as clap's own errors do.
pub(crate) fn error(error: &anyhow::Error) {
    remark(&format!("error: {}", told(error)));
}

/// An error with its causes; a cause that ends the text before it is left out.
pub(crate) fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.ends_with(&cause) {
            let colon = if text.is_empty() { "" } else { ": " };
            text.push_str(colon);
            text.push_str(&cause);
        }
    }
    text
}

/// A line on standard error: progress and remarks.
pub(crate) fn remark(line: &str) {
    drop(Log.write_all(line.as_bytes()));
}

/// Writes a result to standard output. A closed pipe (`| head`) is no error; any other failure is reported.
pub(crate) fn result(text: &str) -> Exit {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    match written {
        Ok(()) => Exit::Done,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Done,
        Err(cause) => {
            error(&anyhow::Error::new(cause).context("writing to standard output"));
            Exit::Unwritten
        }
    }
}

/// Standard error, one line for each write; a closed or full standard error is ignored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let mut shown = shown(text.trim_end(), LONGEST_LINE);
        shown.push('\n');
        drop(io::stderr().lock().write_all(shown.as_bytes()));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn what_a_cause_says_again_is_said_once() {
        let twice = anyhow!("no such file").context("opening x: no such file").context("reading the run");
        assert_eq!(told(&twice), "reading the run: opening x: no such file");
        let different = anyhow!("disk full").context("writing x");
        assert_eq!(told(&different), "writing x: disk full");
    }
}
