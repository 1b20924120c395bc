//! What it ran on and the command that made it.

use maud::{Markup, html};
use pushoff_model::Environment;
use pushoff_model::environment::{Named, Noise, Pinning};

use crate::ReportError;
use crate::number::Quantity;
use crate::study::Study;

#[expect(clippy::unnecessary_wraps, reason = "a section may fail; this one does not")]
pub(super) fn section(study: &Study<'_>) -> Result<Markup, ReportError> {
    Ok(html! {
        section #environment {
            h2 { "Environment" }
            @for environment in &study.run.environments { (one(environment)) }
            @if study.run.environments.is_empty() { p { "Nothing is recorded of the machine." } }
        }
    })
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn one(it: &Environment) -> Markup {
    let memory = format!("{:.1} GiB", it.memory_bytes as f64 / f64::from(1 << 30));
    let facts = [
        ("Run", it.run.clone()),
        ("Started", it.started.clone()),
        ("Seed", it.seed.to_string()),
        ("pushoff", format!("{} ({}), {} build", it.version, it.revision, it.profile)),
        ("Compiler", it.rustc.clone()),
        ("Processor", format!("{} × {}", it.cpus, it.cpu)),
        ("Memory", memory),
        ("System", it.kernel.clone()),
        ("Pinning", pinning(&it.pinning)),
        ("Descriptors", it.descriptor_limit.to_string()),
    ];
    html! {
        p { "The command:" }
        pre.command { code { (it.command) } }
        dl.facts { @for (name, value) in facts { dt { (name) } dd { (value) } } }
        (noise(&it.noise))
        @if !it.shortages.is_empty() {
            p { "What the run asked for and did not get:" }
            ul { @for shortage in &it.shortages { li { (shortage) } } }
        }
        (list("Servers", &it.servers))
        (list("Equal for all transports", &it.knobs))
        (list("Libraries that carry the bytes", &it.crates))
        (list("Kernel settings", &it.sysctls))
    }
}

/// What no figure of the run can be finer than.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn noise(noise: &Noise) -> Markup {
    let time = |nanoseconds: u64| Quantity::Time.write(nanoseconds as f64);
    let facts = [
        ("A timer is late by", noise.timer_lateness_p50_ns, noise.timer_lateness_p99_ns),
        ("A byte there and back over loopback", noise.round_trip_p50_ns, noise.round_trip_p99_ns),
    ];
    html! {
        @if *noise != Noise::default() {
            h3 { "Noise" }
            p {
                "Before the run the machine was measured against itself. The same measurement differed by "
                strong { (time(noise.repeat_ns)) }
                ": latencies that differ by less are not called different."
            }
            dl.facts {
                @for (name, half, most) in facts {
                    dt { (name) } dd { (time(half)) " half of the time, " (time(most)) " 99 % of it" }
                }
                dt { "The latest timer" } dd { (time(noise.timer_lateness_max_ns)) }
                dt { "The clock ticks in" } dd { (time(noise.clock_resolution_ns)) }
            }
        }
    }
}

fn list(title: &str, all: &[Named]) -> Markup {
    html! {
        @if !all.is_empty() {
            details {
                summary { (title) }
                dl.facts { @for named in all { dt { (named.name) } dd { (named.value) } } }
            }
        }
    }
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
