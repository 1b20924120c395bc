//! The run's clock: the only place that reads a clock for measuring.
//!
//! Every stamp of a run is an offset from one monotonic epoch, so intended, sent and received
//! times are comparable without correction where all three are taken in the generator's process.
//! An agent's clock is moved to the epoch of its coordinator's, as far as that is known.

use std::ops::Add;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// A moment of a run, in nanoseconds since its clock was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunInstant(u64);

impl RunInstant {
    /// The moment `nanos` nanoseconds after the start of the run's clock.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start of the run's clock.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero where it is not after.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for RunInstant {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(nanos(later)))
    }
}

/// A duration in whole nanoseconds, saturating at `u64::MAX` (584 years).
#[must_use]
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A monotonic clock with an epoch of its own. Copies share the epoch.
#[derive(Clone, Copy, Debug)]
pub struct RunClock {
    epoch: Instant,
}

impl RunClock {
    /// Starts a clock: its epoch is now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one door to the monotonic clock")]
    pub fn start() -> Self {
        Self { epoch: Instant::now() }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> RunInstant {
        RunInstant(nanos(self.epoch.elapsed()))
    }

    /// The same clock with its epoch that many nanoseconds later, or earlier where they are negative; `None` where this
    /// machine has no such moment.
    #[must_use]
    pub fn moved(self, nanos: i64) -> Option<Self> {
        let by = Duration::from_nanos(nanos.unsigned_abs());
        let epoch = if nanos < 0 { self.epoch.checked_sub(by) } else { self.epoch.checked_add(by) };
        epoch.map(|epoch| Self { epoch })
    }

    /// The moment as a standard [`Instant`], for timers.
    #[must_use]
    pub fn instant_at(&self, moment: RunInstant) -> Instant {
        self.epoch + Duration::from_nanos(moment.0)
    }
}
