//! The options of `pushoff agent`, and those of `pushoff run` about agents.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::up_to;
use crate::values::{duration_in, processor};

/// The most agents of a run. Chosen here.
const MOST_AGENTS: u32 = 1_000;

/// Where NATS is.
#[derive(Clone, Debug, Args)]
pub(crate) struct NatsOptions {
    /// The credentials of NATS: a .creds file, or a file with an nkey seed
    #[arg(long, value_name = "FILE", env = "PUSHOFF_NATS_CREDENTIALS")]
    pub(crate) nats_credentials: Option<PathBuf>,
}

/// Agents that generate the load of a run.
#[derive(Clone, Debug, Args)]
pub(crate) struct AgentsOptions {
    /// Divide the load among this many agents (pushoff agent), 1 to 1000, in place of generating it in this process;
    /// needs --nats
    #[arg(long, value_name = "N", requires = "nats", value_parser = up_to(MOST_AGENTS), allow_negative_numbers = true)]
    pub(crate) agents: Option<NonZeroU32>,
    /// The NATS server that agents and coordinator talk over: nats://HOST:PORT
    #[arg(long, value_name = "URL", requires = "agents")]
    pub(crate) nats: Option<String>,
    /// How long to wait for the agents, 1s to 1h
    #[arg(long, value_name = "TIME", default_value = "30s", requires = "agents",
          value_parser = duration_in(Duration::from_secs(1)..=Duration::from_hours(1)))]
    pub(crate) agents_within: Duration,
    #[command(flatten)]
    pub(crate) credentials: NatsOptions,
}

/// An agent.
#[derive(Clone, Debug, Args)]
pub(crate) struct AgentOptions {
    /// The NATS server that agents and coordinator talk over: nats://HOST:PORT
    #[arg(long, value_name = "URL")]
    pub(crate) nats: String,
    #[command(flatten)]
    pub(crate) credentials: NatsOptions,
    /// Its name in records and reports [default: the host's name and the process id]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Processors to run on, e.g. 0,1 [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = processor)]
    pub(crate) cpus: Vec<u32>,
    /// For tests: how much its clock is set ahead
    #[arg(long, value_name = "TIME", hide = true, default_value = "0s",
          value_parser = duration_in(Duration::ZERO..=Duration::from_hours(1)))]
    pub(crate) clock_offset: Duration,
}
