//! The `pushoff` command: one file a subcommand.
//!
//! Results go to standard output, logs and progress to standard error. Only this crate prints.

mod agent;
mod arguments;
mod budget;
mod diff;
mod environment;
mod interrupt;
mod link;
mod list;
mod named;
mod nats;
mod pinning;
mod plan;
mod preflight;
mod probe;
mod progress;
mod report;
mod run;
mod runtime;
mod serve;
mod served;
mod server_process;
mod targets;
mod terminal;
mod throttle;
mod values;

use std::io::ErrorKind;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::{CommandFactory, Parser};
use pushoff_model::foreign;
use tracing_subscriber::EnvFilter;

use arguments::{Arguments, Command};
use pinning::GeneratorCpus;

/// The exit codes. The README and `--help` list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// The command is done.
    Done = 0,
    /// A gate failed: `diff --fail-on` found a regression.
    GateFailed = 1,
    /// The arguments, a file that they name, or the machine's set-up were wrong: nothing was measured.
    Usage = 2,
    /// At least one cell failed; the report says which and why.
    CellFailed = 3,
    /// A report could not be written (a full disk, say). The verdict is still printed, and the records are whole.
    Unwritten = 4,
    /// Interrupted; what was measured is kept and reported.
    Interrupted = 130,
}

impl Exit {
    /// All exit codes, by increasing priority.
    const ALL: [Self; 6] =
        [Self::Done, Self::CellFailed, Self::Unwritten, Self::Usage, Self::GateFailed, Self::Interrupted];

    /// The exit code with the higher priority.
    fn and(self, other: Self) -> Self {
        Self::ALL.into_iter().rfind(|&exit| exit == self || exit == other).unwrap_or(self)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

fn main() -> ExitCode {
    let ended = Arguments::try_parse().map_or_else(
        |refused| Ok(told(&refused).into()),
        |arguments| {
            log()?;
            ended(arguments)
        },
    );
    match ended {
        Ok(code) => code,
        Err(error) => {
            terminal::error(&error);
            Exit::Usage.into()
        }
    }
}

fn ended(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let exit = match arguments.command.unwrap_or(Command::Run(arguments.run)) {
        Command::Run(options) => GeneratorCpus::asked(options.generator_cpus)
            .and_then(|cpus| throttle::around(cpus, || run::run(&options, cpus))),
        Command::Serve(options) => serve::serve(options),
        Command::Agent(options) => agent::agent(&options),
        Command::Report(options) => report::report(&options, options.json),
        Command::Diff(options) => diff::diff(&options, options.json),
        Command::Plan(options) => plan::plan(&options, options.json),
        Command::Probe(options) => probe::probe(&options, options.json),
        Command::Link(options) => return link::link(&options),
        Command::Become { command } => link::become_command(&command),
        Command::List { json } => list::list(json),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "pushoff", &mut script);
            Ok(terminal::result(String::from_utf8_lossy(&script).trim_end()))
        }
    };
    exit.map(ExitCode::from)
}

/// Shows help or a usage error; a closed standard output or standard error is ignored.
fn told(refused: &clap::Error) -> Exit {
    if refused.kind() == clap::error::ErrorKind::InvalidUtf8 {
        terminal::error(&anyhow!("{} must be UTF-8 text", not_text().join(", ")));
        return Exit::Usage;
    }
    if refused.use_stderr() {
        // It repeats the arguments, whose control characters must not reach the terminal.
        let plain = refused.render().to_string();
        if plain.lines().any(|line| foreign::shown(line, usize::MAX) != line) {
            plain.lines().for_each(terminal::remark);
        } else if let Err(error) = refused.print() {
            tracing::debug!(%error, "standard error is closed");
        }
        return Exit::Usage;
    }
    match refused.print() {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            terminal::error(&anyhow::Error::new(error).context("writing to standard output"));
            Exit::Unwritten
        }
        Ok(()) | Err(_) => Exit::Done,
    }
}

/// The arguments and the variables of pushoff's that are no text.
fn not_text() -> Vec<String> {
    let words = std::env::args_os().skip(1).filter(|word| word.to_str().is_none());
    let words = words.map(|word| foreign::quoted(&word.to_string_lossy()));
    let variables = std::env::vars_os().filter(|(_, value)| value.to_str().is_none());
    let variables = variables.filter_map(|(name, _)| name.into_string().ok()).filter(|it| it.starts_with("PUSHOFF_"));
    words.chain(variables).collect()
}

/// Sends the log to standard error.
///
/// # Errors
/// When `PUSHOFF_LOG` is no filter.
fn log() -> anyhow::Result<()> {
    let asked = std::env::var_os("PUSHOFF_LOG").filter(|asked| !asked.is_empty());
    let filter = match &asked {
        None => EnvFilter::new("warn"),
        Some(asked) => asked.to_str().and_then(|asked| EnvFilter::try_new(asked).ok()).with_context(|| {
            let asked = foreign::quoted(&asked.to_string_lossy());
            format!("PUSHOFF_LOG is {asked}: name a level such as info, or a filter such as pushoff_server=trace")
        })?,
    };
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| terminal::Log).with_ansi(false).init();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_exit_codes_the_one_with_the_higher_priority_is_returned() {
        assert_eq!(Exit::Done.and(Exit::CellFailed), Exit::CellFailed);
        assert_eq!(Exit::CellFailed.and(Exit::Unwritten), Exit::Unwritten);
        assert_eq!(Exit::Unwritten.and(Exit::Interrupted), Exit::Interrupted);
        assert_eq!(Exit::GateFailed.and(Exit::Unwritten), Exit::GateFailed);
        for exit in Exit::ALL {
            assert_eq!((exit.and(exit), exit.and(Exit::Done)), (exit, exit));
        }
    }
}
