//! Writing to one who may have stopped reading.
//!
//! As long as the socket takes bytes there is no clock. It starts when the socket takes no more, and
//! starts anew with every byte that it takes; who takes none for [`Config::write_timeout`] is cut
//! off: what waits here and in the kernel's buffer for one who has gone away, or never reads, must
//! not wait for ever.
//!
//! [`Config::write_timeout`]: crate::Config::write_timeout

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use tokio::io::AsyncWrite;
use tokio::time::{Sleep, sleep};

use crate::server::Server;

/// How many pieces of a buffer go into one system call: the parts of a response are fewer.
const PIECES: usize = 4;

/// The patience with the other end of one connection, lasting from write to write.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    /// There while the other end takes nothing.
    timer: Option<Pin<Box<Sleep>>>,
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
        IO: AsyncWrite + Unpin,
        B: Buf + ?Sized,
    {
        while buf.has_remaining() {
            let Poll::Ready(taken) = poll_write_some(cx, io, buf) else {
                return self.poll_give_up(cx, server).map(|()| Err(io::ErrorKind::TimedOut.into()));
            };
            self.timer = None;
            match taken? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                taken => buf.advance(taken),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Waits until the other end has taken nothing for too long.
    fn poll_give_up(&mut self, cx: &mut Context<'_>, server: &Server) -> Poll<()> {
        let limit = server.config.write_timeout;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(timer.as_mut().poll(cx));
        server.stats.cut_off();
        Poll::Ready(())
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
    IO: AsyncWrite + Unpin,
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
    use tokio::time::{Instant, advance};

    use super::*;
    use crate::Config;

    const LIMIT: Duration = Duration::from_secs(30);

    fn server() -> Server {
        Server::new(Config { write_timeout: LIMIT, ..Config::default() })
    }

    fn count(server: &Server) -> String {
        let text = server.stats.text(0).unwrap();
        text.lines().find(|line| line.starts_with("pushoff_cut_off_total")).unwrap().to_owned()
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
        let (server, mut written) = (server(), Vec::new());
        let mut patience = Patience::default();
        let mut pieces = Buf::chain(&b"first "[..], &b"second"[..]);
        assert!(matches!(
            poll_write_some(&mut Context::from_waker(Waker::noop()), &mut Vec::new(), &pieces),
            Poll::Ready(Ok(12))
        ));
        poll_fn(|cx| patience.poll_write(cx, &mut written, &mut pieces, &server)).await.unwrap();
        assert!(patience.timer.is_none());
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
