//! Timers of idle connections: when a heartbeat or a ping is due, and when a WebSocket's client is gone.
//!
//! A timer is not moved with every message: it is compared with the last message when it fires.
//! Source: RFC 6455 §5.5.2, the wire contract.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// Fires once nothing has been written for an interval.
#[derive(Debug)]
pub(super) struct IdleTimer {
    interval: Duration,
    idle_since: Instant,
    timer: Pin<Box<Sleep>>,
}

impl IdleTimer {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, idle_since: Instant::now(), timer: Box::pin(sleep(interval)) }
    }

    /// Notes that a message made at `made` was written.
    pub(super) fn wrote(&mut self, made: Instant) {
        self.idle_since = self.idle_since.max(made);
    }

    /// Waits until the connection has been idle for the interval, or until an earlier deadline; gives the time.
    fn poll(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<Instant> {
        if let Some(deadline) = deadline
            && deadline < self.timer.deadline()
        {
            self.timer.as_mut().reset(deadline);
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let (now, idle) = (Instant::now(), self.idle_since + self.interval);
            let due = deadline.map_or(idle, |deadline| deadline.min(idle));
            if due <= now {
                return Poll::Ready(now);
            }
            self.timer.as_mut().reset(due);
        }
    }

    /// Waits until the connection has been idle for the interval, and begins the next interval.
    pub(super) fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll(cx, None).map(|now| self.idle_since = now)
    }
}

/// A step that an idle WebSocket needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Send a ping: nothing was written for an interval.
    Ping,
    /// End the connection: a ping has gone unanswered for two intervals.
    End,
    /// Give up what has begun to arrive: it is not whole in time.
    GiveUp,
}

/// The keep-alive of one WebSocket.
#[derive(Debug)]
pub(super) struct KeepAlive {
    idle: IdleTimer,
    unanswered_since: Option<Instant>,
}

impl KeepAlive {
    pub(super) fn new(interval: Duration) -> Self {
        Self { idle: IdleTimer::new(interval), unanswered_since: None }
    }

    /// Notes that a message made at `made` was written.
    pub(super) fn wrote(&mut self, made: Instant) {
        self.idle.wrote(made);
    }

    /// Notes that a ping was written.
    pub(super) fn pinged(&mut self) {
        self.wrote(Instant::now());
        self.unanswered_since.get_or_insert(self.idle.idle_since);
    }

    /// Notes that a pong arrived.
    pub(super) const fn answered(&mut self) {
        self.unanswered_since = None;
    }

    /// Waits until a ping or the end of the connection is due, or what has begun to arrive is `late`.
    pub(super) fn poll_due(&mut self, cx: &mut Context<'_>, late: Option<Instant>) -> Poll<Due> {
        let end = self.unanswered_since.map(|since| since + 2 * self.idle.interval);
        self.idle.poll(cx, end.into_iter().chain(late).min()).map(|now| {
            let is_over = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
            match (is_over(end), is_over(late)) {
                (true, _) => Due::End,
                (false, true) => Due::GiveUp,
                (false, false) => Due::Ping,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::advance;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(15);

    async fn next(keep_alive: &mut KeepAlive, since: Instant) -> (Due, u64) {
        next_or_late(keep_alive, since, None).await
    }

    async fn next_or_late(keep_alive: &mut KeepAlive, since: Instant, late: Option<Instant>) -> (Due, u64) {
        let beat = poll_fn(|cx| keep_alive.poll_due(cx, late)).await;
        (beat, since.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_answer_is_dead_two_intervals_after_the_ping() {
        let (start, mut keep_alive) = (Instant::now(), KeepAlive::new(INTERVAL));
        assert_eq!(next(&mut keep_alive, start).await, (Due::Ping, 15));
        keep_alive.pinged();
        assert_eq!(next(&mut keep_alive, start).await, (Due::Ping, 30));
        keep_alive.pinged();
        assert_eq!(next(&mut keep_alive, start).await, (Due::End, 45));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_answers_is_pinged_whenever_the_connection_is_idle() {
        let (start, mut keep_alive) = (Instant::now(), KeepAlive::new(INTERVAL));
        advance(Duration::from_secs(10)).await;
        keep_alive.wrote(Instant::now());
        assert_eq!(next(&mut keep_alive, start).await, (Due::Ping, 25));
        keep_alive.pinged();
        keep_alive.answered();
        assert_eq!(next(&mut keep_alive, start).await, (Due::Ping, 40));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_whole_in_time_is_given_up_whatever_was_written_or_answered() {
        let (start, mut keep_alive) = (Instant::now(), KeepAlive::new(INTERVAL));
        let late = Some(start + Duration::from_secs(20));
        assert_eq!(next_or_late(&mut keep_alive, start, late).await, (Due::Ping, 15));
        keep_alive.pinged();
        keep_alive.answered();
        advance(Duration::from_secs(3)).await;
        keep_alive.wrote(Instant::now());
        assert_eq!(next_or_late(&mut keep_alive, start, late).await, (Due::GiveUp, 20));
        // Before the timer of the interval, too; and what is whole meanwhile moves no ping.
        let (start, mut keep_alive) = (Instant::now(), KeepAlive::new(INTERVAL));
        let late = Some(start + Duration::from_secs(5));
        assert!(poll_fn(|cx| Poll::Ready(keep_alive.poll_due(cx, late))).await.is_pending());
        assert_eq!(next(&mut keep_alive, start).await, (Due::Ping, 15));
    }

    #[tokio::test(start_paused = true)]
    async fn messages_to_a_dead_peer_do_not_keep_it_alive() {
        let (start, mut keep_alive) = (Instant::now(), KeepAlive::new(INTERVAL));
        assert_eq!(next(&mut keep_alive, start).await, (Due::Ping, 15));
        keep_alive.pinged();
        for _ in 0..4 {
            advance(Duration::from_secs(5)).await;
            keep_alive.wrote(Instant::now());
        }
        assert_eq!(next(&mut keep_alive, start).await, (Due::End, 45));
    }
}
