//! The command line: subcommands, flags and their help.

mod agents;
mod link;
mod probe;
mod serve;
mod wire;

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use pushoff_model::workload::Search;
use pushoff_model::{Client, Transport};

use crate::values::{duration_in, one_of, whole_in};
pub(crate) use agents::{AgentOptions, AgentsOptions};
pub(crate) use link::LinkOptions;
pub(crate) use probe::ProbeOptions;
pub(crate) use serve::{Listen, ServeOptions};
pub(crate) use wire::{Switch, TrustOptions, WireOptions};

/// The most trials of a cell: weeks of them. Chosen here.
const MOST_TRIALS: u32 = 10_000;
/// The range of a trial's measured part, as in a workload's file.
const MEASURED: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);

/// The range of `--budget`.
const BUDGET: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24 * 7);

/// Examples and exit codes; no line is longer than 60 columns, so that no terminal breaks one.
const EXAMPLES: &str = include_str!("help.txt");

/// Examples of `link`.
const LINK_EXAMPLES: &str = "\
Examples:
  pushoff link slow-4g --port 8080 -- \\
      curl -N http://10.77.0.1:8080/topics/news/sse
  pushoff link mine.toml --port 8080 --seed 7 -- \\
      pushoff run --target http://10.77.0.1:8080

Needs Linux with /dev/net/tun, and root or user namespaces.
A server of pushoff's must be started with
--allow-host 10.77.0.1.
The networks and their limits: docs/NETWORKS.md.";

/// Which transport should carry my real-time messages?
///
/// Measures short polling, long polling, HTTP streaming, Server-Sent Events and WebSocket under the
/// same load, against the same server, beside a raw TCP floor, and writes a report to decide from.
/// Without a subcommand, `pushoff` is `pushoff run`.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: RunOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Measure workloads on transports and write a report (the default)
    Run(RunOptions),
    /// Run the reference server alone
    Serve(ServeOptions),
    /// Generate parts of a load for a run elsewhere: pushoff run --agents
    Agent(AgentOptions),
    /// Write the report again, from the records of one or several runs
    Report(ReportOptions),
    /// Compare two runs, or two servers of one: improved, regressed, unchanged or inconclusive
    Diff(DiffOptions),
    /// Estimate transport, servers and cost for a load
    Plan(PlanOptions),
    /// Show what a server or a proxy does to each technique, what is wrong, and how to mend it
    #[command(after_help = probe::EXAMPLES)]
    Probe(ProbeOptions),
    /// Run any command behind a network: with its delay, rate and loss between the command and a server
    #[command(after_help = LINK_EXAMPLES)]
    Link(LinkOptions),
    /// Become a command that ends with its parent
    #[command(hide = true)]
    Become {
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// List the built-in workloads, networks and the transports
    List {
        /// Print results as JSON instead of tables
        #[arg(long)]
        json: bool,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Clone, Debug, Args)]
