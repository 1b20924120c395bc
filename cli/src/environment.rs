//! The environment of a run, for `environment.json`. Wall-clock time is read here and nowhere else.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::time::SystemTime;

use anyhow::Context;
use procfs::{CpuInfo, Current, Meminfo};
use pushoff_loadgen::Asked;
use pushoff_model::browser::Browser;
use pushoff_model::environment::{Agent, Environment, Named, Noise};
use pushoff_model::record::SCHEMA_VERSION;
use pushoff_model::{Workload, foreign};

use crate::pinning::Cpus;
use crate::terminal;

/// The crates on the measured path.
const CRATES: [&str; 11] = [
    "criterion",
    "eventsource-client",
    "hdrhistogram",
    "hyper",
    "hyper-util",
    "plotters",
    "reqwest",
    "serde_json",
    "tokio",
    "tokio-tungstenite",
    "tungstenite",
];

/// Kernel settings that affect latency, throughput or the number of connections.
const SYSCTLS: [&str; 8] = [
    "net.core.somaxconn",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "kernel.sched_autogroup_enabled",
];

/// pushoff's version and git revision, as agents are compared by.
pub(crate) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " ", env!("PUSHOFF_REVISION"));

/// The state of the machine before the run.
#[derive(Debug)]
pub(crate) struct Machine {
    noise: Noise,
    shortages: Vec<String>,
}

/// Measures the machine's noise for half a second, and warns on standard error of what it lacks for these workloads.
///
/// # Errors
/// When timer or loopback cannot be measured.
pub(crate) fn check<'a>(
    workloads: impl Iterator<Item = &'a Workload> + Clone,
    cpus: &Cpus,
    descriptor_limit: u64,
) -> anyhow::Result<Machine> {
    let noise = pushoff_loadgen::noise(&cpus.server).context("measuring the noise of the machine")?;
    let mut shortages = pushoff_loadgen::preflight(workloads.clone(), descriptor_limit);
    shortages.extend(pushoff_loadgen::too_loud(&noise, workloads.filter_map(|workload| workload.slo.as_ref())));
    if cpus.allowed == 1 {
        shortages.push(
            "server and generator share the only processor and slow each other down: measure on two or more".to_owned(),
        );
    }
    // Each transport of a workload gives the same sentence.
    let mut said = BTreeSet::new();
    shortages.retain(|sentence| said.insert(sentence.clone()));
    for sentence in &shortages {
        terminal::remark(sentence);
    }
    Ok(Machine { noise, shortages })
}

/// The time of day, RFC 3339, UTC, in seconds.
#[expect(clippy::disallowed_methods, reason = "this is the one door to the wall clock")]
pub(crate) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// Gathers the environment of the run that began at `started` (RFC 3339).
pub(crate) fn gather(
    started: String,
    asked: &Asked<'_>,
    cpus: &Cpus,
    machine: Machine,
    servers: Vec<Named>,
    (browser, agents): (Option<Browser>, Vec<Agent>),
) -> Environment {
    Environment {
        schema: SCHEMA_VERSION,
        run: format!("{started}-{}", std::process::id()),
        started,
        command: command_line(std::env::args_os().skip(1)),
        seed: asked.seed,
        version: env!("CARGO_PKG_VERSION").into(),
        revision: env!("PUSHOFF_REVISION").into(),
        rustc: env!("PUSHOFF_RUSTC").into(),
        profile: env!("PUSHOFF_PROFILE").into(),
        crates: crate_versions(include_str!("../../Cargo.lock")),
        cpu: cpu_model(),
        cpus: u32::try_from(cpus.allowed).unwrap_or(u32::MAX),
        memory_bytes: Meminfo::current().map_or(0, |memory| memory.mem_total),
        kernel: kernel(),
        sysctls: sysctls(),
        pinning: cpus.pinning.clone(),
        servers,
        knobs: pushoff_loadgen::settings(),
        descriptor_limit: asked.descriptors,
        noise: machine.noise,
        shortages: machine.shortages,
        agents,
        browser,
    }
}

/// The command line, quoted for a shell.
fn command_line(words: impl Iterator<Item = OsString>) -> String {
    std::iter::once("pushoff".to_owned()).chain(words.map(|word| quoted(&word))).collect::<Vec<_>>().join(" ")
}

/// A word quoted for a shell: in ANSI C quotes if it is not UTF-8 or has control characters.
fn quoted(word: &OsStr) -> String {
    let plain = word.to_str().filter(|text| foreign::shown(text, usize::MAX) == *text);
    match plain.and_then(|text| shlex::try_quote(text).ok()) {
        Some(quoted) => quoted.into_owned(),
        None => format!("$'{}'", word.as_bytes().escape_ascii()),
    }
}

/// The versions of [`CRATES`] in a lock file.
fn crate_versions(lock: &str) -> Vec<Named> {
    let Ok(lock) = lock.parse::<toml::Table>() else { return Vec::new() };
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    packages
        .filter_map(|package| Some((package.get("name")?.as_str()?, package.get("version")?.as_str()?)))
        .filter(|(name, _)| CRATES.contains(name))
        .map(|(name, version)| Named::new(name, version))
        .collect()
}

fn cpu_model() -> String {
    let model = CpuInfo::current().ok().and_then(|info| info.model_name(0).map(str::to_owned));
    model.unwrap_or_else(|| "unknown".to_owned())
}

/// The name of this machine.
pub(crate) fn host() -> String {
    foreign::shown(&rustix::system::uname().nodename().to_string_lossy(), foreign::NAME)
}

pub(crate) fn kernel() -> String {
    let uname = rustix::system::uname();
    format!("{} {}", uname.sysname().to_string_lossy(), uname.release().to_string_lossy())
}

fn sysctls() -> Vec<Named> {
    let value = |name: &str| {
        let text = std::fs::read_to_string(format!("/proc/sys/{}", name.replace('.', "/"))).ok()?;
        Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    SYSCTLS.iter().filter_map(|name| Some(Named::new(*name, value(name)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measured_crate_has_its_version_in_the_lock_file() {
        let versions = crate_versions(include_str!("../../Cargo.lock"));
        for name in CRATES {
            assert!(versions.iter().any(|version| version.name == name), "{name}");
        }
    }

    #[test]
    fn a_command_line_can_be_typed_again_whatever_its_words_hold() {
        let words = [&b"run"[..], b"--out", b"a b", b"\xff\xfe", b"a\nb'\x1b", "größe".as_bytes()];
        let words = words.map(|word| OsStr::from_bytes(word).to_owned());
        let line = command_line(words.clone().into_iter());
        assert_eq!(line, r"pushoff run --out 'a b' $'\xff\xfe' $'a\nb\'\x1b' 'größe'");
        let output =
            std::process::Command::new("bash").arg("-c").arg(format!("printf '%s\\0' {line}")).output().unwrap();
        let typed: Vec<&[u8]> = output.stdout.split(|&byte| byte == 0).collect();
        let wanted: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        assert_eq!(typed[1..typed.len() - 1], wanted);
    }

    #[test]
    fn the_time_of_day_has_seconds_and_a_zone() {
        let now = now();
        assert_eq!((now.len(), now.ends_with('Z')), (20, true), "{now}");
    }
}
