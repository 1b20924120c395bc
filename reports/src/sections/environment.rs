//! What it ran on and the command that made it.

use maud::{Markup, html};
use pushoff_model::Environment;
use pushoff_model::environment::{Named, Pinning};

use crate::ReportError;
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
        (list("Equal for all transports", &it.knobs))
        (list("Libraries that carry the bytes", &it.crates))
        (list("Kernel settings", &it.sysctls))
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
