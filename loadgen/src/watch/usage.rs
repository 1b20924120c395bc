//! The use of processes and machine during the measure phase: the difference of a reading at either end.
//!
//! Processor time is that of the process's own clock, in nanoseconds: of all threads that ever ran. A sum over
//! `/proc/PID/task/*/schedstat` would fall by all that a thread has used when it ends. Where there is no such clock, the
//! ticks of `/proc/PID/stat` are used, which are 10 ms, and the record says so. How long threads waited is known of living
//! ones alone: what a thread waited that ended between the two readings is lost. Source: `clock_getcpuclockid`(3).
//!
//! The processes of a server or a browser are found again for each reading. A process that started in between counts
//! from its start; the last part of a process that ended in between is lost.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::sync::OnceLock;
use std::time::Duration;

use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;
use procfs::process::{Process, Task};
use procfs::{CurrentSI, KernelStats};
use pushoff_model::RunInstant;
use pushoff_model::record::{MachineUse, ProcessUse};
use pushoff_network::Link;
use serde::{Deserialize, Serialize};

use crate::account::Told;
use crate::numbers::share;

/// All values of one moment.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    at: RunInstant,
    server: Vec<ProcessReading>,
    /// The server's own report and its time, where its processes cannot be seen.
    told: Option<(RunInstant, Told)>,
    /// This process, and the browser's if there is one.
    generator: Vec<ProcessReading>,
    machine: MachineReading,
}

#[derive(Clone, Debug, Default)]
struct ProcessReading {
    /// Process id and start time, which identify a process even if its id is reused.
    who: (i32, u64),
    /// Processor time of all threads that ever ran, by the process's clock; `None` where the system has none.
    clock_ns: Option<u64>,
    /// Their user time, in whole ticks.
    user_ns: u64,
    /// Their system time.
    system_ns: u64,
    /// Time that each living thread was runnable without a processor.
    waited_ns: BTreeMap<i32, u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct MachineReading {
    steal_ticks: u64,
    total_ticks: u64,
    retransmitted: u64,
    /// See [`spurious`].
    spurious: [u64; 2],
    segments: u64,
    /// Time that the control group's quota withheld.
    throttled_ns: u64,
}

/// The use of server, generator and machine between two readings.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Use {
    pub(crate) server: Option<ProcessUse>,
    pub(crate) generator: ProcessUse,
    pub(crate) machine: MachineUse,
    /// TCP segments sent, machine-wide.
    pub(crate) segments: u64,
    /// Share of missed ticks of the stall detector; 0 until it has run.
    pub(crate) stalled: f64,
    /// Share of the time that a control group's quota withheld the processors.
    pub(crate) throttled: f64,
}

impl Reading {
    /// Reads everything now. A value that cannot be read counts as 0.
    pub(crate) fn now(at: RunInstant, server: &[u32], browser: &[u32], link: Option<&Link>) -> Self {
        let all = |pids: &[u32]| pids.iter().filter_map(|&pid| process(Some(pid))).collect::<Vec<_>>();
        // Over a network this process has a hundred threads, and several trials that wait while they are read.
        let own = if link.is_some() { Some(whole()) } else { process(None) };
        let own = std::iter::once(own.unwrap_or_default());
        let generator = own.chain(all(browser)).collect();
        Self { at, server: all(server), told: None, generator, machine: machine(link) }
    }

    /// With the server's own report.
    pub(crate) fn and_told(self, told: Option<(RunInstant, Told)>) -> Self {
        Self { told, ..self }
    }

    pub(crate) fn until(&self, later: &Self, server_cpus: f64) -> Use {
        let wall_ns = pushoff_model::time::nanos(later.at.since(self.at));
        let cpus = generator_cpus();
        let server = self.server_until(later, wall_ns, server_cpus);
        let generator = Spent::by_all(&self.generator, &later.generator);
        let machine = &later.machine;
        let total = machine.total_ticks.saturating_sub(self.machine.total_ticks);
        let steal = machine.steal_ticks.saturating_sub(self.machine.steal_ticks);
        Use {
            server,
            generator: generator.of(wall_ns, cpus),
            machine: MachineUse {
                steal: share(steal, total),
                retransmits: machine.retransmitted.saturating_sub(self.machine.retransmitted),
                spurious_retransmits: [0, 1]
                    .map(|at| machine.spurious[at].saturating_sub(self.machine.spurious[at]))
                    .into_iter()
                    .fold(0, u64::max),
            },
            segments: machine.segments.saturating_sub(self.machine.segments),
            stalled: 0.0,
            throttled: share(machine.throttled_ns.saturating_sub(self.machine.throttled_ns), wall_ns),
        }
    }
}

