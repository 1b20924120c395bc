//! A timer with microsecond precision.
//!
//! Tokio's timers tick once a millisecond, which is coarser than the measured latencies. A timerfd wakes its task
//! through the same epoll as the sockets.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use pushoff_model::{RunClock, RunInstant};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use rustix::time::{timerfd_create, timerfd_settime};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The kind of timer, for `environment.json`.
pub(crate) const KIND: &str = "timerfd (ns)";

/// Registers a descriptor with Tokio that becomes readable on an event.
#[expect(
    deprecated,
    reason = "its successor is unsafe, for descriptors that may be closed meanwhile; an OwnedFd is not"
)]
pub(crate) fn readable(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(descriptor, Interest::READABLE)
}

/// A timer with one deadline at a time.
#[derive(Debug)]
pub(crate) struct Timer(AsyncFd<OwnedFd>);

impl Timer {
    pub(crate) fn new() -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        Ok(Self(readable(timer)?))
    }

    /// Waits until `moment`; returns at once if it has passed.
    pub(crate) async fn until(&self, clock: RunClock, moment: RunInstant) -> io::Result<()> {
        loop {
            let left = moment.since(clock.now());
            if left.is_zero() {
                return Ok(());
            }
            self.arm(left)?;
            self.expiry().await?;
        }
    }

    fn arm(&self, after: Duration) -> io::Result<()> {
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let after = Timespec {
            tv_sec: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: after.subsec_nanos().into(),
        };
        let spec = Itimerspec { it_interval: never, it_value: after };
        timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &spec)?;
        Ok(())
    }

    async fn expiry(&self) -> io::Result<()> {
        loop {
            let mut ready = self.0.readable().await?;
            let mut expiries = [0; 8];
            match ready.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut expiries)?)) {
                Ok(read) => return read.map(drop),
                Err(_not_yet) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn it_never_wakes_early_and_can_be_set_again() {
        let (clock, timer) = (RunClock::start(), Timer::new().unwrap());
        for wait in [Duration::from_micros(150), Duration::ZERO, Duration::from_millis(3)] {
            let moment = clock.now() + wait;
            timer.until(clock, moment).await.unwrap();
            assert!(clock.now() >= moment);
        }
    }
}
