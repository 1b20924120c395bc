//! Writing to a client that may have stopped reading.
//!
//! While the socket accepts bytes, no timer runs. The timer starts when the socket accepts no more and
//! restarts with every byte that the client acknowledges. A client that acknowledges nothing for
//! [`Config::write_timeout`] is disconnected: buffers for a client that has gone must not stay for ever.
//! Acknowledgements count, not free space in the socket, which a slow reader takes long to make.
//!
//! [`Config::write_timeout`]: crate::Config::write_timeout

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Buf;
use prometheus_client::metrics::counter::Counter;
use tokio::time::{Instant, Sleep, sleep};

use super::io::{Io, Progress};

/// How long the other end may take no byte, and the counter of connections closed for it.
#[derive(Debug)]
pub(crate) struct StallLimit {
    pub(crate) timeout: Duration,
    pub(crate) cut_off: Counter,
}

/// The stall detector of one connection, lasting from write to write.
#[derive(Debug, Default)]
pub(crate) struct StallDetector {
    /// Present while the socket accepts nothing.
    stall: Option<Box<Stall>>,
    /// The first moment at which so many bytes were acknowledged, and no more since.
    silence: Option<(Instant, u64)>,
}

#[derive(Debug)]
struct Stall {
    timer: Pin<Box<Sleep>>,
    /// How many bytes were acknowledged when the timer was set.
    acknowledged: Option<u64>,
}

