//! Which processors a process runs on. Threads inherit it, so it is set before a runtime is built.

use anyhow::Context;
use pushoff_model::environment::Pinning;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Who runs where.
#[derive(Debug)]
pub(crate) struct Cpus {
    /// How many processors the run may use.
    pub(crate) allowed: usize,
    /// How many of them the generator has.
    pub(crate) generator: usize,
    /// The server's; empty where the scheduler decides.
    pub(crate) server: Vec<u32>,
    pub(crate) pinning: Pinning,
}

impl Cpus {
    /// Takes this process's half of the processors, and notes the server's.
    pub(crate) fn take(no_pin: bool) -> anyhow::Result<Self> {
        let allowed = allowed()?;
        let shared = |reason: &str| Self {
            allowed: allowed.len(),
            generator: allowed.len(),
            server: Vec::new(),
            pinning: Pinning::Shared { reason: reason.to_owned() },
        };
        if no_pin {
            return Ok(shared("--no-pin was given"));
        }
        let Some((server, generator)) = halves(&allowed) else {
            return Ok(shared("there is one processor, and both processes share it"));
        };
        pin(generator)?;
        Ok(Self {
            allowed: allowed.len(),
            generator: generator.len(),
            server: server.to_vec(),
            pinning: Pinning::Split { server: server.to_vec(), generator: generator.to_vec() },
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "no machine has so many processors")]
    pub(crate) const fn server_count(&self) -> f64 {
        (if self.server.is_empty() { self.allowed } else { self.server.len() }) as f64
    }
}

/// The processors that this process may use, in ascending order.
pub(crate) fn allowed() -> anyhow::Result<Vec<u32>> {
    let set = sched_getaffinity(None).context("reading which processors this process may use")?;
    Ok((0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).filter_map(|cpu| u32::try_from(cpu).ok()).collect())
}

/// Keeps this thread, and those that it starts from now on, on `cpus`.
pub(crate) fn pin(cpus: &[u32]) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        let cpu = usize::try_from(cpu).unwrap_or(usize::MAX);
        anyhow::ensure!(cpu < CpuSet::MAX_CPU, "processor {cpu} is not on this machine: take some of {:?}", allowed()?);
        set.set(cpu);
    }
    sched_setaffinity(None, &set)
        .with_context(|| format!("pinning to processors {cpus:?}: take some of {:?}", allowed().unwrap_or_default()))
}

/// The processors of server and generator: a half each, the server's first.
///
/// `None` where there is only one to share.
pub(crate) fn halves(allowed: &[u32]) -> Option<(&[u32], &[u32])> {
    (allowed.len() >= 2).then(|| allowed.split_at(allowed.len() / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_halves_share_no_processor() {
        assert_eq!(halves(&[0]), None);
        assert_eq!(halves(&[0, 1]), Some((&[0][..], &[1][..])));
        assert_eq!(halves(&[2, 5, 7]), Some((&[2][..], &[5, 7][..])));
    }
}
