//! What two runs ran on, where it is not the same.

use std::fmt::Display;

use pushoff_model::Environment;
use pushoff_model::environment::{Named, Pinning};
use serde::Serialize;

/// Memory that differs by less is the same: kernels keep different parts for themselves.
const SAME_MEMORY: f64 = 0.1;

/// Something that was not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    pub(super) what: String,
    pub(super) base: String,
    pub(super) new: String,
    /// Whether it makes another machine of it.
    pub(super) is_machine: bool,
}

impl Difference {
    /// `kernel: Linux 6.1 → Linux 6.12`.
    pub(super) fn sentence(&self) -> String {
        format!("{}: {} → {}", self.what, self.base, self.new)
    }
}

/// All that differs between where two runs were measured, the machine first.
pub(super) fn differences(base: &[Environment], new: &[Environment]) -> Vec<Difference> {
    base.first().zip(new.first()).map_or_else(Vec::new, |(base, new)| between(base, new))
}

fn between(base: &Environment, new: &Environment) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut machine = |what: &str, is_same: bool, one: String, other: String| {
        if !is_same {
            found.push(Difference { what: what.into(), base: one, new: other, is_machine: true });
        }
    };
    machine("processor", base.cpu == new.cpu, base.cpu.clone(), new.cpu.clone());
    machine("processors", base.cpus == new.cpus, base.cpus.to_string(), new.cpus.to_string());
    let (one, other) = (gibibytes(base), gibibytes(new));
    let is_same = (one - other).abs() <= SAME_MEMORY * one.max(other);
    machine("memory", is_same, format!("{one:.1} GiB"), format!("{other:.1} GiB"));
    let mut compare = |what: &str, one: &dyn Display, other: &dyn Display| {
        let (one, other) = (one.to_string(), other.to_string());
        if one != other {
            found.push(Difference { what: what.into(), base: one, new: other, is_machine: false });
        }
    };
    compare("kernel", &base.kernel, &new.kernel);
    compare("pinning", &pinning(&base.pinning), &pinning(&new.pinning));
    compare("command", &without_out(&base.command), &without_out(&new.command));
    compare("seed", &base.seed, &new.seed);
    compare("version", &base.version, &new.version);
    compare("revision", &base.revision, &new.revision);
    compare("build", &base.profile, &new.profile);
    compare("compiler", &base.rustc, &new.rustc);
    compare("descriptors", &base.descriptor_limit, &new.descriptor_limit);
    for (base, new) in [
        (&base.servers, &new.servers),
        (&base.knobs, &new.knobs),
        (&base.sysctls, &new.sysctls),
        (&base.crates, &new.crates),
    ] {
        for name in names(base, new) {
            compare(name, &value(base, name), &value(new, name));
        }
    }
    found
}

#[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
fn gibibytes(environment: &Environment) -> f64 {
    environment.memory_bytes as f64 / f64::from(1 << 30)
}

/// Where a run was written to says nothing of what was measured.
fn without_out(command: &str) -> String {
    let mut words = command.split(' ');
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        if word == "--out" {
            words.next();
        } else if !word.starts_with("--out=") {
            kept.push(word);
        }
    }
    kept.join(" ")
}

fn names<'a>(base: &'a [Named], new: &'a [Named]) -> Vec<&'a str> {
    let mut names: Vec<&str> = base.iter().map(|it| it.name.as_str()).collect();
    names.extend(new.iter().map(|it| it.name.as_str()).filter(|name| !base.iter().any(|it| it.name == *name)));
    names
}

fn value<'a>(all: &'a [Named], name: &str) -> &'a str {
    all.iter().find(|it| it.name == name).map_or("none", |it| it.value.as_str())
}

fn pinning(pinning: &Pinning) -> String {
    match pinning {
        Pinning::Split { server, generator } => format!("server on {server:?}, generator on {generator:?}"),
        Pinning::Shared { reason } => format!("shared: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_same_environment_has_no_differences_wherever_it_was_written_to() {
        let base = fixture::environment();
        let mut new = base.clone();
        (new.run, new.started) = ("another".into(), "later".into());
        new.command.push_str(" --out there");
        assert_eq!(between(&base, &new), []);
    }

    #[test]
    fn another_machine_is_told_from_other_settings() {
        let base = fixture::environment();
        let mut new = base.clone();
        (new.kernel, new.seed) = ("Linux 6.18".into(), 2);
        new.knobs[1].value = "on".into();
        new.crates.push(Named::new("extra", "1"));
        new.memory_bytes += 1 << 30;
        let found = between(&base, &new);
        let sentences: Vec<String> = found.iter().map(Difference::sentence).collect();
        let expected = ["kernel: Linux 6.12.0 → Linux 6.18", "seed: 1 → 2", "compression: off → on", "extra: none → 1"];
        assert_eq!(sentences, expected);
        assert!(found.iter().all(|it| !it.is_machine));
        new.cpus = 4;
        assert!(between(&base, &new)[0].is_machine);
    }
}