impl Reading {
    /// The server's use. `None` where it reports its use itself and was started again in between.
    fn server_until(&self, later: &Self, wall_ns: u64, cpus: f64) -> Option<ProcessUse> {
        if let Some(((then, from), (now, to))) = self.told.as_ref().zip(later.told.as_ref()) {
            let (cpu_ns, wall_ns) = (to.cpu_ns_since(from)?, pushoff_model::time::nanos(now.since(*then)));
            return Some(ProcessUse { cpu_ns, wall_ns, cpus, is_told: true, ..ProcessUse::default() });
        }
        let is_seen = !self.server.is_empty() && !later.server.is_empty();
        is_seen.then(|| Spent::by_all(&self.server, &later.server).of(wall_ns, cpus))
    }
}

/// The use of several processes between two readings.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    cpu_ns: u64,
    user_ns: u64,
    system_ns: u64,
    waited_ns: u64,
    in_ticks: bool,
}

impl Spent {
    /// The sum over the later reading's processes. A process that is missing in the earlier one started in between.
    ///
    /// Several processes wait for each other, a browser's for this one as well, which is not the machine's fault: their
    /// waits are left out. A generator of one process says whether the machine had a processor to spare.
    fn by_all(from: &[ProcessReading], to: &[ProcessReading]) -> Self {
        let none = ProcessReading::default();
        let known = |who| from.iter().find(|process| process.who == who).unwrap_or(&none);
        let sum: Self = to.iter().map(|process| Self::between(known(process.who), process)).sum();
        Self { waited_ns: if to.len() > 1 { 0 } else { sum.waited_ns }, ..sum }
    }

    fn between(from: &ProcessReading, to: &ProcessReading) -> Self {
        let user_ns = to.user_ns.saturating_sub(from.user_ns);
        let system_ns = to.system_ns.saturating_sub(from.system_ns);
        let by_clock = to.clock_ns.map(|now| now.saturating_sub(from.clock_ns.unwrap_or(0)));
        let waited = |(thread, now): (&i32, &u64)| now.saturating_sub(from.waited_ns.get(thread).copied().unwrap_or(0));
        Self {
            cpu_ns: by_clock.unwrap_or(user_ns + system_ns),
            user_ns,
            system_ns,
            waited_ns: to.waited_ns.iter().map(waited).sum(),
            in_ticks: by_clock.is_none(),
        }
    }

    const fn of(self, wall_ns: u64, cpus: f64) -> ProcessUse {
        let Self { cpu_ns, user_ns, system_ns, waited_ns, in_ticks } = self;
        ProcessUse { cpu_ns, user_ns, system_ns, wall_ns, cpus, waited_ns, in_ticks, is_told: false }
    }
}

impl Sum for Spent {
    fn sum<I: Iterator<Item = Self>>(each: I) -> Self {
        each.fold(Self::default(), |sum, one| Self {
            cpu_ns: sum.cpu_ns + one.cpu_ns,
            user_ns: sum.user_ns + one.user_ns,
            system_ns: sum.system_ns + one.system_ns,
            waited_ns: sum.waited_ns + one.waited_ns,
            in_ticks: sum.in_ticks || one.in_ticks,
        })
    }
}

/// The share of one processor that this process is limited to, if it is.
static HELD_BACK_TO: OnceLock<f64> = OnceLock::new();

/// Records that this process is limited to a share of one processor, so that its utilisation is relative to that
/// share. Call it once, before anything is measured; later calls change nothing.
pub fn held_back_to(part: f64) {
    HELD_BACK_TO.get_or_init(|| part);
}

/// The processors of this process, for `environment.json`.
pub(crate) fn generator_share() -> String {
    match HELD_BACK_TO.get() {
        Some(part) => format!("held back to {part} of one: stopped and continued many times a second"),
        None => "its own, whole".to_owned(),
    }
}

/// How many processors this process may use.
#[expect(clippy::cast_precision_loss, reason = "no machine has so many processors")]
fn generator_cpus() -> f64 {
    let threads = || std::thread::available_parallelism().map_or(1.0, |cpus| cpus.get() as f64);
    HELD_BACK_TO.get().copied().unwrap_or_else(threads)
}

/// Segments of a `/proc/net/netstat` that were sent again without having been lost: tail-loss probes that recovered
/// nothing, and duplicates that the receiver reported. Mostly they are the same segments, so that the larger growth
/// counts. Source: `Documentation/networking/snmp_counter.rst` of the kernel.
fn spurious(netstat: &str) -> [u64; 2] {
    let count = |name| column(netstat, "TcpExt", name);
    let probes = count("TCPLossProbes").saturating_sub(count("TCPLossProbeRecovery"));
    [probes, count("TCPDSACKRecv") + count("TCPDSACKOfoRecv")]
}

