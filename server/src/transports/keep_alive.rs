//! Whether the other end of a WebSocket is still there: a ping when the connection is idle, and
//! an end when no pong comes. Source: RFC 6455 §5.5.2, the wire contract.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Nothing was written for an interval: ask for a sign of life.
    Ping,
    /// Two intervals have passed since a ping that was not answered: there is nobody.
    Dead,
}

/// The timer of one connection. Like that of a stream, it is looked at again when it fires rather
/// than moved with every message.
#[derive(Debug)]
pub(super) struct Pulse {
    interval: Duration,
    idle_since: Instant,
    unanswered_since: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl Pulse {
    pub(super) fn new(interval: Duration) -> Self {
        let timer = Box::pin(sleep(interval));
        Self { interval, idle_since: Instant::now(), unanswered_since: None, timer }
    }

    /// Something that was made then was written: the connection is not idle.
    pub(super) fn wrote(&mut self, made: Instant) {
        self.idle_since = self.idle_since.max(made);
    }

    /// A ping was written.
    pub(super) fn pinged(&mut self) {
        self.wrote(Instant::now());
        self.unanswered_since.get_or_insert(self.idle_since);
    }

    /// A pong came in.
    pub(super) const fn answered(&mut self) {
        self.unanswered_since = None;
    }

    /// Waits for what is due next.
    pub(super) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<Beat> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let now = Instant::now();
            let dead = self.unanswered_since.map(|since| since + 2 * self.interval);
            let idle = self.idle_since + self.interval;
            match dead {
                Some(dead) if dead <= now => return Poll::Ready(Beat::Dead),
                _ if idle <= now => return Poll::Ready(Beat::Ping),
                _ => self.timer.as_mut().reset(dead.map_or(idle, |dead| dead.min(idle))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::advance;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(15);

    async fn next(pulse: &mut Pulse, since: Instant) -> (Beat, u64) {
        let beat = poll_fn(|cx| pulse.poll_due(cx)).await;
        (beat, since.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_answer_is_dead_two_intervals_after_the_ping() {
        let (start, mut pulse) = (Instant::now(), Pulse::new(INTERVAL));
        assert_eq!(next(&mut pulse, start).await, (Beat::Ping, 15));
        pulse.pinged();
        assert_eq!(next(&mut pulse, start).await, (Beat::Ping, 30));
        pulse.pinged();
        assert_eq!(next(&mut pulse, start).await, (Beat::Dead, 45));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_answers_is_pinged_whenever_the_connection_is_idle() {
        let (start, mut pulse) = (Instant::now(), Pulse::new(INTERVAL));
        advance(Duration::from_secs(10)).await;
        pulse.wrote(Instant::now());
        assert_eq!(next(&mut pulse, start).await, (Beat::Ping, 25));
        pulse.pinged();
        pulse.answered();
        assert_eq!(next(&mut pulse, start).await, (Beat::Ping, 40));
    }

    #[tokio::test(start_paused = true)]
    async fn messages_to_a_dead_peer_do_not_keep_it_alive() {
        let (start, mut pulse) = (Instant::now(), Pulse::new(INTERVAL));
        assert_eq!(next(&mut pulse, start).await, (Beat::Ping, 15));
        pulse.pinged();
        for _ in 0..4 {
            advance(Duration::from_secs(5)).await;
            pulse.wrote(Instant::now());
        }
        assert_eq!(next(&mut pulse, start).await, (Beat::Dead, 45));
    }
}
