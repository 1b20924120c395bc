//! `pushoff agent`: generates parts of a load for a coordinator, until it is told to end.

use anyhow::Context;
use pushoff_loadgen::{MachineClock, serve_agent};
use pushoff_model::environment::Agent;
use pushoff_model::foreign::{self, shown};
use pushoff_model::target::redacted;

use crate::arguments::AgentOptions;
use crate::{Exit, environment, interrupt, nats, pinning, runtime, terminal};

pub(crate) fn agent(options: &AgentOptions) -> anyhow::Result<Exit> {
    if !options.cpus.is_empty() {
        pinning::pin(&options.cpus)?;
    }
    let cpus = pinning::allowed()?.len();
    pushoff_loadgen::raise_descriptor_limit().context("raising the limit of open files to the hard limit")?;
    let host = environment::host();
    let name = options.name.clone().unwrap_or_else(|| format!("{host}-{}", std::process::id()));
    let about = Agent {
        name: shown(&name, foreign::NAME),
        host,
        cpus: u32::try_from(cpus).unwrap_or(u32::MAX),
        kernel: environment::kernel(),
        version: environment::VERSION.to_owned(),
    };
    let clock = MachineClock { ahead_ns: i64::try_from(options.clock_offset.as_nanos())? };
    runtime::build(cpus)?.block_on(async {
        let stop = interrupt::on_interrupt()?;
        let client = nats::connect(&options.nats, options.credentials.nats_credentials.as_deref()).await?;
        let begin = format!("agent {} ", about.name);
        let ready = format!("{begin}waits for work at {}", redacted(&options.nats));
        let said =
            |what: Option<&str>| terminal::remark(&what.map_or_else(|| ready.clone(), |what| format!("{begin}{what}")));
        serve_agent(client, about, clock, &stop, &said).await?;
        Ok(Exit::Done)
    })
}
