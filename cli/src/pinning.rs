//! The processors of a process. Threads inherit them, so they are set before a runtime is built.

use anyhow::{Context, bail, ensure};
use pushoff_model::environment::Pinning;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The smallest part of a processor for the generator, so that a run still ends.
const LEAST_PART: f64 = 0.01;

/// The generator's share of the processors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum GeneratorCpus {
    /// Half of them.
    Half,
    /// That many.
    Whole(usize),
    /// A part of one, from [`LEAST_PART`] to below 1.
    Part(f64),
}

impl GeneratorCpus {
    /// Parses `--generator-cpus`.
    ///
    /// # Errors
    /// When it is neither a whole number of processors nor a part of one.
    pub(crate) fn asked(cpus: Option<f64>) -> anyhow::Result<Self> {
        let Some(cpus) = cpus else { return Ok(Self::Half) };
        ensure!(
            cpus.is_finite() && cpus >= LEAST_PART,
            "--generator-cpus is {cpus}: give a whole number of processors, or a part of one from {LEAST_PART}"
        );
        if cpus < 1.0 {
            return Ok(Self::Part(cpus));
        }
        ensure!(
            cpus.fract() == 0.0 && cpus < f64::from(u32::MAX),
            "--generator-cpus is {cpus}: above 1, only whole processors are possible"
        );
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number that fits")]
        Ok(Self::Whole(cpus as usize))
    }

    /// The number of processors for the generator, of `allowed`.
    const fn of(self, allowed: usize) -> usize {
        match self {
            Self::Half => allowed - allowed / 2,
            Self::Whole(cpus) => cpus,
            Self::Part(_) => 1,
        }
    }
}

/// The processors of server and generator.
#[derive(Debug)]
pub(crate) struct Cpus {
    /// How many processors the run may use.
    pub(crate) allowed: usize,
    /// The generator's number of processors.
    pub(crate) generator: usize,
    /// The server's processors; empty if the scheduler decides.
    pub(crate) server: Vec<u32>,
    /// All processors that this process was allowed.
    pub(crate) all: Vec<u32>,
    pub(crate) pinning: Pinning,
}

impl Cpus {
    /// Pins this process to its processors, and returns the server's.
    ///
    /// # Errors
    /// When none would be left for the server, or the system refuses.
    pub(crate) fn take(no_pin: bool, asked: GeneratorCpus) -> anyhow::Result<Self> {
        let allowed = allowed()?;
        let shared = |reason: &str| Self {
            allowed: allowed.len(),
            generator: allowed.len(),
            server: Vec::new(),
            all: allowed.clone(),
            pinning: Pinning::Shared { reason: reason.to_owned() },
        };
        if no_pin {
            return Ok(shared("--no-pin was given"));
        }
        if let GeneratorCpus::Part(part) = asked {
            pushoff_loadgen::held_back_to(part);
        }
        let Some((server, generator)) = split(&allowed, asked)? else {
            return Ok(shared("there is one processor, and both processes share it"));
        };
        pin(generator)?;
        Ok(Self {
            allowed: allowed.len(),
            generator: generator.len(),
            server: server.to_vec(),
            all: allowed.clone(),
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

/// Pins this thread, and the threads that it starts from now on, to `cpus`.
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

/// Runs `work` on a thread pinned to `cpus`, if there are any; threads and processes that it starts inherit this.
///
/// # Errors
/// When the system refuses, or `work` fails.
pub(crate) fn confined<T: Send>(cpus: &[u32], work: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
    if cpus.is_empty() {
        return work();
    }
    std::thread::scope(|scope| {
        let confined = scope.spawn(|| pin(cpus).and_then(|()| work()));
        confined.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The processors of server and generator, the server's first.
///
/// `None` if there is only one processor, which both share.
fn split(allowed: &[u32], asked: GeneratorCpus) -> anyhow::Result<Option<(&[u32], &[u32])>> {
    let server = allowed.len().saturating_sub(asked.of(allowed.len()));
    match (asked, server) {
        (GeneratorCpus::Half | GeneratorCpus::Part(_), 0) => Ok(None),
        (GeneratorCpus::Whole(cpus), 0) => bail!(
            "--generator-cpus is {cpus} of {} processors, which leaves the server none: give at most {}, or a part \
             of one",
            allowed.len(),
            allowed.len() - 1
        ),
        (GeneratorCpus::Half | GeneratorCpus::Whole(_) | GeneratorCpus::Part(_), server) => {
            Ok(Some(allowed.split_at(server)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_and_generator_share_no_processor() {
        let of = |allowed, asked| split(allowed, asked).unwrap();
        assert_eq!(of(&[0], GeneratorCpus::Half), None);
        assert_eq!(of(&[0], GeneratorCpus::Part(0.5)), None);
        assert_eq!(of(&[0, 1], GeneratorCpus::Half), Some((&[0][..], &[1][..])));
        assert_eq!(of(&[2, 5, 7], GeneratorCpus::Half), Some((&[2][..], &[5, 7][..])));
        assert_eq!(of(&[2, 5, 7], GeneratorCpus::Part(0.1)), Some((&[2, 5][..], &[7][..])));
        assert_eq!(of(&[2, 5, 7], GeneratorCpus::Whole(2)), Some((&[2][..], &[5, 7][..])));
    }

    #[test]
    fn a_generator_that_takes_every_processor_is_refused() {
        for cpus in [2, 99] {
            let error = split(&[0, 1], GeneratorCpus::Whole(cpus)).unwrap_err().to_string();
            assert!(error.contains("leaves the server none"), "{error}");
        }
    }

    #[test]
    fn a_share_is_whole_processors_or_a_part_of_one() {
        let asked = |cpus| GeneratorCpus::asked(Some(cpus)).ok();
        assert_eq!(GeneratorCpus::asked(None).unwrap(), GeneratorCpus::Half);
        assert_eq!([1.0, 3.0].map(asked), [Some(GeneratorCpus::Whole(1)), Some(GeneratorCpus::Whole(3))]);
        assert_eq!([0.01, 0.999].map(asked), [Some(GeneratorCpus::Part(0.01)), Some(GeneratorCpus::Part(0.999))]);
        assert_eq!([0.0, -1.0, 1.5, 0.001, f64::NAN, f64::INFINITY, 1e300].map(asked), [None; 7]);
    }
}
