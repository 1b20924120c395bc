//! The socket as hyper sees it: it begins with what was read before, gives up one who takes nothing,
//! and keeps hyper's own error responses back, which have no body, so that a problem can be sent in
//! their place.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::server::Server;
use crate::write::Patience;

/// A socket, from what was read of it on.
pub(super) struct Wire<IO> {
    io: IO,
    /// What was read before hyper had the socket.
    begun: Bytes,
    server: Arc<Server>,
    patience: Patience,
    /// Whether the last write was taken whole: the next one begins a head or a part of a body.
    at_start: bool,
}

impl<IO> Wire<IO> {
    pub(super) fn new(io: IO, begun: Bytes, server: Arc<Server>) -> Self {
        Self { io, begun, server, patience: Patience::default(), at_start: true }
    }

    pub(super) fn into_inner(self) -> IO {
        self.io
    }
}

/// Whether these bytes begin with the head of a client error that did not come from this server's
/// own code, every response of which says `no-store`.
fn is_bare_error(written: &[u8]) -> bool {
    let is_client_error = written.starts_with(b"HTTP/1.") && written.get(9) == Some(&b'4');
    is_client_error && !written.windows(b"no-store".len()).any(|window| window == b"no-store")
}

impl<IO: AsyncRead + Unpin> AsyncRead for Wire<IO> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.begun.is_empty() {
            let length = self.begun.len().min(buf.remaining());
            buf.put_slice(&self.begun.split_to(length));
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Wire<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.at_start && is_bare_error(buf) {
            return Poll::Ready(Ok(buf.len()));
        }
        let Self { io, server, patience, .. } = &mut *self;
        let mut rest = buf;
        let written = patience.poll_write(cx, io, &mut rest, server);
        let taken = buf.len() - rest.len();
        self.at_start = rest.is_empty();
        match written {
            Poll::Pending if taken == 0 => Poll::Pending,
            Poll::Pending | Poll::Ready(Ok(())) => Poll::Ready(Ok(taken)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_error_that_hyper_made_is_kept_back() {
        let hypers = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        assert!(is_bare_error(hypers));
        assert!(!is_bare_error(b"HTTP/1.1 404 Not Found\r\ncache-control: no-store\r\n\r\n"));
        assert!(!is_bare_error(b"HTTP/1.1 100 Continue\r\n\r\n"));
        assert!(!is_bare_error(b"5\r\nHTTP/\r\n"));
    }
}
