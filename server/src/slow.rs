//! A server that is slower on purpose, by a known share: for tests of comparisons.
//!
//! Every poll of a connection's task is followed by busy work for a share of the poll's own time, system calls
//! included. So each delivery costs that much more processor time and holds up the next task, like code that is
//! really slower. The runtime's own work is not slowed. Without the setting, no task is wrapped.

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
    /// Makes each poll longer by `share` of its time.
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