pub(crate) struct RunOptions {
    /// A built-in workload or a TOML file; several with commas, or the flag repeated
    /// [default: progress, ticker, chat and clients]
    #[arg(long, value_name = "NAME|FILE", value_delimiter = ',')]
    pub(crate) workload: Vec<OsString>,
    /// A transport to measure; several with commas, or the flag repeated [default: all five and the raw
    /// TCP floor]
    #[arg(long, value_name = "NAME", value_delimiter = ',', ignore_case = true, value_parser = transport())]
    pub(crate) transport: Vec<Transport>,
    /// The server: pushoff (started for each trial), http://HOST:PORT of a server that speaks its wire
    /// contract, DIALECT=URL, or a TOML file that describes a server (docs/TARGETS.md). NAME= before it
    /// (old=http://HOST:PORT, a=nchan=URL, new=FILE) is its name in the report. If repeated, the servers
    /// are measured side by side [default: pushoff]
    #[arg(long, value_name = "[NAME=]URL|FILE")]
    pub(crate) target: Vec<OsString>,
    /// Servers of pushoff's that share a log (docs/FLEET.md), and are measured as one; several with commas, or the flag
    /// repeated. Subscribers and agents are spread over them, and go to the next one when theirs fails
    #[arg(long, value_name = "URL", value_delimiter = ',', conflicts_with = "target")]
    pub(crate) server_url: Vec<String>,
    /// A network between server and readers, over which latencies are measured as well, at a few readers: a
    /// built-in one or a TOML file (docs/NETWORKS.md); several with commas, or the flag repeated; none for
    /// none. The server must be one that pushoff starts [default: cable, fast-4g and wifi-bad; none with
    /// --workload, --quick, --agents, or a server that already runs]
    #[arg(long, value_name = "NAME|FILE", value_delimiter = ',')]
    pub(crate) network: Vec<OsString>,
    #[command(flatten)]
    pub(crate) wire: WireOptions,
    #[command(flatten)]
    pub(crate) trust: TrustOptions,
    #[command(flatten)]
    pub(crate) agents: AgentsOptions,
    /// Go on in rounds of all transports that may still be the one to take, at least three, until every
    /// question is answered or this time is used, 1s to 7days [default: 4min 40s]
    #[arg(long, value_name = "TIME", value_parser = duration_in(BUDGET), allow_negative_numbers = true)]
    pub(crate) budget: Option<Duration>,
    /// A budget of 90s and at least one round, without raw TCP, the workload `clients` and networks; names
    /// no transport where one round does not tell
    #[arg(long, conflicts_with = "budget")]
    pub(crate) quick: bool,
    /// Exactly this many rounds of everything, 1 to 10000, instead of a budget
    #[arg(long, value_name = "N", value_parser = up_to(MOST_TRIALS), allow_negative_numbers = true,
          conflicts_with_all = ["budget", "quick"])]
    pub(crate) trials: Option<NonZeroU32>,
    /// Length of the measured part of a trial, 100ms to 1day, e.g. 5s [default: the workload's]
    #[arg(long, value_name = "TIME", value_parser = duration_in(MEASURED), allow_negative_numbers = true)]
    pub(crate) duration: Option<Duration>,
    /// The receiving client: library (reqwest, eventsource-client, tokio-tungstenite), lean (our own,
    /// cheaper for the generator) or browser (pages in headless Chromium, pushoff's own server only);
    /// several with commas, or the flag repeated [default: the workload's]
    #[arg(long, value_name = "KIND", value_delimiter = ',', ignore_case = true, value_parser = client())]
    pub(crate) client: Vec<Client>,
    /// Number of subscribers, 1 to 1000000, in place of the workload's; 100,1000 measures both sizes
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = up_to(Search::MOST_SUBSCRIBERS),
          allow_negative_numbers = true)]
    pub(crate) subscribers: Vec<NonZeroU32>,
    /// Seed for the order of trials, the schedules and the payloads [default: drawn anew, and recorded]
    #[arg(long, value_name = "S", value_parser = whole_in(0..=u64::MAX), allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// End with exit code 1 if no measured transport of a workload, at one of its sizes, with one of its
    /// clients or on one of its servers, is shown to meet the SLO. To hold one transport to it, measure that
    /// one alone
    #[arg(long, value_name = "GATE")]
    pub(crate) fail_on: Option<RunGate>,
    /// Folder for records and report, without a run in it [default: pushoff-runs/TIME]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Do not pin server and generator to a half of the processors each
    #[arg(long)]
    pub(crate) no_pin: bool,
    /// Processors for the generator; the server gets the rest. Below 1, the generator is limited to that
    /// part of one processor, to see what a generator that is too weak looks like [default: half]
    #[arg(long, value_name = "N", conflicts_with = "no_pin", allow_negative_numbers = true, value_parser = number)]
    pub(crate) generator_cpus: Option<f64>,
    /// Print results as JSON instead of tables
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a run can fail on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RunGate {
    /// No transport meets the SLO
    Slo,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ReportOptions {
    /// Folders with records.jsonl and environment.json
    #[arg(required = true, value_name = "DIR")]
    pub(crate) folders: Vec<PathBuf>,
    /// Folder for the report [default: DIR, if there is only one]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print results as JSON instead of tables
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct DiffOptions {
    /// Folder of the earlier run, or FOLDER@SERVER: one server of a run with several
    #[arg(value_name = "BASE", value_hint = ValueHint::DirPath)]
    pub(crate) base: OsString,
    /// Folder of the later run, or FOLDER@SERVER; two servers of one run are compared trial by trial
    #[arg(value_name = "NEW", value_hint = ValueHint::DirPath)]
    pub(crate) new: OsString,
    /// The smallest change that matters; at least the machine's noise for a latency, and the step of
    /// the search for a capacity
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = percent)]
    pub(crate) floor: f64,
    /// End with exit code 1 if any figure has this verdict
    #[arg(long, value_name = "VERDICT")]
    pub(crate) fail_on: Option<Gate>,
    /// Print Markdown for a pull request instead of a table
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
    /// Print results as JSON instead of tables
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a gate can fail on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Gate {
    /// At least one figure is worse by more than --floor
    Regressed,
}

/// Values stay text here: the planner parses them and says in one sentence what is wrong.
#[derive(Clone, Debug, Args)]
#[command(after_help = PLAN_EXAMPLES, override_usage = PLAN_USAGE)]
pub(crate) struct PlanOptions {
    /// Connected users, 1 to 1G: 1000, 20k, 1M
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) users: Option<String>,
    /// Updates that each user receives, 1/d to 1000/s: 0.2/s, 12/min, 3/h
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    pub(crate) rate: Option<String>,
    /// Size of an update, 1B to 64KiB: 300B, 2kB, 4KiB
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    pub(crate) payload: Option<String>,
    /// Longest time from when an update is due to when its user has it, for 99 % of updates, 1ms to 1h:
    /// 200ms, 2s, 1m
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) staleness: Option<String>,
    /// Users that get each message: all, or a number, e.g. 50 for rooms of 50 [default: all]
    #[arg(long, value_name = "N|all", allow_hyphen_values = true)]
    pub(crate) audience: Option<String>,
    /// Updates of this size that each user publishes, 1/d to 1000/s [default: none]
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    pub(crate) up_rate: Option<String>,
    /// both: users publish all that they receive, which is --up-rate of the rate divided by the audience;
    /// down: a server publishes it [default: down]
    #[arg(long, value_name = "DIRECTION", allow_hyphen_values = true)]
    pub(crate) direction: Option<String>,
    /// Round trip between users and servers, 0s to 10s [default: 40ms]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) rtt: Option<String>,
    /// Transports whose cost differs by no more than this share are equivalent: freshness and then simplicity
    /// choose among them, 1% to 100% [default: 10%]
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true)]
    pub(crate) margin: Option<String>,
    /// Medians that differ by no more than this are equally fresh, 0s to 1h [default: a tenth of --staleness]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) freshness: Option<String>,
    /// TOML file with your prices: `currency`, `core_month`, `gib_month`, `egress_gb`, and `ingress_gb` and
    /// `request_million` where they are not 0 [default: round numbers, planner/prices.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) prices: Option<PathBuf>,
    /// The cost model: the folder of a run of scripts/model, or a model.json [default: the model that
    /// comes with pushoff, measured on another machine]
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) model: Option<PathBuf>,
    /// Print results as JSON instead of tables
    #[arg(long)]
    pub(crate) json: bool,
}

