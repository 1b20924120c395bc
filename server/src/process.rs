//! What the server's process uses of the machine, under the names that Prometheus's own clients use.
//!
//! Sources: `proc_pid_stat(5)`, `clock_gettime(2)`, and "Process metrics" in Prometheus's guide for client libraries.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use procfs::process::Process;
use procfs::{CurrentSI as _, KernelStats, page_size, ticks_per_second};
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// When this process started, in seconds since 1970. Read once: the moment of boot moves when a clock is set.
static STARTED: OnceLock<Option<f64>> = OnceLock::new();

/// From the kernel's ticks between boot and start.
fn started(ticks: u64) -> Option<f64> {
    let booted = Duration::from_secs(KernelStats::current().ok()?.btime);
    let later = Duration::from_millis(ticks.saturating_mul(1_000) / ticks_per_second().max(1));
    Some((booted + later).as_secs_f64())
}

/// Writes the figures in the text format; none where the system does not tell them.
pub(crate) fn write(text: &mut String) -> fmt::Result {
    let Ok(stat) = Process::myself().and_then(|process| process.stat()) else { return Ok(()) };
    let Ok(used) = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID) else { return Ok(()) };
    let resident = i64::try_from(stat.rss.saturating_mul(page_size())).unwrap_or(i64::MAX);
    let mut registry = Registry::default();
    let cpu = ConstCounter::new(Duration::from(used).as_secs_f64());
    registry.register("process_cpu_seconds", "Processor time of the process, in seconds", cpu);
    registry.register("process_resident_memory_bytes", "Memory of the process", ConstGauge::new(resident));
    if let Some(started) = STARTED.get_or_init(|| started(stat.starttime)) {
        let started = ConstGauge::new(*started);
        registry.register("process_start_time_seconds", "When the process started, in seconds since 1970", started);
    }
    encode_registry(text, &registry)
}
