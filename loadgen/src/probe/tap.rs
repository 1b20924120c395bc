//! When the server last sent a byte over any connection of a relay: what keeps a proxy's time-out from running out.
//!
//! Heartbeats count, which the clients do not show.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pushoff_model::{RunClock, RunInstant};

use super::relay::Relay;

/// The bytes of a relay, as they pass.
#[derive(Clone, Debug)]
pub(super) struct Tap {
    clock: RunClock,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Debug, Default)]
struct Heard {
    last: RunInstant,
    longest: Duration,
}

impl Tap {
    pub(super) fn new(clock: RunClock) -> Self {
        Self { clock, heard: Arc::default() }
    }

    /// A relay to that server whose bytes this tap sees.
    pub(super) async fn relay(&self, server: SocketAddr) -> io::Result<Relay> {
        let tap = self.clone();
        let passed = move || {
            let tap = tap.clone();
            move |_: &mut Vec<u8>| tap.passed()
        };
        Relay::showing(server, passed).await
    }

    /// Forgets the silence before now.
    pub(super) fn begin(&self) {
        *self.heard() = Heard { last: self.clock.now(), longest: Duration::ZERO };
    }

    /// The longest time without a byte, up to now.
    pub(super) fn silence(&self) -> Duration {
        let heard = self.heard();
        heard.longest.max(self.clock.now().since(heard.last))
    }

    /// A byte of the server passes now.
    fn passed(&self) {
        let (mut heard, now) = (self.heard(), self.clock.now());
        heard.longest = heard.longest.max(now.since(heard.last));
        heard.last = now;
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