const PLAN_USAGE: &str = "\
pushoff plan --users N --rate RATE --payload SIZE \\
       --staleness TIME [OPTIONS]";

const PLAN_EXAMPLES: &str = "\
Examples:
  pushoff plan --users 1M --rate 0.2/s --payload 300B \\
      --staleness 2s
  pushoff plan --users 20k --rate 12/min --payload 2kB \\
      --staleness 500ms --audience 50 --direction both
  pushoff plan --users 100 --rate 50/s --up-rate 50/s \\
      --payload 100B --staleness 100ms --audience 1
  pushoff plan --users 5k --rate 3/h --payload 4KiB \\
      --staleness 1m --prices my-prices.toml --json

The arithmetic and its limits: docs/PLANNING.md.";

fn transport() -> impl TypedValueParser<Value = Transport> {
    let named = |it: Transport| (it, PossibleValue::new(it.name()).aliases(it.traits().aliases));
    one_of(Transport::ALL.map(named).to_vec())
}

fn client() -> impl TypedValueParser<Value = Client> {
    one_of(Client::ALL.map(|it| (it, PossibleValue::new(it.name()))).to_vec())
}

/// A whole number from 1 to `most`.
fn up_to(most: u32) -> impl Fn(&str) -> Result<NonZeroU32, String> + Clone + Send + Sync + 'static {
    whole_in(NonZeroU32::MIN..=NonZeroU32::MIN.saturating_add(most.saturating_sub(1)))
}

