//! Outages on demand, so that the live page can show how each transport recovers: all HTTP connections are cut
//! at once, or all writes are held back for some seconds.
//!
//! Without `--demo`, the only cost is one branch a write.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, Timeout, timeout_at};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// The outage state that all connections share.
#[derive(Debug)]
pub(crate) struct Outage {
    cut: Notify,
    start: Instant,
    /// The end of the current hold, in milliseconds from the start. The value guards no other data.
    held_until: AtomicU64,
    /// Cancelled once no hold may last any longer.
    ended: CancellationToken,
}

impl Outage {
    pub(crate) fn new() -> Self {
        let (cut, held_until, ended) = (Notify::new(), AtomicU64::new(0), CancellationToken::new());
        Self { cut, start: Instant::now(), held_until, ended }
    }

    /// Ends every connection without a close, as a broken network does. The response to this request is written
    /// first.
    pub(crate) fn cut(&self) {
        self.cut.notify_waiters();
    }

    /// Holds all writes back for `time`. Requests that arrive meanwhile are answered afterwards.
    pub(crate) fn hold(&self, time: Duration) {
        let until = (self.start.elapsed() + time).as_millis();
        self.held_until.store(u64::try_from(until).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Ends all holds for good: the server is shutting down and has to say so to every client.
    pub(crate) fn end(&self) {
        self.ended.cancel();
    }

    fn held_until(&self) -> Instant {
        self.start + Duration::from_millis(self.held_until.load(Ordering::Relaxed))
    }

    /// Serves a connection until its end, or until a cut.
    pub(crate) async fn may_cut(self: Arc<Self>, serving: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = self.cut.notified() => {}
            () = serving => {}
        }
    }
}

/// The hold on the writes of one socket.
#[derive(Debug)]
pub(crate) struct Hold {
    outage: Arc<Outage>,
    /// The end of the hold and its timer, while the socket waits.
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
    async fn a_write_waits_for_the_end_of_the_hold_or_of_a_longer_one() {
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
    async fn a_server_that_shuts_down_holds_no_write_back() {
        let (outage, start) = (Arc::new(Outage::new()), Instant::now());
        outage.hold(Duration::from_secs(10));
        let mut hold = Hold::new(Arc::clone(&outage));
        tokio::join!(poll_fn(|cx| hold.poll_over(cx)), async { outage.end() });
        outage.hold(Duration::from_secs(10));
        poll_fn(|cx| hold.poll_over(cx)).await;
        assert!(start.elapsed().is_zero());
    }

    #[tokio::test]
    async fn a_cut_ends_open_connections_and_no_later_ones() {
        let outage = Arc::new(Outage::new());
        let (cut, ()) = tokio::join!(timeout(Duration::from_secs(10), Arc::clone(&outage).may_cut(pending())), async {
            outage.cut();
        });
        assert!(cut.is_ok());
        Arc::clone(&outage).may_cut(async {}).await;
        assert!(timeout(Duration::ZERO, outage.may_cut(pending())).await.is_err());
    }
}
