//! What the terminal can do, and how errors look on it.

use std::io::{IsTerminal, Write};

/// The width that tables are fitted to where there is no terminal, in columns.
const DEFAULT_WIDTH: usize = 120;

/// The width of standard output's terminal in columns; [`DEFAULT_WIDTH`] elsewhere.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size().map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0))
}

/// Whether standard output is a terminal that wants colour.
pub(crate) fn colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// One sentence on standard error, causes after colons.
#[expect(clippy::print_stderr, reason = "this is where errors reach the user")]
pub(crate) fn error(error: &anyhow::Error) {
    eprintln!("pushoff: {error:#}");
}

/// A line on standard error: progress and remarks.
#[expect(clippy::print_stderr, reason = "this is where remarks reach the user")]
pub(crate) fn remark(line: &str) {
    eprintln!("{line}");
}

/// A result on standard output. A reader that went away (`| head`) is no error.
pub(crate) fn result(text: &str) {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    if let Err(error) = written {
        tracing::debug!(%error, "standard output was closed");
    }
}
