//! Writing to one who may have stopped reading.
//!
//! As long as the socket takes bytes there is no clock. It starts when the socket takes no more, and
//! starts anew with every byte that the other end takes: who takes none for [`Config::write_timeout`] is
//! cut off, because what waits here and in the kernel's buffer for one who has gone away, or never
//! reads, must not wait for ever. What the other end takes is what it acknowledges: the socket itself
//! has room again only after many bytes, which one who reads slowly takes long for.
//!
//! [`Config::write_timeout`]: crate::Config::write_timeout

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use tokio::io::AsyncWrite;
use tokio::time::{Instant, Sleep, sleep};

use crate::server::Server;

/// How many pieces of a buffer go into one system call: the parts of a response are fewer.
const PIECES: usize = 4;

/// Where one can be asked what the other end has taken.
pub(crate) trait Link: AsyncWrite + Unpin {
    /// What has arrived at the other end, where that is known.
    fn progress(&self) -> Option<Progress>;
}

/// What of all that was written has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Bytes that the other end has acknowledged.
    pub(crate) acknowledged: u64,
    /// Whether there are more under way.
    pub(crate) is_under_way: bool,
}

/// The patience with the other end of one connection, lasting from write to write.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    /// There while the socket takes nothing.
    stall: Option<Box<Stall>>,
    /// Since when the other end has acknowledged no more than that, as far as was looked.
    silence: Option<(Instant, u64)>,
}

#[derive(Debug)]
struct Stall {
    timer: Pin<Box<Sleep>>,
    /// What had been acknowledged when the timer was set.
    acknowledged: Option<u64>,
}

