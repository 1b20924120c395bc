//! Passes packets from one device to another, each when it is due: a thread a direction.

use std::io::{self, ErrorKind};
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pushoff_model::record::LinkDirection;
use pushoff_model::time::nanos;
use pushoff_model::{RunClock, RunInstant};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::time::{ClockId, clock_gettime};
use tun_rs::SyncDevice;

use crate::wires::Wires;

/// The largest packet of a device with the usual MTU, with room to notice a larger one.
const LARGEST: usize = 65_535;
/// How long before a packet is due its thread stays awake: about what an idle processor takes to wake. Chosen here.
const AWAKE: Duration = Duration::from_micros(100);

/// What threads are asked.
#[derive(Debug)]
struct Asked {
    /// To note how late packets are; not at first.
    watches: AtomicBool,
    /// To end.
    ends: AtomicBool,
    /// Readable from then on.
    event: OwnedFd,
}

impl Asked {
    fn new() -> io::Result<Self> {
        Ok(Self {
            watches: AtomicBool::new(false),
            ends: AtomicBool::new(false),
            event: eventfd(0, EventfdFlags::CLOEXEC)?,
        })
    }

    fn end(&self) -> io::Result<()> {
        self.ends.store(true, Ordering::Relaxed);
        rustix::io::write(&self.event, &1_u64.to_ne_bytes())?;
        Ok(())
    }
}

/// The two threads.
#[derive(Debug)]
pub(crate) struct Forwarder {
    asked: Arc<Asked>,
    threads: [Option<JoinHandle<io::Result<LinkDirection>>>; 2],
}

impl Forwarder {
    /// Begins to forward: `down` from `far` to `near`, `up` the other way.
    pub(crate) fn start(far: SyncDevice, near: SyncDevice, down: Wires, up: Wires) -> io::Result<Self> {
        let (far, near) = (Arc::new(far), Arc::new(near));
        let asked = Arc::new(Asked::new()?);
        let start = |name: &str, from: &Arc<SyncDevice>, to: &Arc<SyncDevice>, wires| {
            let (from, to, asked) = (Arc::clone(from), Arc::clone(to), Arc::clone(&asked));
            thread::Builder::new().name(name.into()).spawn(move || forward(&from, &to, wires, &asked))
        };
        let threads = [Some(start("link down", &far, &near, down)?), Some(start("link up", &near, &far, up)?)];
        Ok(Self { asked, threads })
    }

    /// Whether to note how late packets are, from now on.
    pub(crate) fn watch(&self, watches: bool) {
        self.asked.watches.store(watches, Ordering::Relaxed);
    }

    /// Whether a thread has ended by itself: its direction passes nothing any more, and [`Forwarder::end`] says why.
    pub(crate) fn has_failed(&self) -> bool {
        self.threads.iter().flatten().any(JoinHandle::is_finished)
    }

    /// Ends, and says what passed down and up.
    pub(crate) fn end(mut self) -> io::Result<[LinkDirection; 2]> {
        self.asked.end()?;
        let [down, up] = [0, 1].map(|which| {
            let ended = self.threads[which].take().map(JoinHandle::join);
            ended
                .unwrap_or_else(|| Ok(Ok(LinkDirection::default())))
                .unwrap_or_else(|_| Err(io::Error::other("a forwarder failed")))
        });
        Ok([down?, up?])
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        // A write of 8 bytes to a counter that is far from full does not fail.
        drop(self.asked.end());
    }
}

fn forward(from: &SyncDevice, to: &SyncDevice, mut wires: Wires, asked: &Asked) -> io::Result<LinkDirection> {
    // Else the kernel adds up to 50 µs to each sleep, so that it wakes less often.
    rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?;
    let clock = RunClock::start();
    let now = || clock.now().since(RunInstant::default());
    let awake = if wires.needs_awake() { AWAKE } else { Duration::ZERO };
    let mut buffer = vec![0; LARGEST];
    while !asked.ends.load(Ordering::Relaxed) {
        while let Some((due, packet)) = wires.due(now()) {
            let late = now().saturating_sub(due);
            let tally = &mut wires.tally;
            if pass_on(to, &packet)? {
                tally.passed += 1;
                tally.bytes += packet.len() as u64;
                if asked.watches.load(Ordering::Relaxed) {
                    tally.lateness.record(late);
                }
            } else {
                tally.lost += 1;
            }
        }
        match from.recv(&mut buffer) {
            Ok(size) => wires.offer(now(), &buffer[..size]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let next = wires.next().map(|due| due.saturating_sub(now()));
                match next.map(|next| next.checked_sub(awake)) {
                    Some(None) => std::hint::spin_loop(),
                    at_most => sleep(from, &asked.event, at_most.flatten())?,
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    wires.tally.cpu_ns = nanos(processor_time());
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

/// Until there is a packet or threads are asked to end, at most so long.
fn sleep(device: &SyncDevice, stop: &OwnedFd, at_most: Option<Duration>) -> io::Result<()> {
    let timeout = at_most.map(|at_most| Timespec {
        tv_sec: at_most.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: at_most.subsec_nanos().into(),
    });
    let mut watched = [PollFd::new(device, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
    match poll(&mut watched, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn processor_time() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(used.tv_sec.try_into().unwrap_or_default(), used.tv_nsec.try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_is_noted_only_once_it_is_asked_for() {
        let asked = Asked::new().unwrap();
        assert!(!asked.watches.load(Ordering::Relaxed), "setting up a trial is no part of its measure phase");
    }
}
