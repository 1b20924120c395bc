//! What it ran on and the command that made it.

use pushoff_model::Environment;
use pushoff_model::environment::{Named, Noise, Pinning};

use super::{Block, Section};
use crate::ReportError;
use crate::findings::study::Study;
use crate::words::number::Quantity;

#[expect(clippy::unnecessary_wraps, reason = "a section may fail; this one does not")]
pub(super) fn section(study: &Study<'_>) -> Result<Section, ReportError> {
    let mut blocks: Vec<Block> = study.run.environments.iter().flat_map(one).collect();
    if blocks.is_empty() {
        blocks.push(Block::Prose("Nothing is recorded of the machine.".into(), String::new()));
    }
    Ok(Section::titled("environment", "Environment", blocks))
}

fn one(it: &Environment) -> Vec<Block> {
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
    ];
    let mut blocks = vec![
        Block::Prose("The command:".into(), String::new()),
        Block::Command(it.command.clone()),
        Block::Facts(facts.map(|(name, value)| (name.to_owned(), value)).into()),
    ];
    blocks.extend(noise(&it.noise));
    if !it.shortages.is_empty() {
        blocks.push(Block::Prose("What the run asked for and did not get:".into(), String::new()));
        blocks.push(Block::List(it.shortages.iter().map(|it| it.clone().into()).collect()));
    }
    blocks.extend(lists);
    blocks
}

#[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
fn memory(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

/// What no figure of the run can be finer than.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn noise(noise: &Noise) -> Vec<Block> {
    if *noise == Noise::default() {
        return Vec::new();
    }
    let time = |nanoseconds: u64| Quantity::Time.write(nanoseconds as f64);
    let both = |half: u64, most: u64| format!("{} half of the time, {} 99 % of it", time(half), time(most));
    let facts = [
        ("Noise: a measurement repeated differs by", time(noise.repeat_ns)),
        ("A timer is late by", both(noise.timer_lateness_p50_ns, noise.timer_lateness_p99_ns)),
        ("A byte there and back over loopback", both(noise.round_trip_p50_ns, noise.round_trip_p99_ns)),
        ("The latest timer", time(noise.timer_lateness_max_ns)),
        ("The clock ticks in", time(noise.clock_resolution_ns)),
    ];
    vec![
        Block::Prose(
            "Before the run the machine was measured against itself: latencies that differ by less than it differs from \
             itself are not called different."
                .into(),
            String::new(),
        ),
        Block::Facts(facts.map(|(name, value)| (name.to_owned(), value)).into()),
    ]
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