impl Patience {
    /// Writes all of `buf`, which is advanced by what was taken: safe to be called again later, or
    /// never. Where the other end has taken nothing for too long, the error is `TimedOut`.
    pub(crate) fn poll_write<IO, B>(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut IO,
        buf: &mut B,
        server: &Server,
    ) -> Poll<io::Result<()>>
    where
        IO: Link,
        B: Buf + ?Sized,
    {
        while buf.has_remaining() {
            let Poll::Ready(taken) = poll_write_some(cx, io, buf) else {
                return self.poll_give_up(cx, io, server).map(|()| Err(io::ErrorKind::TimedOut.into()));
            };
            self.stall = None;
            match taken? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                taken => buf.advance(taken),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Waits until the other end has taken nothing for too long.
    fn poll_give_up(&mut self, cx: &mut Context<'_>, io: &impl Link, server: &Server) -> Poll<()> {
        let limit = server.config.write_timeout;
        let acknowledged = || io.progress().map(|progress| progress.acknowledged);
        let stall = self
            .stall
            .get_or_insert_with(|| Box::new(Stall { timer: Box::pin(sleep(limit)), acknowledged: acknowledged() }));
        loop {
            ready!(stall.timer.as_mut().poll(cx));
            let now = acknowledged();
            if now == stall.acknowledged {
                server.stats.cut_off();
                return Poll::Ready(());
            }
            **stall = Stall { timer: Box::pin(sleep(limit)), acknowledged: now };
        }
    }

    /// Fails where the other end has not even acknowledged what was written long ago. To be asked
    /// before a heartbeat: the kernel itself gives up one who vanished after a quarter of an hour.
    pub(crate) fn check(&mut self, io: &impl Link, server: &Server) -> io::Result<()> {
        let Some(Progress { acknowledged, is_under_way: true }) = io.progress() else {
            self.silence = None;
            return Ok(());
        };
        let now = Instant::now();
        let silence = self.silence.filter(|(_, before)| *before == acknowledged).unwrap_or((now, acknowledged));
        self.silence = Some(silence);
        if now.duration_since(silence.0) >= 2 * server.config.write_timeout {
            server.stats.cut_off();
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

fn poll_write_some<IO, B>(cx: &mut Context<'_>, io: &mut IO, buf: &B) -> Poll<io::Result<usize>>
where
    IO: AsyncWrite + Unpin,
    B: Buf + ?Sized,
{
    let first = buf.chunk();
    if first.len() == buf.remaining() || !io.is_write_vectored() {
        return Pin::new(io).poll_write(cx, first);
    }
    let mut pieces = [IoSlice::new(&[]); PIECES];
    let count = buf.chunks_vectored(&mut pieces);
    Pin::new(io).poll_write_vectored(cx, &pieces[..count])
}

/// Writes all of `buf`.
///
/// # Errors
/// `TimedOut` where the other end took nothing for too long; otherwise what the socket says.
pub(crate) async fn all<IO, B>(io: &mut IO, buf: &mut B, server: &Server) -> io::Result<()>
where
    IO: Link,
    B: Buf + ?Sized,
{
    let mut patience = Patience::default();
    poll_fn(|cx| patience.poll_write(cx, io, buf, server)).await
}

#[cfg(test)]
mod tests {
    use std::task::Waker;
    use std::time::Duration;

    use bytes::Bytes;
    use tokio::io::{AsyncReadExt, DuplexStream, duplex};
    use tokio::time::advance;

    use super::*;
    use crate::Config;
    use crate::server::LOOPBACK;

    const LIMIT: Duration = Duration::from_secs(30);

    fn server() -> Server {
        Server::new(Config { write_timeout: LIMIT, ..Config::default() }, LOOPBACK)
    }

    fn count(server: &Server) -> String {
        let text = server.stats.text(0, 0).unwrap();
        text.lines().find(|line| line.starts_with("pushoff_cut_off_total")).unwrap().to_owned()
    }

    impl Link for DuplexStream {
        fn progress(&self) -> Option<Progress> {
            None
        }
    }

    /// Takes nothing, and has acknowledged a byte a second until a time.
    struct Slow {
        start: Instant,
        until: Duration,
    }

    impl Link for Slow {
        fn progress(&self) -> Option<Progress> {
            Some(Progress { acknowledged: self.start.elapsed().min(self.until).as_secs(), is_under_way: true })
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
    async fn one_who_acknowledges_is_waited_for_although_the_socket_has_no_room() {
        let (server, start) = (server(), Instant::now());
        let mut slow = Slow { start, until: Duration::from_secs(100) };
        let error = all(&mut slow, &mut Bytes::from_static(b"a"), &server).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // The last look that found more was at 120 s, the one after it found no more.
        assert_eq!(start.elapsed(), 5 * LIMIT);
        assert_eq!(count(&server), "pushoff_cut_off_total 1");
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_does_not_even_acknowledge_heartbeats_is_gone() {
        let (server, start) = (server(), Instant::now());
        let slow = Slow { start, until: Duration::from_secs(100) };
        let mut patience = Patience::default();
        while patience.check(&slow, &server).is_ok() {
            advance(Duration::from_secs(15)).await;
        }
        assert_eq!(start.elapsed().as_secs(), 105 + 2 * LIMIT.as_secs());
        assert_eq!(count(&server), "pushoff_cut_off_total 1");
    }

    /// A write of 8 bytes to one who has room for 4.
    async fn stuck(mut ours: DuplexStream, server: &Server) -> io::Result<()> {
        all(&mut ours, &mut Bytes::from_static(b"abcdefgh"), server).await
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_takes_nothing_is_cut_off_after_the_timeout_and_counted() {
        let (server, start) = (server(), Instant::now());
        let (ours, theirs) = duplex(4);
        let error = stuck(ours, &server).await.unwrap_err();
        assert_eq!((error.kind(), start.elapsed()), (io::ErrorKind::TimedOut, LIMIT));
        assert_eq!(count(&server), "pushoff_cut_off_total 1");
        drop(theirs);
    }

    #[tokio::test(start_paused = true)]
    async fn one_byte_is_a_sign_of_life() {
        let (server, start) = (server(), Instant::now());
        let (ours, mut theirs) = duplex(4);
        let reading = async {
            for _ in 0..3 {
                advance(Duration::from_secs(29)).await;
                theirs.read_u8().await.unwrap();
            }
            theirs
        };
        let (written, _theirs) = tokio::join!(stuck(ours, &server), reading);
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed(), 3 * Duration::from_secs(29) + LIMIT);
    }

    #[tokio::test]
    async fn what_is_taken_at_once_starts_no_clock_and_goes_out_in_one_piece() {
        let (server, (mut ours, mut theirs)) = (server(), duplex(100));
        let mut patience = Patience::default();
        let mut pieces = Buf::chain(&b"first "[..], &b"second"[..]);
        assert!(matches!(
            poll_write_some(&mut Context::from_waker(Waker::noop()), &mut Vec::new(), &pieces),
            Poll::Ready(Ok(12))
        ));
        poll_fn(|cx| patience.poll_write(cx, &mut ours, &mut pieces, &server)).await.unwrap();
        assert!(patience.stall.is_none());
        drop(ours);
        let mut written = Vec::new();
        theirs.read_to_end(&mut written).await.unwrap();
        assert_eq!(written, b"first second");
        assert_eq!(count(&server), "pushoff_cut_off_total 0");
    }

    #[tokio::test]
    async fn one_who_is_gone_is_an_error_at_once() {
        let (server, (ours, theirs)) = (server(), duplex(4));
        drop(theirs);
        assert_eq!(stuck(ours, &server).await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(count(&server), "pushoff_cut_off_total 0");
    }
}
