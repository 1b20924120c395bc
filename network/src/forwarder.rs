//! Passes packets from one device to another, each when it is due: a thread a direction.

use std::io::{self, ErrorKind};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pushoff_model::{LatencyHistogram, RunClock, RunInstant};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::time::{ClockId, clock_gettime};
use tun_rs::SyncDevice;

use crate::wires::Wires;

/// The largest packet of a device with the usual MTU, with room to notice a larger one.
const LARGEST: usize = 65_535;
/// How long a thread without packets sleeps until it looks whether it should end.
const LOOK: Duration = Duration::from_millis(100);
/// How long before a packet is due its thread stays awake: longer than an idle processor takes to wake. Chosen here.
const AWAKE: Duration = Duration::from_micros(300);

/// What passed in one direction.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Packets of IPv4 that were handed over. The kernel's own of IPv6 go nowhere and count nowhere.
    pub offered: u64,
    /// Of them, those that were passed on.
    pub passed: u64,
    /// Those that a queue had no room for.
    pub dropped: u64,
    /// Those that were lost on the way.
    pub lost: u64,
    /// Bytes of what was passed on, IP headers among them.
    pub bytes: u64,
    /// The largest packet, in bytes.
    pub largest: u64,
    /// How much later than due packets were passed on.
    pub lateness: LatencyHistogram,
    /// Processor time of the thread.
    pub processor: Duration,
}

/// What passed in both directions.
#[derive(Clone, Debug, Default)]
pub struct Passed {
    /// From the server.
    pub down: Tally,
    /// To the server.
    pub up: Tally,
}

/// The two threads.
#[derive(Debug)]
pub(crate) struct Forwarder {
    stop: Arc<AtomicBool>,
    threads: [Option<JoinHandle<io::Result<Tally>>>; 2],
}

impl Forwarder {
    /// Begins to forward: `down` from `far` to `near`, `up` the other way.
    pub(crate) fn start(far: SyncDevice, near: SyncDevice, down: Wires, up: Wires) -> io::Result<Self> {
        let (far, near) = (Arc::new(far), Arc::new(near));
        let stop = Arc::new(AtomicBool::new(false));
        let start = |name: &str, from: &Arc<SyncDevice>, to: &Arc<SyncDevice>, wires| {
            let (from, to, stop) = (Arc::clone(from), Arc::clone(to), Arc::clone(&stop));
            thread::Builder::new().name(name.into()).spawn(move || forward(&from, &to, wires, &stop))
        };
        let threads = [Some(start("link down", &far, &near, down)?), Some(start("link up", &near, &far, up)?)];
        Ok(Self { stop, threads })
    }

    /// Ends, and says what passed.
    pub(crate) fn end(mut self) -> io::Result<Passed> {
        self.stop.store(true, Ordering::Relaxed);
        let [down, up] = [0, 1].map(|which| {
            let ended = self.threads[which].take().map(JoinHandle::join);
            ended
                .unwrap_or_else(|| Ok(Ok(Tally::default())))
                .unwrap_or_else(|_| Err(io::Error::other("a forwarder failed")))
        });
        Ok(Passed { down: down?, up: up? })
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn forward(from: &SyncDevice, to: &SyncDevice, mut wires: Wires, stop: &AtomicBool) -> io::Result<Tally> {
    // Else the kernel adds up to 50 µs to each sleep, so that it wakes less often.
    rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?;
    let clock = RunClock::start();
    let now = || clock.now().since(RunInstant::default());
    let mut buffer = vec![0; LARGEST];
    while !stop.load(Ordering::Relaxed) {
        while let Some((due, packet)) = wires.due(now()) {
            let late = now().saturating_sub(due);
            let tally = &mut wires.tally;
            if pass_on(to, &packet)? {
                tally.passed += 1;
                tally.bytes += packet.len() as u64;
                tally.lateness.record(late);
            } else {
                tally.lost += 1;
            }
        }
        match from.recv(&mut buffer) {
            Ok(size) => wires.offer(now(), &buffer[..size]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let next = wires.next().map_or(LOOK, |due| due.saturating_sub(now()));
                match next.min(LOOK).checked_sub(AWAKE) {
                    Some(rest) => sleep(from, rest)?,
                    None => std::hint::spin_loop(),
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    wires.tally.processor = processor_time();
    Ok(wires.tally)
}

/// Hands a packet to the kernel. One that it has no room for is lost, as it would be at a network card: whether it was
/// taken.
fn pass_on(to: &SyncDevice, packet: &[u8]) -> io::Result<bool> {
    loop {
        match to.send(packet) {
            Ok(_) => return Ok(true),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

/// Until there is a packet, at most so long.
fn sleep(device: &SyncDevice, at_most: Duration) -> io::Result<()> {
    let timeout =
        Timespec { tv_sec: at_most.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: at_most.subsec_nanos().into() };
    match poll(&mut [PollFd::new(device, PollFlags::IN)], Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn processor_time() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(used.tv_sec.try_into().unwrap_or_default(), used.tv_nsec.try_into().unwrap_or_default())
}
