//! Outages on demand, so that the live page can show how each transport recovers: every connection
//! of HTTP cut at once, or everything that is to be written held back for some seconds.
//!
//! A server that was not asked for it has none of this, and its sockets one branch more a write.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, Timeout, timeout_at};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// What the connections of a server have in common when it is struck.
#[derive(Debug)]
pub(crate) struct Outage {
    cut: Notify,
    start: Instant,
    /// Until when nothing is written, in milliseconds from the start. It guards nothing else.
    held_until: AtomicU64,
    /// Cancelled when nothing is to be held back any more.
    ended: CancellationToken,
}

impl Outage {
    pub(crate) fn new() -> Self {
        let (cut, held_until, ended) = (Notify::new(), AtomicU64::new(0), CancellationToken::new());
        Self { cut, start: Instant::now(), held_until, ended }
    }

    /// Ends every connection without a last word, as a network does that goes away. The answer to
    /// whoever asks for it is written first.
    pub(crate) fn cut(&self) {
        self.cut.notify_waiters();
    }

    /// Lets nothing be written for that time. What is read meanwhile is answered after it.
    pub(crate) fn hold(&self, time: Duration) {
        let until = (self.start.elapsed() + time).as_millis();
        self.held_until.store(u64::try_from(until).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Nothing is held back any more: the server goes away, and has a last word for everybody.
    pub(crate) fn end(&self) {
        self.ended.cancel();
    }

    fn held_until(&self) -> Instant {
        self.start + Duration::from_millis(self.held_until.load(Ordering::Relaxed))
    }

    /// Serves a connection until its end, or until it is cut.
    pub(crate) async fn may_cut(&self, serving: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = self.cut.notified() => {}
            () = serving => {}
        }
    }
}

/// What holds the writes of one socket back.
#[derive(Debug)]
pub(crate) struct Hold {
    outage: Arc<Outage>,
    /// There while it waits, with the time until which it does.
    waiting: Option<(Instant, Pin<Box<Timeout<WaitForCancellationFutureOwned>>>)>,
}

impl Hold {
    pub(crate) const fn new(outage: Arc<Outage>) -> Self {
        Self { outage, waiting: None }
    }

    /// Waits until writes are not held back.
    pub(crate) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let until = self.outage.held_until();
            if until <= Instant::now() || self.outage.ended.is_cancelled() {
                self.waiting = None;
                return Poll::Ready(());
            }
            let ended = || Box::pin(timeout_at(until, self.outage.ended.clone().cancelled_owned()));
            let waiting = self.waiting.take().filter(|(since, _)| *since == until).unwrap_or_else(|| (until, ended()));
            std::task::ready!(self.waiting.insert(waiting).1.as_mut().poll(cx)).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn};

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_written_waits_for_the_end_of_the_hold_and_a_longer_one_prolongs_it() {
        let (outage, start) = (Arc::new(Outage::new()), Instant::now());
        let mut hold = Hold::new(Arc::clone(&outage));
        poll_fn(|cx| hold.poll_over(cx)).await;
        assert!(start.elapsed().is_zero());
        outage.hold(Duration::from_secs(2));
        let waiting = timeout(Duration::from_secs(1), poll_fn(|cx| hold.poll_over(cx)));
        assert!(waiting.await.is_err());
        outage.hold(Duration::from_secs(4));
        poll_fn(|cx| hold.poll_over(cx)).await;
        assert_eq!(start.elapsed().as_secs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_goes_away_holds_nothing_back() {
        let (outage, start) = (Arc::new(Outage::new()), Instant::now());
        outage.hold(Duration::from_secs(10));
        let mut hold = Hold::new(Arc::clone(&outage));
        tokio::join!(poll_fn(|cx| hold.poll_over(cx)), async { outage.end() });
        outage.hold(Duration::from_secs(10));
        poll_fn(|cx| hold.poll_over(cx)).await;
        assert!(start.elapsed().is_zero());
    }

    #[tokio::test]
    async fn a_cut_ends_those_who_are_served_and_not_those_who_come_later() {
        let outage = Outage::new();
        let (cut, ()) = tokio::join!(timeout(Duration::from_secs(10), outage.may_cut(pending())), async {
            outage.cut();
        });
        assert!(cut.is_ok());
        outage.may_cut(async {}).await;
        assert!(timeout(Duration::ZERO, outage.may_cut(pending())).await.is_err());
    }
}
