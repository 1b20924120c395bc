//! What it ran on and the command that made it.

use pushoff_model::environment::{Agent, Named, Pinning};
use pushoff_model::record::AgentClock;
use pushoff_model::{Environment, Record};

use crate::blocks::{Block, Section};
use crate::findings::study::Study;
use crate::words::number::Quantity;
use crate::words::text::counted;

pub(super) fn section(study: &Study<'_>) -> Section {
    let mut blocks: Vec<Block> = study.run.environments.iter().flat_map(|it| one(it, &study.run.records)).collect();
    if blocks.is_empty() {
        blocks.push(Block::Prose("Nothing is recorded of the machine.".into(), String::new()));
    }
    Section::titled("environment", "Environment", blocks).folded()
}

fn one(it: &Environment, records: &[Record]) -> Vec<Block> {
    let (started, lists) = (&it.started, lists(it));
    let facts = [
        ("Run", it.run.clone()),
        ("Started", started.clone()),
        ("Seed", it.seed.to_string()),
        ("pushoff", format!("{} ({}), {} build", it.version, it.revision, it.profile)),
        ("Compiler", it.rustc.clone()),
        ("Processor", format!("{} × {}", it.cpus, it.cpu)),
        ("Memory", memory(it.memory_bytes)),
        ("System", it.kernel.clone()),
        ("Pinning", pinning(&it.pinning)),
        ("Descriptors", it.descriptor_limit.to_string()),
        ("A measurement repeated differs by", noise(it.noise.repeat_ns)),
    ];
    let mut blocks = vec![
        Block::Prose("The command:".into(), String::new()),
        Block::Command(it.command.clone()),
        Block::Facts(facts.map(|(name, value)| (name.to_owned(), value)).into()),
    ];
    if !it.shortages.is_empty() {
        blocks.push(Block::Prose("What the run asked for and did not get:".into(), String::new()));
        blocks.push(Block::List(it.shortages.iter().map(|it| it.clone().into()).collect()));
    }
    blocks.extend(agents(it, records));
    blocks.extend(lists);
    blocks
}

/// The agents that generated the load, and how well their clocks were known.
fn agents(it: &Environment, records: &[Record]) -> Vec<Block> {
    let trials = || records.iter().filter(|record| record.run == it.run).filter_map(Record::measurement);
    let fact = |agent: &Agent| {
        let parts = || trials().flat_map(|trial| &trial.agents).filter(|part| part.name == agent.name);
        let worst = |of: fn(&AgentClock) -> u64| noise(parts().map(|part| of(&part.clock)).max().unwrap_or_default());
        let lost = match parts().filter(|part| part.is_lost).count() {
            0 => String::new(),
            lost => format!("; lost in {}", counted(lost, "trial")),
        };
        let Agent { name, host, cpus, kernel, version } = agent;
        let says = format!(
            "on {host}, {cpus} processor{plural}, {kernel}, pushoff {version}; a part of {trials}, clock within ±{bound}, \
             drift {drift} or less{lost}",
            plural = if *cpus == 1 { "" } else { "s" },
            trials = counted(parts().count(), "trial"),
            bound = worst(|clock| clock.bound_ns),
            drift = worst(|clock| clock.drift_ns),
        );
        (name.clone(), says)
    };
    let facts: Vec<_> = it.agents.iter().map(fact).collect();
    if facts.is_empty() {
        return Vec::new();
    }
    vec![Block::Prose("The agents that generated the load:".into(), String::new()), Block::Facts(facts)]
}

#[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
fn memory(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn noise(nanoseconds: u64) -> String {
    Quantity::Time.write(nanoseconds as f64)
}

fn lists(it: &Environment) -> Vec<Block> {
    let all = [
        ("Servers", &it.servers),
        ("Equal for all transports", &it.knobs),
        ("Libraries that carry the bytes", &it.crates),
        ("Kernel settings", &it.sysctls),
    ];
    let list = |(title, all): (&str, &Vec<Named>)| {
        let facts = all.iter().map(|named| (named.name.clone(), named.value.clone())).collect();
        Block::folded(true, title, vec![Block::Facts(facts)])
    };
    all.into_iter().filter(|(_, all)| !all.is_empty()).flat_map(list).collect()
}

fn pinning(pinning: &Pinning) -> String {
    let numbers = |all: &[u32]| all.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    match pinning {
        Pinning::Split { server, generator } => {
            format!("server on {}, generator on {}", numbers(server), numbers(generator))
        }
        Pinning::Shared { reason } => format!("shared: {reason}"),
    }
}
