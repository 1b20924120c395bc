//! The `pushoff` command: one file a subcommand.
//!
//! Results go to standard output, logs and progress to standard error. Only this crate prints.

mod arguments;
mod diff;
mod environment;
mod list;
mod pinning;
mod plan;
mod probe;
mod progress;
mod report;
mod run;
mod runtime;
mod serve;
mod served;
mod server_process;
mod survey;
mod targets;
mod terminal;
mod throttle;
mod values;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use arguments::{Arguments, Command};
use pinning::GeneratorCpus;

/// What an exit code tells a script. The README and `--help` list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// All was done.
    Done = 0,
    /// A gate failed: something came out as it was asked not to.
    GateFailed = 1,
    /// The arguments, a file that they name, or the machine's set-up were wrong: nothing was measured.
    Usage = 2,
    /// At least one cell failed; the report says which and why.
    CellFailed = 3,
    /// Interrupted; what was measured until then is kept and reported.
    Interrupted = 130,
}

impl Exit {
    /// All of them.
    const ALL: [Self; 5] = [Self::Done, Self::GateFailed, Self::Usage, Self::CellFailed, Self::Interrupted];
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("PUSHOFF_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn")),
        )
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let json = arguments.json;
    let ended = match arguments.command.unwrap_or(Command::Run(arguments.run)) {
        Command::Run(options) => GeneratorCpus::asked(options.generator_cpus)
            .and_then(|cpus| throttle::around(cpus, || run::run(&options, cpus, json))),
        Command::Serve(options) => serve::serve(options),
        Command::Report(options) => report::report(&options, json),
        Command::Diff(options) => diff::diff(&options, json),
        Command::Plan(options) => plan::plan(&options, json),
        Command::Probe(options) => probe::probe(&options, json),
        Command::List => list::list(json),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "pushoff", &mut std::io::stdout());
            Ok(Exit::Done)
        }
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(error) => {
            terminal::error(&error);
            Exit::Usage.into()
        }
    }
}