/// A value of a table such as `/proc/net/snmp`, whose first line of a protocol has the names; 0 where there is none.
fn column(table: &str, protocol: &str, wanted: &str) -> u64 {
    let mut lines = table.lines().filter_map(|line| line.strip_prefix(protocol)?.strip_prefix(": "));
    let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let mut columns = names.split(' ').zip(values.split(' '));
    columns.find(|(name, _)| *name == wanted).and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}

/// The withheld time in a `cpu.stat`: `throttled_usec` in version 2, `throttled_time` (ns) in version 1.
fn withheld_ns(stat: &str) -> Option<u64> {
    stat.lines().find_map(|line| match line.split_once(' ')? {
        ("throttled_usec", micros) => micros.parse::<u64>().ok()?.checked_mul(1_000),
        ("throttled_time", nanos) => nanos.parse().ok(),
        (_other, _) => None,
    })
}

/// The process with that number, or this one.
fn process(pid: Option<u32>) -> Option<ProcessReading> {
    let process = match pid {
        Some(pid) => Process::new(i32::try_from(pid).ok()?).ok()?,
        None => Process::myself().ok()?,
    };
    let stat = process.stat().ok()?;
    let tick_ns = 1_000_000_000 / procfs::ticks_per_second().max(1);
    let (user_ns, system_ns) = (stat.utime * tick_ns, stat.stime * tick_ns);
    let waited = |task: Task| Some((task.tid, task.schedstat().ok()?.run_delay));
    let waited_ns = process.tasks().ok()?.flatten().filter_map(waited).collect();
    let who = (stat.pid, stat.starttime);
    Some(ProcessReading { who, clock_ns: clock_ns(stat.pid), user_ns, system_ns, waited_ns })
}

/// The processor time of a process by its clock: 0 is this one.
fn clock_ns(pid: i32) -> Option<u64> {
    let used = clock_getcpuclockid(Pid::from_raw(pid)).ok()?.now().ok()?;
    u64::try_from(Duration::from(used).as_nanos()).ok()
}

/// This process, but for what its threads waited.
fn whole() -> ProcessReading {
    ProcessReading { clock_ns: clock_ns(0), ..ProcessReading::default() }
}

fn machine(link: Option<&Link>) -> MachineReading {
    let mut reading = MachineReading::default();
    if let Ok(KernelStats { total: cpu, .. }) = KernelStats::current() {
        reading.steal_ticks = cpu.steal.unwrap_or(0);
        let rest = [cpu.iowait, cpu.irq, cpu.softirq].into_iter().flatten().sum::<u64>();
        reading.total_ticks = cpu.user + cpu.nice + cpu.system + cpu.idle + rest + reading.steal_ticks;
    }
    // TCP's counters are a namespace's.
    let namespaces = link.map_or_else(|| vec![None], |link| vec![Some(&link.far), Some(&link.near)]);
    for namespace in namespaces {
        let read = |name| std::fs::read_to_string(format!("/proc/thread-self/net/{name}")).unwrap_or_default();
        let read = || ["snmp", "netstat"].map(read);
        let [snmp, netstat] = namespace.map_or_else(|| Ok(read()), |it| it.within(read)).unwrap_or_default();
        reading.retransmitted += column(&snmp, "Tcp", "RetransSegs");
        reading.segments += column(&snmp, "Tcp", "OutSegs");
        let spurious = spurious(&netstat);
        reading.spurious = [0, 1].map(|source| reading.spurious[source] + spurious[source]);
    }
    reading.throttled_ns = throttled_ns().unwrap_or(0);
    reading
}

/// Time that a quota has withheld from this process's control group; `None` without a quota.
fn throttled_ns() -> Option<u64> {
    let groups = Process::myself().ok()?.cgroups().ok()?;
    groups.into_iter().find_map(|group| {
        let own = group.pathname.trim_end_matches('/').to_owned();
        let mount = if group.controllers.iter().any(|controller| controller == "cpu") {
            "/sys/fs/cgroup/cpu"
        } else if group.hierarchy == 0 {
            "/sys/fs/cgroup"
        } else {
            return None;
        };
        // Inside a container, the mount may begin at the group itself.
        let read = |path: String| std::fs::read_to_string(path).ok();
        let stat = read(format!("{mount}{own}/cpu.stat")).or_else(|| read(format!("{mount}/cpu.stat")))?;
        withheld_ns(&stat)
    })
}

#[cfg(test)]
mod tests;
