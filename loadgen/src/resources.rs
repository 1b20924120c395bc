//! What the two processes and the machine used, read at both ends of the measure phase.
//!
//! Processor time is read per thread from `/proc/PID/task/*/schedstat`, in nanoseconds; the ticks
//! of `/proc/PID/stat` are 10 ms, too coarse for a phase of a second. The time of a thread that
//! ends between the two readings is lost to the first source: where the second says more, beyond
//! what its ticks could round, it is taken instead.

use pushoff_model::RunInstant;
use pushoff_model::record::{MachineUse, ProcessUse};

/// Everything that is read at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    at: RunInstant,
    server: Option<ProcessReading>,
    generator: ProcessReading,
    machine: MachineReading,
}

#[derive(Clone, Copy, Debug, Default)]
struct ProcessReading {
    /// Nanoseconds on a processor by threads alive now.
    threads_ns: u64,
    /// The same for all threads that ever were, in whole ticks.
    ticks_ns: u64,
    tick_ns: u64,
    /// Nanoseconds that threads alive now were ready to run and had no processor.
    waited_ns: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct MachineReading {
    steal_ticks: u64,
    total_ticks: u64,
    retransmitted: u64,
    segments: u64,
}

/// What was used between two readings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use {
    pub(crate) server: Option<ProcessUse>,
    pub(crate) generator: ProcessUse,
    pub(crate) machine: MachineUse,
    /// TCP segments sent, machine-wide.
    pub(crate) segments: u64,
    /// Part of its processors' time that the server was ready to run and others had them.
    pub(crate) server_waited: f64,
    /// The same for the generator.
    pub(crate) generator_waited: f64,
}

impl Reading {
    /// Reads everything now. What cannot be read counts as nothing used.
    pub(crate) fn now(at: RunInstant, server_pid: Option<u32>) -> Self {
        let server = server_pid.and_then(|pid| system::process(Some(pid)));
        Self { at, server, generator: system::process(None).unwrap_or_default(), machine: system::machine() }
    }

    /// What was used from this reading to a later one.
    pub(crate) fn until(&self, later: &Self, server_cpus: u32) -> Use {
        let wall_ns = pushoff_model::time::nanos(later.at.since(self.at));
        let cpus = std::thread::available_parallelism().map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(u32::MAX));
        let waited = |from: ProcessReading, to: ProcessReading, cpus: u32| {
            share(to.waited_ns.saturating_sub(from.waited_ns), wall_ns.saturating_mul(cpus.into()))
        };
        let machine = &later.machine;
        let total = machine.total_ticks.saturating_sub(self.machine.total_ticks);
        let steal = machine.steal_ticks.saturating_sub(self.machine.steal_ticks);
        Use {
            server: self.server.zip(later.server).map(|(from, to)| from.until(&to, wall_ns, server_cpus)),
            generator: self.generator.until(&later.generator, wall_ns, cpus),
            machine: MachineUse {
                steal: share(steal, total),
                retransmits: machine.retransmitted.saturating_sub(self.machine.retransmitted),
            },
            segments: machine.segments.saturating_sub(self.machine.segments),
            server_waited: waited(self.server.unwrap_or_default(), later.server.unwrap_or_default(), server_cpus),
            generator_waited: waited(self.generator, later.generator, cpus),
        }
    }
}

impl ProcessReading {
    fn until(&self, later: &Self, wall_ns: u64, cpus: u32) -> ProcessUse {
        let threads = later.threads_ns.saturating_sub(self.threads_ns);
        let ticks = later.ticks_ns.saturating_sub(self.ticks_ns);
        // User and system time are each rounded, at both ends.
        let rounding = 4 * later.tick_ns;
        let cpu_ns = if ticks > threads.saturating_add(rounding) { ticks } else { threads };
        ProcessUse { cpu_ns, user_ns: 0, system_ns: 0, wall_ns, cpus: f64::from(cpus) }
    }
}

/// One number's part of another; nothing of nothing is nothing.
#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(target_os = "linux")]
mod system {
    use procfs::process::{Process, Schedstat};
    use procfs::{CurrentSI, KernelStats};

    use super::{MachineReading, ProcessReading};

    /// A process by its number, or this one.
    pub(super) fn process(pid: Option<u32>) -> Option<ProcessReading> {
        let process = match pid {
            Some(pid) => Process::new(i32::try_from(pid).ok()?).ok()?,
            None => Process::myself().ok()?,
        };
        let stat = process.stat().ok()?;
        let tick_ns = 1_000_000_000 / procfs::ticks_per_second().max(1);
        let ticks_ns = (stat.utime + stat.stime) * tick_ns;
        let (mut threads_ns, mut waited_ns) = (0, 0);
        for task in process.tasks().ok()?.flatten() {
            if let Ok(Schedstat { sum_exec_runtime, run_delay, .. }) = task.schedstat() {
                threads_ns += sum_exec_runtime;
                waited_ns += run_delay;
            }
        }
        if threads_ns == 0 {
            // Without scheduler statistics in the kernel, ticks are all there is.
            threads_ns = ticks_ns;
        }
        Some(ProcessReading { threads_ns, ticks_ns, tick_ns, waited_ns })
    }

    pub(super) fn machine() -> MachineReading {
        let mut reading = MachineReading::default();
        if let Ok(KernelStats { total: cpu, .. }) = KernelStats::current() {
            reading.steal_ticks = cpu.steal.unwrap_or(0);
            let rest = [cpu.iowait, cpu.irq, cpu.softirq].into_iter().flatten().sum::<u64>();
            reading.total_ticks = cpu.user + cpu.nice + cpu.system + cpu.idle + rest + reading.steal_ticks;
        }
        if let Ok(tcp) = procfs::net::snmp() {
            reading.retransmitted = tcp.tcp_retrans_segs;
            reading.segments = tcp.tcp_out_segs;
        }
        reading
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{MachineReading, ProcessReading};

    pub(super) fn process(_pid: Option<u32>) -> Option<ProcessReading> {
        None
    }

    pub(super) fn machine() -> MachineReading {
        MachineReading::default()
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::RunClock;

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn work_shows_as_processor_time_and_memory() {
        let clock = RunClock::start();
        let me = Some(std::process::id());
        let before = Reading::now(clock.now(), me);
        let busy_until = clock.now() + std::time::Duration::from_millis(60);
        while clock.now() < busy_until {
            std::hint::spin_loop();
        }
        let used = before.until(&Reading::now(clock.now(), me), 1);
        let server = used.server.unwrap();
        assert!(server.cpu_ns > 10_000_000, "{server:?}");
        assert!(server.wall_ns >= 60_000_000);
        assert!((0.0..=1.0).contains(&used.machine.steal));
    }

    #[test]
    fn threads_that_ended_are_taken_from_the_ticks() {
        let reading = |threads_ns, ticks_ns| ProcessReading {
            threads_ns,
            ticks_ns,
            tick_ns: 10_000_000,
            ..ProcessReading::default()
        };
        let used = |to: ProcessReading| reading(0, 0).until(&to, 1_000_000_000, 1).cpu_ns;
        assert_eq!(used(reading(205_000_000, 230_000_000)), 205_000_000);
        assert_eq!(used(reading(100_000_000, 230_000_000)), 230_000_000);
        assert_eq!(used(reading(0, 0)), 0);
    }
}
