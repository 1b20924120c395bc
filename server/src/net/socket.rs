//! The socket of one connection, and how it ends.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::io::Io;
#[cfg(target_os = "linux")]
use super::io::Progress;
use super::outage::{Hold, Outage};
#[cfg(target_os = "linux")]
use super::tcp_info;

/// The socket of one connection; a single task reads and writes it.
///
/// Dropping a stalled socket resets the connection: the other end must not take a part for the whole, and
/// the kernel frees the connection's buffers at once.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    /// Whether the last write took no byte.
    is_stalled: bool,
    /// Holds writes back during an outage, where outages are enabled.
    hold: Option<Box<Hold>>,
}

impl Socket {
    pub(crate) const fn new(stream: TcpStream) -> Self {
        Self { stream, is_stalled: false, hold: None }
    }

    /// A socket whose writes wait during outages.
    pub(crate) fn held(stream: TcpStream, outage: Arc<Outage>) -> Self {
        let mut socket = Self::new(stream);
        socket.hold = Some(Box::new(Hold::new(outage)));
        socket
    }

    fn poll_hold(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.hold.as_mut().map_or(Poll::Ready(()), |hold| hold.poll_over(cx))
    }

    fn wrote(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.is_stalled = written.is_pending();
        written
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.is_stalled {
            // Fails where the connection is gone already.
            drop(SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)));
        }
    }
}

impl Io for Socket {
    #[cfg(target_os = "linux")]
    fn progress(&self) -> Option<Progress> {
        tcp_info::read(&self.stream)
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_hold(cx));
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_hold(cx));
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::limits;
    use crate::net::listen::{keep_alive, prepare};

    /// Both ends of a connection, the accepted end first.
    async fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        prepare(&listener).unwrap();
        keep_alive(&listener).unwrap();
        let theirs = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (listener.accept().await.unwrap().0, theirs)
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_accepted_socket_has_the_options_of_its_listener() {
        let (ours, _theirs) = connection().await;
        let socket = SockRef::from(&ours);
        assert!(socket.tcp_nodelay().unwrap());
        assert_eq!(socket.tcp_notsent_lowat().unwrap(), limits::UNSENT_BYTES);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_mins(1));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_acknowledged_bytes_are_known() {
        let (ours, mut theirs) = connection().await;
        let mut ours = Socket::new(ours);
        let before = ours.progress().unwrap().acknowledged;
        ours.write_all(&[0; 1000]).await.unwrap();
        theirs.read_exact(&mut [0; 1000]).await.unwrap();
        // An acknowledgement may come after the bytes.
        while ours.progress().unwrap().under_way > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(ours.progress().unwrap().acknowledged, before + 1000);
    }

    #[tokio::test]
    async fn a_stalled_socket_is_reset_and_any_other_is_closed() {
        for is_stalled in [true, false] {
            let (ours, mut theirs) = connection().await;
            let mut ours = Socket::new(ours);
            ours.write_all(b"whole").await.unwrap();
            if is_stalled {
                let fill = async { while ours.write(&[0; 1 << 16]).await.is_ok() {} };
                tokio::select! {
                    biased;
                    () = fill => unreachable!("nobody reads"),
                    () = tokio::task::yield_now() => {}
                }
            }
            drop(ours);
            let mut read = Vec::new();
            let ended = theirs.read_to_end(&mut read).await.map_err(|error| error.kind());
            assert_eq!(ended.is_err_and(|kind| kind == io::ErrorKind::ConnectionReset), is_stalled);
            assert!(is_stalled || read == b"whole");
        }
    }
}
