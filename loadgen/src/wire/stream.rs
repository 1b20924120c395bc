//! A TCP stream whose bytes are counted.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use hyper_util::client::legacy::connect::{Connected, Connection};
use nix::sys::socket::{SetSockOpt, sockopt};
use rustix::net::{Shutdown, shutdown};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};

use super::counters::{Registration, WireCounters};
use super::socket::{Socket, Watched};
use crate::congestion::control_congestion;
use crate::origin::Origin;

/// A TCP stream that is registered with the counters until it is dropped.
#[derive(Debug)]
pub(crate) struct CountedStream {
    // The first field: it is dropped, and its counters read, before the socket closes.
    _registration: Registration,
    watched: Arc<Watched>,
}

impl CountedStream {
    /// Connects from there.
    pub(crate) async fn connect(counters: &WireCounters, target: SocketAddr, origin: &Origin) -> io::Result<Self> {
        let socket = if target.is_ipv4() { TcpSocket::new_v4 } else { TcpSocket::new_v6 };
        let socket = origin.make(socket)?;
        socket.set_nodelay(true)?;
        control_congestion(&socket)?;
        if let Some(source) = origin.address {
            choose_the_port_late(&socket)?;
            socket.bind(SocketAddr::new(source, 0))?;
        }
        Ok(Self::new(counters, socket.connect(target).await?))
    }

    pub(crate) fn new(counters: &WireCounters, stream: TcpStream) -> Self {
        let watched = Arc::new(Watched { stream, ended: AtomicBool::default() });
        Self { _registration: counters.register(Socket::Own(Arc::clone(&watched))), watched }
    }
}

/// Leaves the choice of the port to `connect`. Knowing the peer, it can use a port that is in use towards others.
fn choose_the_port_late(socket: &TcpSocket) -> io::Result<()> {
    Ok(sockopt::IpBindAddressNoPort.set(socket, &true)?)
}

impl AsyncRead for CountedStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Watched { stream, ended } = &*self.watched;
        let room = buf.remaining();
        loop {
            ready!(stream.poll_read_ready(cx))?;
            let mut in_part = false;
            let read = stream.try_io(Interest::READABLE, || match stream.try_read_buf(buf) {
                // A short read means that the socket is empty: another read would be a needless system call. Tokio's
                // own streams do the same.
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

impl CountedStream {
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

impl AsyncWrite for CountedStream {
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
            // The peer has already closed.
            Ok(()) | Err(rustix::io::Errno::NOTCONN) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }
}

impl Connection for CountedStream {
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

    async fn pair(counters: &WireCounters) -> (CountedStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream =
            CountedStream::connect(counters, listener.local_addr().unwrap(), &Origin::default()).await.unwrap();
        (stream, listener.accept().await.unwrap().0)
    }

    fn bytes(counters: &WireCounters) -> (u64, u64) {
        let Traffic { down, up, .. } = counters.traffic().unwrap();
        (down.bytes, up.bytes)
    }

    #[tokio::test]
    async fn bytes_are_counted_while_the_stream_is_open_and_after() {
        let counters = WireCounters::default();
        let (mut stream, mut peer) = pair(&counters).await;
        assert_eq!(bytes(&counters), (0, 0));
        let (long, mut got) = (vec![7; 300_000], vec![0; 300_000]);
        let (sent, received) = tokio::join!(peer.write_all(&long), stream.read_exact(&mut got));
        assert!(sent.is_ok() && received.is_ok());
        assert_eq!(got, long);
        stream.write_all(b"hello").await.unwrap();
        let mut batch = [0; 5];
        peer.read_exact(&mut batch).await.unwrap();
        assert_eq!(bytes(&counters), (300_000, 5));
        let open = counters.traffic().unwrap();
        assert!(open.down.data_segments >= 1 && open.up.data_segments == 1 && open.up.segments >= 3);
        drop(stream);
        assert_eq!((bytes(&counters), counters.unread()), ((300_000, 5), 0));
    }

    #[tokio::test]
    async fn the_end_of_the_peer_is_no_byte() {
        let counters = WireCounters::default();
        let (mut stream, mut peer) = pair(&counters).await;
        peer.write_all(b"bye").await.unwrap();
        drop(peer);
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!((all.as_slice(), bytes(&counters)), (&b"bye"[..], (3, 0)));
        stream.shutdown().await.unwrap();
        drop(stream);
        assert_eq!(bytes(&counters), (3, 0));
    }

    #[tokio::test]
    async fn an_end_that_is_followed_by_a_reset_is_no_byte() {
        let counters = WireCounters::default();
        let (mut stream, mut peer) = pair(&counters).await;
        peer.write_all(b"bye").await.unwrap();
        drop(peer);
        // The peer has closed, so its kernel answers with a reset.
        stream.write_all(b"what?").await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!(bytes(&counters), (3, 5));
        drop(stream);
        assert_eq!(bytes(&counters), (3, 5));
    }

    #[tokio::test]
    async fn a_reset_costs_no_byte_either() {
        let counters = WireCounters::default();
        let (mut stream, mut peer) = pair(&counters).await;
        stream.write_all(b"unread").await.unwrap();
        peer.write_all(b"x").await.unwrap();
        peer.readable().await.unwrap();
        let mut one = [0];
        stream.read_exact(&mut one).await.unwrap();
        drop(peer);
        assert!(stream.read(&mut one).await.is_err());
        drop(stream);
        assert_eq!((bytes(&counters), counters.unread()), ((1, 6), 0));
    }

    #[tokio::test]
    async fn a_connection_comes_from_the_address_that_it_is_given() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let source = "127.0.0.3".parse().unwrap();
        let origin = Origin { address: Some(source), ..Origin::default() };
        let target = listener.local_addr().unwrap();
        let stream = CountedStream::connect(&WireCounters::default(), target, &origin).await.unwrap();
        let (_peer, from) = listener.accept().await.unwrap();
        assert_eq!(from.ip(), source);
        drop(stream);
    }

    #[tokio::test]
    async fn a_connection_has_the_congestion_control_of_the_run() {
        use rustix::net::sockopt::tcp_congestion;
        let (stream, peer) = pair(&WireCounters::default()).await;
        let of_the_system = tcp_congestion(&peer).unwrap();
        let wanted = crate::congestion::congestion_control().unwrap_or(&of_the_system);
        assert_eq!(tcp_congestion(&stream.watched.stream).unwrap(), wanted);
    }

    #[tokio::test]
    async fn a_hidden_socket_is_tapped_by_its_addresses() {
        let counters = WireCounters::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let mut hidden = TcpStream::connect(server).await.unwrap();
        let (mut peer, _) = listener.accept().await.unwrap();
        let registration = counters.register_hidden(hidden.local_addr().unwrap(), server).unwrap();
        hidden.write_all(b"hello").await.unwrap();
        drop(hidden);
        let mut batch = [0; 5];
        peer.read_exact(&mut batch).await.unwrap();
        assert_eq!(bytes(&counters), (0, 5));
        drop(registration);
        assert_eq!((bytes(&counters), counters.unread()), ((0, 5), 0));
        assert_eq!(peer.read(&mut batch).await.unwrap(), 0, "with the registration, the last descriptor is closed");
        assert!(counters.register_hidden("127.0.0.1:1".parse().unwrap(), server).is_none());
        assert_eq!(counters.unread(), 1);
    }
}
