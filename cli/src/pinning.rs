//! Which processors a process runs on. Threads inherit it, so it is set before a runtime is built.

use anyhow::Context;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

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
