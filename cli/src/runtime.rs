//! The Tokio runtime of either process: one worker a processor, no more.

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};

/// A runtime for `cpus` processors. On one, everything runs on the calling thread: no hand-over
/// between threads stands in a latency.
pub(crate) fn build(cpus: usize) -> anyhow::Result<Runtime> {
    let mut builder = if cpus <= 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    if cpus > 1 {
        builder.worker_threads(cpus);
    }
    builder.enable_all().build().context("starting the runtime")
}