impl StallDetector {
    /// Writes all of `buf` and advances it past the bytes written: may be called again later, or never.
    /// The error is `TimedOut` where the other end has taken nothing for too long.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut impl Io,
        buf: &mut impl Buf,
        limit: &StallLimit,
    ) -> Poll<io::Result<()>> {
        loop {
            // TLS may have taken bytes that it could not send yet.
            let sent = if buf.has_remaining() {
                io.poll_send(cx, buf).map_ok(|sent| if sent == 0 { Sent::Nothing } else { Sent::Some })
            } else {
                Pin::new(&mut *io).poll_flush(cx).map_ok(|()| Sent::All)
            };
            let Poll::Ready(sent) = sent else {
                return self.poll_give_up(cx, io, limit).map(|()| Err(io::ErrorKind::TimedOut.into()));
            };
            self.stall = None;
            match sent? {
                Sent::Some => {}
                Sent::All => return Poll::Ready(Ok(())),
                Sent::Nothing => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            }
        }
    }

    /// Ready once the other end has taken nothing for too long.
    fn poll_give_up(&mut self, cx: &mut Context<'_>, io: &impl Io, limit: &StallLimit) -> Poll<()> {
        let timeout = limit.timeout;
        let acknowledged = || io.progress().map(|progress| progress.acknowledged);
        let stall = self
            .stall
            .get_or_insert_with(|| Box::new(Stall { timer: Box::pin(sleep(timeout)), acknowledged: acknowledged() }));
        loop {
            ready!(stall.timer.as_mut().poll(cx));
            let now = acknowledged();
            if now == stall.acknowledged {
                limit.cut_off.inc();
                return Poll::Ready(());
            }
            **stall = Stall { timer: Box::pin(sleep(timeout)), acknowledged: now };
        }
    }

    /// Fails where the other end has not acknowledged bytes that were written long ago. Called before a
    /// heartbeat: the kernel itself gives up a vanished client only after a quarter of an hour.
    pub(crate) fn check(&mut self, io: &impl Io, limit: &StallLimit) -> io::Result<()> {
        let Some(Progress { acknowledged, under_way: 1.. }) = io.progress() else {
            self.silence = None;
            return Ok(());
        };
        let now = Instant::now();
        let silence = self.silence.filter(|(_, before)| *before == acknowledged).unwrap_or((now, acknowledged));
        self.silence = Some(silence);
        if now.duration_since(silence.0) >= 2 * limit.timeout {
            limit.cut_off.inc();
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

/// How a step of writing ended.
enum Sent {
    Some,
    All,
    Nothing,
}

/// Writes all of `buf`.
///
/// # Errors
/// `TimedOut` where the other end took nothing for too long; otherwise the socket's error.
pub(crate) async fn write_all(io: &mut impl Io, buf: &mut impl Buf, limit: &StallLimit) -> io::Result<()> {
    let mut detector = StallDetector::default();
    poll_fn(|cx| detector.poll_write(cx, io, buf, limit)).await
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use bytes::Bytes;
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream, ReadBuf, duplex};
    use tokio::time::advance;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    fn limit() -> StallLimit {
        StallLimit { timeout: LIMIT, cut_off: Counter::default() }
    }

    /// Accepts no byte; acknowledges a byte a second until a given time.
    struct Slow {
        start: Instant,
        until: Duration,
    }

    impl Io for Slow {
        fn progress(&self) -> Option<Progress> {
            Some(Progress { acknowledged: self.start.elapsed().min(self.until).as_secs(), under_way: 1 })
        }
    }

    impl AsyncRead for Slow {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Slow {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Pending
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_acknowledges_bytes_is_not_stalled() {
        let (limit, start) = (limit(), Instant::now());
        let mut slow = Slow { start, until: Duration::from_secs(100) };
        let error = write_all(&mut slow, &mut Bytes::from_static(b"a"), &limit).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // The check at 120 s found progress, the next one did not.
        assert_eq!(start.elapsed(), 5 * LIMIT);
        assert_eq!(limit.cut_off.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_acknowledges_no_heartbeat_is_disconnected() {
        let (limit, start) = (limit(), Instant::now());
        let slow = Slow { start, until: Duration::from_secs(100) };
        let mut detector = StallDetector::default();
        while detector.check(&slow, &limit).is_ok() {
            advance(Duration::from_secs(15)).await;
        }
        assert_eq!(start.elapsed().as_secs(), 105 + 2 * LIMIT.as_secs());
        assert_eq!(limit.cut_off.get(), 1);
    }

    /// Writes 8 bytes to a client with space for 4.
    async fn stuck(mut ours: DuplexStream, limit: &StallLimit) -> io::Result<()> {
        write_all(&mut ours, &mut Bytes::from_static(b"abcdefgh"), limit).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_disconnected_after_the_timeout_and_counted() {
        let (limit, start) = (limit(), Instant::now());
        let (ours, theirs) = duplex(4);
        let error = stuck(ours, &limit).await.unwrap_err();
        assert_eq!((error.kind(), start.elapsed()), (io::ErrorKind::TimedOut, LIMIT));
        assert_eq!(limit.cut_off.get(), 1);
        drop(theirs);
    }

    #[tokio::test(start_paused = true)]
    async fn one_byte_restarts_the_timer() {
        let (limit, start) = (limit(), Instant::now());
        let (ours, mut theirs) = duplex(4);
        let reading = async {
            for _ in 0..3 {
                advance(Duration::from_secs(29)).await;
                theirs.read_u8().await.unwrap();
            }
            theirs
        };
        let (written, _theirs) = tokio::join!(stuck(ours, &limit), reading);
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed(), 3 * Duration::from_secs(29) + LIMIT);
    }

    #[tokio::test]
    async fn a_write_without_a_stall_starts_no_timer_and_is_one_write() {
        let (limit, (mut ours, mut theirs)) = (limit(), duplex(100));
        let mut detector = StallDetector::default();
        let pieces = || Buf::chain(&b"first "[..], &b"second"[..]);
        let mut context = Context::from_waker(Waker::noop());
        assert!(matches!(ours.poll_send(&mut context, &mut pieces()), Poll::Ready(Ok(12))));
        poll_fn(|cx| detector.poll_write(cx, &mut ours, &mut pieces(), &limit)).await.unwrap();
        assert!(detector.stall.is_none());
        drop(ours);
        let mut written = Vec::new();
        theirs.read_to_end(&mut written).await.unwrap();
        assert_eq!(written, b"first secondfirst second");
        assert_eq!(limit.cut_off.get(), 0);
    }

    #[tokio::test]
    async fn a_broken_connection_is_an_error_at_once() {
        let (limit, (ours, theirs)) = (limit(), duplex(4));
        drop(theirs);
        assert_eq!(stuck(ours, &limit).await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(limit.cut_off.get(), 0);
    }
}
