//! What the server's process uses of the machine, under the names that Prometheus's own clients use.
//!
//! Sources: `proc_pid_stat(5)`, and "Process metrics" in Prometheus's guide for client libraries.

use std::fmt;
use std::time::Duration;

use procfs::process::Process;
use procfs::{page_size, ticks_per_second};
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// Writes the figures in the text format; none where the system does not tell them.
pub(crate) fn write(text: &mut String) -> fmt::Result {
    let Ok(stat) = Process::myself().and_then(|process| process.stat()) else { return Ok(()) };
    let tick = Duration::from_nanos(1_000_000_000 / ticks_per_second().max(1));
    let ticks = u32::try_from(stat.utime.saturating_add(stat.stime)).unwrap_or(u32::MAX);
    let resident = i64::try_from(stat.rss.saturating_mul(page_size())).unwrap_or(i64::MAX);
    let mut registry = Registry::default();
    let cpu = ConstCounter::new((tick * ticks).as_secs_f64());
    registry.register("process_cpu_seconds", "Processor time of the process, in seconds", cpu);
    registry.register("process_resident_memory_bytes", "Memory of the process", ConstGauge::new(resident));
    encode_registry(text, &registry)
}
