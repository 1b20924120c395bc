//! The sockets of connections: what they have from their listener, and how they end.
//!
//! What is set on a listener is inherited by what it accepts, which costs no system call a
//! connection. Sources: tcp(7), socket(7).

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::limits;
use crate::net::outage::{Hold, Outage};
use crate::net::write::{Link, Progress};

/// Sets what every connection is to have.
///
/// Beside what is not sent yet the kernel holds what is on its way, which it bounds itself. Without
/// that bound a socket whose buffer has grown to megabytes takes no byte before a third of it is
/// free again, and one who reads slowly looks like one who does not read.
pub(crate) fn prepare(listener: &TcpListener) -> io::Result<()> {
    let socket = SockRef::from(listener);
    socket.set_tcp_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_notsent_lowat(limits::UNSENT_BYTES)?;
    // Whoever bound it chose some backlog; listening again only changes that.
    socket.listen(limits::BACKLOG)
}

/// Has the kernel find out which readers are gone, for a port whose protocol has no heartbeat.
pub(crate) fn keep_alive(listener: &TcpListener) -> io::Result<()> {
    SockRef::from(listener).set_tcp_keepalive(&TcpKeepalive::new().with_time(Duration::from_mins(1)))
}

/// The socket of one connection, of which one task reads and writes.
///
/// Where it is dropped while it takes no more, the connection is reset: the other end is not left to
/// take a part for the whole, and the kernel frees at once what it held for it.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    /// Whether it took nothing when it was last written to.
    is_stalled: bool,
    /// There where the server may be asked to write nothing for a while.
    hold: Option<Box<Hold>>,
}

impl Socket {
    pub(crate) const fn new(stream: TcpStream) -> Self {
        Self { stream, is_stalled: false, hold: None }
    }

    /// The same, held back in outages.
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
            // It fails where the connection is gone already.
            drop(SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)));
        }
    }
}

impl Link for Socket {
    #[cfg(target_os = "linux")]
    fn progress(&self) -> Option<Progress> {
        tcp_info::read(&self.stream)
    }

    #[cfg(not(target_os = "linux"))]
    fn progress(&self) -> Option<Progress> {
        None
    }
}

#[cfg(target_os = "linux")]
mod tcp_info {
    //! What of `TCP_INFO` is needed. Source: `struct tcp_info` in the kernel's
    //! `include/uapi/linux/tcp.h`, which only ever grows at its end.

    use std::os::fd::AsFd;

    use nix::libc;
    use nix::sys::socket::GetSockOpt;

    use super::Progress;

    #[derive(Clone, Copy, Debug)]
    #[repr(C)]
    struct TcpInfo {
        _state_and_options: [u8; 8],
        _timeouts_and_sizes: [u32; 4],
        unacked: u32,
        _metrics: [u32; 19],
        _pacing_rates: [u64; 2],
        bytes_acked: u64,
        _bytes_received: u64,
        _segments: [u32; 2],
        notsent_bytes: u32,
        _min_rtt: u32,
    }

    const _: () = assert!(size_of::<TcpInfo>() == 152, "as far as `tcpi_min_rtt`, which Linux 4.6 has");

    #[derive(Clone, Copy, Debug)]
    struct ReadTcpInfo;

    nix::getsockopt_impl!(
        ReadTcpInfo,
        libc::IPPROTO_TCP,
        libc::TCP_INFO,
        TcpInfo,
        nix::sys::socket::sockopt::GetStruct<TcpInfo>
    );

    pub(super) fn read(socket: &impl AsFd) -> Option<Progress> {
        let info = ReadTcpInfo.get(socket).ok()?;
        let is_under_way = info.unacked > 0 || info.notsent_bytes > 0;
        Some(Progress { acknowledged: info.bytes_acked, is_under_way })
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

    use super::*;

    /// A connection: the end that was accepted, and the other.
    async fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        prepare(&listener).unwrap();
        keep_alive(&listener).unwrap();
        let theirs = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (listener.accept().await.unwrap().0, theirs)
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_is_accepted_has_what_was_set_on_the_listener() {
        let (ours, _theirs) = connection().await;
        let socket = SockRef::from(&ours);
        assert!(socket.tcp_nodelay().unwrap());
        assert_eq!(socket.tcp_notsent_lowat().unwrap(), limits::UNSENT_BYTES);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_mins(1));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_the_other_end_has_taken_is_known() {
        let (ours, mut theirs) = connection().await;
        let mut ours = Socket::new(ours);
        let before = ours.progress().unwrap().acknowledged;
        ours.write_all(&[0; 1000]).await.unwrap();
        theirs.read_exact(&mut [0; 1000]).await.unwrap();
        // An acknowledgement may come a little after the bytes.
        while ours.progress().unwrap().is_under_way {
            tokio::task::yield_now().await;
        }
        assert_eq!(ours.progress().unwrap().acknowledged, before + 1000);
    }

    #[tokio::test]
    async fn one_that_takes_no_more_is_reset_and_one_that_took_all_is_closed() {
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
