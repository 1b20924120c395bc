//! A socket of ours whose counters can be read beside its use.

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use hyper_util::client::legacy::connect::{Connected, Connection};
use rustix::net::{Shutdown, shutdown};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};

use super::counters::{Tap, Taps};
use super::socket::{Socket, Watched};

/// A TCP stream that counts among the taps, until it is dropped.
#[derive(Debug)]
pub(crate) struct Tapped {
    // First: the counters are read before the socket closes.
    _tap: Tap,
    watched: Arc<Watched>,
}

impl Tapped {
    /// Connects, from `source` where one is given.
    ///
    /// # Errors
    /// When the socket cannot be made, bound or connected.
    pub(crate) async fn connect(taps: &Taps, target: SocketAddr, source: Option<IpAddr>) -> io::Result<Self> {
        let socket = if target.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_nodelay(true)?;
        if let Some(source) = source {
            choose_the_port_late(&socket)?;
            socket.bind(SocketAddr::new(source, 0))?;
        }
        Ok(Self::new(taps, socket.connect(target).await?))
    }

    pub(crate) fn new(taps: &Taps, stream: TcpStream) -> Self {
        let watched = Arc::new(Watched { stream, ended: AtomicBool::default() });
        Self { _tap: taps.tap(Socket::Own(Arc::clone(&watched))), watched }
    }
}

/// Leaves the choice of the port to `connect`, which knows the other end and so need not find one
/// that is free towards everybody.
#[cfg(target_os = "linux")]
fn choose_the_port_late(socket: &TcpSocket) -> io::Result<()> {
    use nix::sys::socket::{SetSockOpt, sockopt};
    Ok(sockopt::IpBindAddressNoPort.set(socket, &true)?)
}

#[cfg(not(target_os = "linux"))]
fn choose_the_port_late(_: &TcpSocket) -> io::Result<()> {
    Ok(())
}

impl AsyncRead for Tapped {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Watched { stream, ended } = &*self.watched;
        let room = buf.remaining();
        loop {
            ready!(stream.poll_read_ready(cx))?;
            let mut in_part = false;
            let read = stream.try_io(Interest::READABLE, || match stream.try_read_buf(buf) {
                // Less than there was room for: the socket is empty, and asking it again would be
                // one more system call. Tokio's own reading says so in the same way.
                Ok(bytes) if (1..room).contains(&bytes) => {
                    in_part = true;
                    Err(io::ErrorKind::WouldBlock.into())
                }
                read => read,
            });
            match read {
                Ok(bytes) => {
                    if bytes == 0 && room > 0 {
                        ended.store(true, Ordering::Relaxed);
                    }
                    return Poll::Ready(Ok(()));
                }
                Err(_) if in_part => return Poll::Ready(Ok(())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl Tapped {
    fn poll_write_with(
        &self,
        cx: &mut Context<'_>,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let stream = &self.watched.stream;
        loop {
            ready!(stream.poll_write_ready(cx))?;
            match write(stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |stream| stream.try_write(buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |stream| stream.try_write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match shutdown(&self.watched.stream, Shutdown::Write) {
            // The other end was faster.
            Ok(()) | Err(rustix::io::Errno::NOTCONN) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }
}

impl Connection for Tapped {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::record::Traffic;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair(taps: &Taps) -> (Tapped, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tapped = Tapped::connect(taps, listener.local_addr().unwrap(), None).await.unwrap();
        (tapped, listener.accept().await.unwrap().0)
    }

    fn bytes(taps: &Taps) -> (u64, u64) {
        let Traffic { down, up, .. } = taps.traffic().unwrap();
        (down.bytes, up.bytes)
    }

    #[tokio::test]
    async fn what_is_read_and_written_is_counted_while_open_and_after() {
        let taps = Taps::default();
        let (mut tapped, mut peer) = pair(&taps).await;
        assert_eq!(bytes(&taps), (0, 0));
        let (long, mut got) = (vec![7; 300_000], vec![0; 300_000]);
        let (sent, received) = tokio::join!(peer.write_all(&long), tapped.read_exact(&mut got));
        assert!(sent.is_ok() && received.is_ok());
        assert_eq!(got, long);
        tapped.write_all(b"hello").await.unwrap();
        let mut heard = [0; 5];
        peer.read_exact(&mut heard).await.unwrap();
        assert_eq!(bytes(&taps), (300_000, 5));
        let open = taps.traffic().unwrap();
        assert!(open.down.data_segments >= 1 && open.up.data_segments == 1 && open.up.segments >= 3);
        drop(tapped);
        assert_eq!((bytes(&taps), taps.unread()), ((300_000, 5), 0));
    }

    #[tokio::test]
    async fn the_end_of_the_peer_is_no_byte() {
        let taps = Taps::default();
        let (mut tapped, mut peer) = pair(&taps).await;
        peer.write_all(b"bye").await.unwrap();
        drop(peer);
        let mut all = Vec::new();
        tapped.read_to_end(&mut all).await.unwrap();
        assert_eq!((all.as_slice(), bytes(&taps)), (&b"bye"[..], (3, 0)));
        tapped.shutdown().await.unwrap();
        drop(tapped);
        assert_eq!(bytes(&taps), (3, 0));
    }

    #[tokio::test]
    async fn an_end_that_is_followed_by_a_reset_is_no_byte() {
        let taps = Taps::default();
        let (mut tapped, mut peer) = pair(&taps).await;
        peer.write_all(b"bye").await.unwrap();
        drop(peer);
        // Nobody is there to read it, which the peer's kernel says with a reset.
        tapped.write_all(b"what?").await.unwrap();
        let mut all = Vec::new();
        tapped.read_to_end(&mut all).await.unwrap();
        assert_eq!(bytes(&taps), (3, 5));
        drop(tapped);
        assert_eq!(bytes(&taps), (3, 5));
    }

    #[tokio::test]
    async fn a_reset_costs_no_byte_either() {
        let taps = Taps::default();
        let (mut tapped, mut peer) = pair(&taps).await;
        tapped.write_all(b"unread").await.unwrap();
        peer.write_all(b"x").await.unwrap();
        peer.readable().await.unwrap();
        let mut one = [0];
        tapped.read_exact(&mut one).await.unwrap();
        drop(peer);
        assert!(tapped.read(&mut one).await.is_err());
        drop(tapped);
        assert_eq!((bytes(&taps), taps.unread()), ((1, 6), 0));
    }

    #[tokio::test]
    async fn a_connection_comes_from_the_address_that_it_is_given() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let source = "127.0.0.3".parse().unwrap();
        let tapped = Tapped::connect(&Taps::default(), listener.local_addr().unwrap(), Some(source)).await.unwrap();
        let (_peer, from) = listener.accept().await.unwrap();
        assert_eq!(from.ip(), source);
        drop(tapped);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_hidden_socket_is_tapped_by_its_address() {
        let taps = Taps::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut hidden = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut peer, _) = listener.accept().await.unwrap();
        let tap = taps.tap_hidden(hidden.local_addr().unwrap()).unwrap();
        hidden.write_all(b"hello").await.unwrap();
        drop(hidden);
        let mut heard = [0; 5];
        peer.read_exact(&mut heard).await.unwrap();
        assert_eq!(bytes(&taps), (0, 5));
        drop(tap);
        assert_eq!((bytes(&taps), taps.unread()), ((0, 5), 0));
        assert_eq!(peer.read(&mut heard).await.unwrap(), 0, "with the tap, the last descriptor is closed");
        assert!(taps.tap_hidden("127.0.0.1:1".parse().unwrap()).is_none());
        assert_eq!(taps.unread(), 1);
    }
}
