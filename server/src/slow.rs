//! A slower server on purpose: a test knob that shows what a change of so much looks like.
//!
//! Every poll of a connection's task is followed by busy work for a share of the time that the poll
//! took, system calls among it. So all that is done for a delivery or an answer takes so much more
//! processor time, and whoever is served next waits for it, as behind code that is really slower.
//! What the runtime does between polls is not slowed. Where nothing is asked for, no task is wrapped.

use std::hint::spin_loop;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::Instant;

/// A task whose polls take longer.
#[derive(Debug)]
pub(crate) struct Slowed<F> {
    inner: F,
    share: f64,
}

impl<F: Future + Unpin> Slowed<F> {
    /// Each poll takes so many times its own time longer.
    pub(crate) const fn new(inner: F, share: f64) -> Self {
        Self { inner, share }
    }
}

impl<F: Future + Unpin> Future for Slowed<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let began = Instant::now();
        let polled = Pin::new(&mut self.inner).poll(cx);
        let until = began.elapsed().mul_f64(1.0 + self.share);
        while began.elapsed() < until {
            spin_loop();
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    /// A time that is ten times any reading of the clock.
    const WORK: Duration = Duration::from_millis(2);

    #[tokio::test]
    async fn a_poll_takes_its_share_longer_and_its_result_is_kept() {
        let mut worked = Duration::ZERO;
        let work = poll_fn(|_| {
            let began = Instant::now();
            while began.elapsed() < WORK {
                spin_loop();
            }
            worked = began.elapsed();
            Poll::Ready(7)
        });
        let began = Instant::now();
        assert_eq!(Slowed::new(Box::pin(work), 0.5).await, 7);
        assert!(began.elapsed() >= worked.mul_f64(1.5), "{:?} of {worked:?}", began.elapsed());
    }
}
