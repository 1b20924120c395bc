//! The carrier of a connection's bytes: TCP, TLS over it, or a stream of an HTTP/2 connection.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::{Connected, Connection};
use pushoff_model::Http;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::http2::Tunnel;
use crate::origin::Origin;
use crate::server::Server;
use crate::tls::alpn;
use crate::wire::{CountedStream, WireCounters};

/// A connection as its user reads and writes it. The bytes that are counted are TCP's.
pub(crate) enum Carrier {
    Clear(CountedStream),
    Tls(Box<TlsStream<CountedStream>>),
    /// A WebSocket over HTTP/2 (RFC 8441).
    Tunnel(Box<Tunnel>),
}

impl Carrier {
    /// Connects to the server, and shakes hands where TLS is spoken.
    pub(crate) async fn connect(counters: &WireCounters, server: &Server, origin: &Origin) -> io::Result<Self> {
        let stream = CountedStream::connect(counters, server.http, origin).await?;
        Ok(match &server.tls {
            None => Self::Clear(stream),
            Some(tls) => {
                let connector = TlsConnector::from(tls.config().clone());
                let stream = connector.connect(tls.name(), stream).await?;
                let is_agreed = stream.get_ref().1.alpn_protocol() == Some(alpn(Http::Two));
                if server.wire.http == Http::Two && !is_agreed {
                    return Err(io::Error::new(
                        io::ErrorKind::Unsupported,
                        "the server speaks no HTTP/2 over TLS (ALPN)",
                    ));
                }
                Self::Tls(Box::new(stream))
            }
        })
    }

    /// Connects in the clear, to another port of the server.
    pub(crate) async fn connect_raw(counters: &WireCounters, to: SocketAddr, origin: &Origin) -> io::Result<Self> {
        CountedStream::connect(counters, to, origin).await.map(Self::Clear)
    }
}

impl Connection for Carrier {
    fn connected(&self) -> Connected {
        // Which HTTP is spoken is known before: its client speaks that one alone.
        Connected::new()
    }
}

/// Calls a method of the stream inside a carrier.
macro_rules! carried {
    ($carrier:expr, $io:ident => $call:expr) => {
        match $carrier {
            Carrier::Clear($io) => $call,
            Carrier::Tls($io) => $call,
            Carrier::Tunnel($io) => $call,
        }
    };
}

impl AsyncRead for Carrier {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        carried!(self.get_mut(), io => Pin::new(io).poll_read(cx, buf))
    }
}

impl AsyncWrite for Carrier {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        carried!(self.get_mut(), io => Pin::new(io).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        carried!(self.get_mut(), io => Pin::new(io).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        carried!(self, io => io.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        carried!(self.get_mut(), io => Pin::new(io).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        carried!(self.get_mut(), io => Pin::new(io).poll_shutdown(cx))
    }
}
