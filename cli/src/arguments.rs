//! The command line: subcommands, flags and their help.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use pushoff_model::workload::Search;
use pushoff_model::{ByteCount, Client, Transport};
use pushoff_server::{AllowedOrigin, HostName};

use crate::values::{duration_in, size_in, whole_in};

/// The most trials of a cell: weeks of them. Chosen here.
const MOST_TRIALS: u32 = 10_000;
/// The range of a trial's measured part, as in a workload's file.
const MEASURED: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);

const EXAMPLES: &str = "\
Examples:
  pushoff
      measure progress, ticker and chat in about two minutes; write a report
  pushoff run --workload ticker
      measure the ticker only
  pushoff run --workload mine.toml
      measure your own workload (docs/WORKLOADS.md)
  pushoff run --workload idle --workload connect --workload publish
      the cost of holding, connecting and publishing
  pushoff run --workload capacity
      deliveries a second until the SLO breaks; about five minutes
  pushoff run --workload crowd
      readers of one server until the SLO breaks; about five minutes
  pushoff run --transport sse --transport websocket --trials 10 --duration 10s
      compare two transports, longer
  pushoff run --workload ticker --subscribers 30 --client library --client browser
      what a page in Chromium adds to a client library
  pushoff run --target http://localhost:3000
      measure your own server, if it speaks pushoff's wire contract; describe
      any other server in a file (docs/TARGETS.md)
  pushoff probe http://localhost:3000
      what a server offers, technique by technique, and what is wrong
  pushoff serve
      the reference server alone: use curl, or open it in a browser
  pushoff report pushoff-runs/latest
      write the report again, from the records
  pushoff diff main/ branch/ --fail-on regressed
      compare two runs in CI (docs/CI.md)
  pushoff plan --users 1M --rate 0.2/s --payload 300B --staleness 2s
      estimate transport, servers and cost for a load (docs/PLANNING.md)

Exit codes:
  0    done
  1    a gate failed: `diff --fail-on` found a regression
  2    bad usage: a flag, a file, an address or the machine's set-up;
       nothing was measured
  3    a cell failed; the others are reported
  4    a report could not be written (a full disk, say); the verdict is
       still printed, and the records are whole
  130  interrupted; what was measured is kept and reported
A closed standard output or standard error (`| head`) changes neither the
report nor the exit code.

Logs: PUSHOFF_LOG=info (or debug, or a filter such as pushoff_server=trace).
Colour: NO_COLOR=1 turns it off.";

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
    /// Print results as JSON instead of tables
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Measure workloads on transports and write a report (the default)
    Run(RunOptions),
    /// Run the reference server alone
    Serve(ServeOptions),
    /// Write the report again, from the records of one or several runs
    Report(ReportOptions),
    /// Compare two runs, or two servers of one: improved, regressed, unchanged or inconclusive
    Diff(DiffOptions),
    /// Estimate transport, servers and cost for a load
    Plan(PlanOptions),
    /// Show what a server offers, technique by technique, and what is wrong
    Probe(ProbeOptions),
    /// List the built-in workloads and the transports
    List,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Clone, Debug, Args)]
pub(crate) struct RunOptions {
    /// A built-in workload or a TOML file; may be repeated [default: progress, ticker and chat]
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) workload: Vec<OsString>,
    /// A transport to measure; may be repeated [default: all five and the raw TCP floor]
    #[arg(long, value_name = "NAME")]
    pub(crate) transport: Vec<Transport>,
    /// The server: pushoff (started for each trial), http://HOST:PORT of a server that speaks its wire
    /// contract, DIALECT=URL, or a TOML file that describes a server (docs/TARGETS.md). NAME= before it
    /// (old=http://HOST:PORT, a=nchan=URL, new=FILE) is its name in the report. If repeated, the servers
    /// are measured side by side [default: pushoff]
    #[arg(long, value_name = "[NAME=]URL|FILE")]
    pub(crate) target: Vec<OsString>,
    /// Trials of each cell, 1 to 10000; more trials give narrower intervals
    #[arg(long, value_name = "N", default_value = "4", value_parser = up_to(MOST_TRIALS), allow_negative_numbers = true)]
    pub(crate) trials: NonZeroU32,
    /// Length of the measured part of a trial, 100ms to 1day, e.g. 5s [default: the workload's]
    #[arg(long, value_name = "TIME", value_parser = duration_in(MEASURED), allow_negative_numbers = true)]
    pub(crate) duration: Option<Duration>,
    /// The receiving client: library (reqwest, eventsource-client, tokio-tungstenite), lean (our own,
    /// cheaper for the generator) or browser (pages in headless Chromium, pushoff's own server only). If
    /// repeated, each is measured [default: the workload's]
    #[arg(long, value_name = "KIND")]
    pub(crate) client: Vec<Client>,
    /// Number of subscribers, 1 to 60000, in place of the workload's; 100,1000 measures both sizes
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = up_to(Search::MOST_SUBSCRIBERS),
          allow_negative_numbers = true)]
    pub(crate) subscribers: Vec<NonZeroU32>,
    /// Seed for the order of trials, the schedules and the payloads
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = whole_in(0..=u64::MAX), allow_negative_numbers = true)]
    pub(crate) seed: u64,
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
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ReportOptions {
    /// Folders with records.jsonl and environment.json
    #[arg(required = true, value_name = "DIR")]
    pub(crate) folders: Vec<PathBuf>,
    /// Folder for the report [default: DIR, if there is only one]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
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
}

