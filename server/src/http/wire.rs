//! The socket as hyper sees it: it notes when a request begins, and keeps hyper's own error
//! responses back, which have no body, so that a problem can be sent in their place.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::exchange::Line;

/// A socket with its connection's state beside it.
#[derive(Debug)]
pub(super) struct Wire<IO> {
    io: IO,
    /// What was read before hyper had the socket.
    begun: Bytes,
    line: Arc<Line>,
    /// Whether the last write was taken whole: the next one begins a head or a part of a body.
    at_start: bool,
}

impl<IO> Wire<IO> {
    pub(super) const fn new(io: IO, begun: Bytes, line: Arc<Line>) -> Self {
        Self { io, begun, line, at_start: true }
    }

    pub(super) fn into_inner(self) -> IO {
        self.io
    }

    fn written(&mut self, result: Poll<io::Result<usize>>, offered: usize) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(taken)) = result {
            self.at_start = taken == offered;
        }
        self.line.owes(result.is_pending() || !self.at_start);
        result
    }

    fn is_hypers_own(&self, written: &[u8]) -> bool {
        self.at_start && is_bare_error(written)
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
        let before = buf.filled().len();
        let result = Pin::new(&mut self.io).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.line.received();
        }
        result
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Wire<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_hypers_own(buf) {
            return Poll::Ready(Ok(buf.len()));
        }
        let result = Pin::new(&mut self.io).poll_write(cx, buf);
        self.written(result, buf.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let offered = bufs.iter().map(|buf| buf.len()).sum();
        if bufs.first().is_some_and(|head| self.is_hypers_own(head)) {
            return Poll::Ready(Ok(offered));
        }
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.written(result, offered)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
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