fn number(text: &str) -> Result<f64, &'static str> {
    text.parse().or(Err("give a whole number of processors, or a part of one from 0.01"))
}

/// A share above 0 % and up to 1,000 %.
fn percent(text: &str) -> Result<f64, &'static str> {
    let share = text.strip_suffix('%').and_then(|number| number.trim_end().parse::<f64>().ok()).map(|it| it / 100.0);
    share.filter(|share| *share > 0.0 && *share <= 10.0).ok_or("give a share above 0% and up to 1000%, e.g. 20%")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn no_terminal_from_60_columns_breaks_a_line_of_an_example() {
        for width in [60, 80, 120] {
            let mut command = Arguments::command().term_width(width);
            for (help, examples) in [
                (command.render_long_help().to_string(), EXAMPLES),
                (command.find_subcommand_mut("plan").unwrap().render_help().to_string(), PLAN_EXAMPLES),
                (command.find_subcommand_mut("probe").unwrap().render_help().to_string(), probe::EXAMPLES),
            ] {
                let lines: HashSet<&str> = help.lines().map(str::trim_end).collect();
                let broken: Vec<_> = examples.lines().filter(|line| !lines.contains(line)).collect();
                assert!(broken.is_empty(), "at {width} columns: {broken:#?}\n{help}");
                let long: Vec<_> = lines.iter().filter(|line| line.chars().count() > width).collect();
                assert!(long.is_empty(), "at {width} columns: {long:#?}");
            }
        }
    }

    #[test]
    fn names_are_taken_in_lists_by_other_names_and_in_any_case() {
        let run = |words: &[&str]| Arguments::try_parse_from([&["pushoff"], words].concat()).map(|it| it.run);
        let all = run(&["--transport", "ws,SSE", "--transport", "long-poll", "--client", "lean,library"]).unwrap();
        let names: Vec<_> = all.transport.iter().map(|it| it.name()).collect();
        assert_eq!(names, ["websocket", "sse", "long-polling"]);
        assert_eq!(all.client, [Client::Lean, Client::Library]);
        for (wrong, meant) in [(["--transport", "websokcet"], "'websocket'"), (["--client", "laen"], "'lean'")] {
            let refused = run(&wrong).unwrap_err().to_string();
            assert!(refused.contains(&format!("a similar value exists: {meant}")), "{refused}");
        }
    }

    #[test]
    fn without_a_subcommand_the_options_are_those_of_run() {
        let arguments = Arguments::parse_from(["pushoff", "--workload", "chat", "--trials", "5"]);
        assert!(arguments.command.is_none());
        assert_eq!((arguments.run.workload, arguments.run.trials.unwrap().get()), (vec![OsString::from("chat")], 5));
    }
}