const PLAN_USAGE: &str = "pushoff plan --users N --rate RATE --payload SIZE --staleness TIME [OPTIONS]";

const PLAN_EXAMPLES: &str = "\
Examples:
  pushoff plan --users 1M --rate 0.2/s --payload 300B --staleness 2s
  pushoff plan --users 20k --rate 12/min --payload 2kB --staleness 500ms --audience 50 --direction both
  pushoff plan --users 100 --rate 50/s --up-rate 50/s --payload 100B --staleness 100ms --audience 1
  pushoff plan --users 5k --rate 3/h --payload 4KiB --staleness 1m --prices my-prices.toml --json

The arithmetic and its limits: docs/PLANNING.md.";

#[derive(Clone, Debug, Args)]
pub(crate) struct ProbeOptions {
    /// http://HOST:PORT of a server that speaks pushoff's wire contract, DIALECT=URL, a TOML file that
    /// describes a server (docs/TARGETS.md), or pushoff
    #[arg(value_name = "[DIALECT=]URL|FILE", default_value = "pushoff")]
    pub(crate) target: OsString,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ServeOptions {
    /// Address for HTTP and WebSocket; port 0 takes a free port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080", value_parser = address)]
    pub(crate) listen: SocketAddr,
    /// Address for the raw TCP floor [default: none]
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    pub(crate) raw_tcp: Option<SocketAddr>,
    /// A host name or address of this server, besides loopback and the listen address; requests for any
    /// other host are answered 421; may be repeated
    #[arg(long, value_name = "HOST")]
    pub(crate) allow_host: Vec<HostName>,
    /// Another origin whose pages may connect (scheme, host and port; * for any); may be repeated
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<AllowedOrigin>,
    /// Bearer token that publishing requires
    #[arg(long, value_name = "TOKEN", env = "PUSHOFF_PUBLISH_TOKEN", hide_env_values = true, value_parser = token)]
    pub(crate) publish_token: Option<String>,
    /// Let the live page cut all connections and stall the server, to show how each transport recovers
    #[arg(long)]
    pub(crate) demo: bool,
    /// Serve a WebSocket at /echo that sends each message back, for conformance suites
    #[arg(long)]
    pub(crate) echo: bool,
    /// Most memory that the server keeps, 16 MiB to 1 TiB and at least 64 times --max-payload
    /// [default: a quarter of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = size_in(MEMORY))]
    pub(crate) memory: Option<ByteCount>,
    /// Largest payload, 1 B to 16 MiB
    #[arg(long, value_name = "SIZE", default_value = "64KiB", value_parser = size_in(1..=16 << 20))]
    pub(crate) max_payload: ByteCount,
    /// Messages that a topic keeps for subscribers that come back, at most 4 MiB
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = whole_in(1..=1_000_000_usize))]
    pub(crate) replay: usize,
    /// Most topics with messages at a time
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = whole_in(1..=10_000_000_usize))]
    pub(crate) max_topics: usize,
    /// Most connections at a time, raw TCP included
    #[arg(long, value_name = "N", default_value_t = 15_000, value_parser = whole_in(1..=10_000_000_usize))]
    pub(crate) max_connections: usize,
    /// Send a heartbeat on a stream that is idle for this long, 100ms to 1h
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration_in(TENTH..=HOUR))]
    pub(crate) heartbeat: Duration,
    /// Close a connection whose request head takes longer to arrive, 100ms to 1h
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration_in(TENTH..=HOUR))]
    pub(crate) head_timeout: Duration,
    /// Disconnect a client that accepts no data for this long, 100ms to 1h
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration_in(TENTH..=HOUR))]
    pub(crate) write_timeout: Duration,
    /// Longest shutdown: time for connections to end, 0s to 1h
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration_in(Duration::ZERO..=HOUR))]
    pub(crate) grace: Duration,
    /// Processors to run on, e.g. 0,1 [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) cpus: Vec<u32>,
    /// For tests: spend this much more processor time on every connection, e.g. 20%, to see whether
    /// `pushoff diff` finds it
    #[arg(long, value_name = "SHARE", value_parser = percent, hide_short_help = true)]
    pub(crate) slow: Option<f64>,
    /// Shut down when standard input closes, so that the server never outlives its parent
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
}

const TENTH: Duration = Duration::from_millis(100);
const HOUR: Duration = Duration::from_hours(1);

/// The range of `--memory`, in bytes.
const MEMORY: RangeInclusive<u64> = 16 << 20..=1 << 40;

/// A bearer token (RFC 6750 §2.1).
fn token(text: &str) -> Result<String, &'static str> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let is_right = !text.is_empty() && text.len() <= 4096 && text.bytes().all(is_token);
    is_right.then(|| text.to_owned()).ok_or("a token is 1 to 4,096 of the characters A-Z a-z 0-9 - . _ ~ + / =")
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

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().or(Err("give an IP address and a port, e.g. 127.0.0.1:8080 or [::1]:0"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn without_a_subcommand_the_options_are_those_of_run() {
        let arguments = Arguments::parse_from(["pushoff", "--workload", "chat", "--trials", "5"]);
        assert!(arguments.command.is_none());
        assert_eq!((arguments.run.workload, arguments.run.trials.get()), (vec![OsString::from("chat")], 5));
    }
}
