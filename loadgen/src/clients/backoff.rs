//! How long to wait before connecting again: the same for every transport.
//!
//! The wait doubles with every failure, from the server's `retry:` of one second to half a minute. A random part of
//! it is taken, from a half to the whole, so that many clients do not return at once. Of several servers that share a log,
//! each is tried after the shortest wait, and the wait doubles once all have failed.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::error::ConnectionError;

/// The upper bound of the first wait: the server's `retry:` for event streams.
pub(crate) const BASE: Duration = Duration::from_secs(1);
/// The upper bound of every wait. Chosen here.
pub(crate) const CAP: Duration = Duration::from_secs(30);
/// After this many refusals in a row, the server counts as gone. Chosen here: 3.5 to 7 seconds.
const MOST_REFUSALS: u32 = 4;

#[derive(Debug)]
pub(crate) struct BackOff {
    seed: u64,
    /// How many servers there are, at least 1.
    servers: u32,
    waits: ExponentialBackoff,
    failures: u32,
    refusals: u32,
}

impl BackOff {
    pub(crate) fn new(seed: u64, servers: usize) -> Self {
        let servers = u32::try_from(servers).unwrap_or(u32::MAX).max(1);
        Self { seed, servers, waits: waits(seed), failures: 0, refusals: 0 }
    }

    /// Starts again from the shortest wait: a connection was made.
    pub(crate) fn reset(&mut self) {
        self.seed = self.seed.wrapping_add(1);
        (self.waits, self.failures, self.refusals) = (waits(self.seed), 0, 0);
    }

    /// How long to wait after this failure; `None` when the server is gone.
    pub(crate) fn next(&mut self, error: &ConnectionError) -> Option<Duration> {
        self.refusals = if error.is_refused() { self.refusals + 1 } else { 0 };
        self.failures = self.failures.wrapping_add(1);
        if self.refusals == MOST_REFUSALS.saturating_mul(self.servers) {
            None
        } else if self.failures.is_multiple_of(self.servers) {
            self.waits.next()
        } else {
            waits(self.seed.wrapping_add(u64::from(self.failures) << 32)).next()
        }
    }
}

fn waits(seed: u64) -> ExponentialBackoff {
    // Backon's jitter adds up to the delay itself.
    ExponentialBuilder::default()
        .with_min_delay(BASE / 2)
        .with_max_delay(CAP / 2)
        .with_factor(2.0)
        .with_jitter()
        .with_jitter_seed(seed)
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn waits_double_from_a_second_to_the_cap_and_never_end() {
        let mut backoff = BackOff::new(3, 1);
        let mut longest = BASE;
        for _ in 0..40 {
            let wait = backoff.next(&ConnectionError::Ended).unwrap();
            assert!((longest / 2..=longest).contains(&wait), "{wait:?} of {longest:?}");
            longest = (longest * 2).min(CAP);
        }
        backoff.reset();
        assert!(backoff.next(&ConnectionError::Ended).unwrap() <= BASE);
    }

    #[test]
    fn of_several_servers_all_are_tried_before_the_wait_grows() {
        let mut backoff = BackOff::new(3, 4);
        let mut longest = BASE;
        for _ in 0..5 {
            for _ in 0..3 {
                assert!(backoff.next(&ConnectionError::Status(503)).unwrap() <= BASE);
            }
            let wait = backoff.next(&ConnectionError::Status(503)).unwrap();
            assert!((longest / 2..=longest).contains(&wait), "{wait:?} of {longest:?}");
            longest *= 2;
        }
    }

    #[test]
    fn refusals_in_a_row_mean_that_nobody_is_there() {
        let refused = || ConnectionError::Io(io::ErrorKind::ConnectionRefused.into());
        let mut backoff = BackOff::new(3, 1);
        assert!(backoff.next(&refused()).is_some());
        assert!(backoff.next(&ConnectionError::Ended).is_some());
        let waits = (0..4).map(|_| backoff.next(&refused())).collect::<Vec<_>>();
        assert!(waits[..3].iter().all(Option::is_some) && waits[3].is_none());
    }
}
