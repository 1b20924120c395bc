//! The Tokio runtime of both processes: one worker a processor.

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};

/// A runtime for `cpus` processors. With one processor everything runs on the calling thread, so no latency contains
/// a hand-over between threads.
pub(crate) fn build(cpus: usize) -> anyhow::Result<Runtime> {
    let mut builder = if cpus <= 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    if cpus > 1 {
        builder.worker_threads(cpus);
    }
    builder.enable_all().build().context("starting the runtime")
}
