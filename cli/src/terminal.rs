//! What the terminal can do, and how results, remarks and errors reach it.
//!
//! Whoever reads them may be gone (`| head`), and a file behind them may be full: neither ends the
//! command. What others wrote stands in many of them: each remark is one line that steers nothing.

use std::io::{self, ErrorKind, IsTerminal, Write};

use pushoff_model::foreign::shown;

use crate::Exit;

/// The width that tables are fitted to where there is no terminal, in columns.
const DEFAULT_WIDTH: usize = 120;
/// Characters of a remark or an error.
const LONGEST_LINE: usize = 2_000;

/// The width of standard output's terminal in columns; [`DEFAULT_WIDTH`] elsewhere.
pub(crate) fn width() -> usize {
    let columns = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    // A terminal that says 0 does not know.
    columns.filter(|&width| width > 0).unwrap_or(DEFAULT_WIDTH)
}

/// Whether standard output is a terminal that wants colour.
pub(crate) fn colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// One sentence on standard error, causes after colons.
pub(crate) fn error(error: &anyhow::Error) {
    remark(&format!("pushoff: {}", told(error)));
}

/// An error with its causes; one that the text before it has said already is left out.
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

/// A result on standard output. A reader that went away (`| head`) is no error; where it could not be
/// written otherwise, that is told.
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

/// Standard error, a line for each that is written, and no error where it is closed or full.
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
