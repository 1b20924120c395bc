//! What carries the bytes of an HTTP/2 connection: the connection reads and writes it, and its streams look how far the
//! client has received what was written.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::net::{Io, Progress};

/// The socket, or TLS over it. One task uses it, so that nobody waits for the lock.
pub(super) struct Carrier<T>(Mutex<Carried<T>>);

struct Carried<T> {
    io: T,
    /// Whether the last write took nothing.
    is_full: bool,
    /// The bytes that the client had received at the last look for a stream.
    seen: u64,
    /// The bytes that it received, as far as the connection waited for the socket.
    taken: u64,
}

/// How far the client of a connection has received what was written.
pub(super) trait Reception: Sync {
    /// All that was written.
    fn progress(&self) -> Option<Progress>;

    /// The same as far as the connection waits for the socket. At any other time all that its streams could write is
    /// written: a stream that waits then waits for its client's window, and what others write moves it no further.
    fn progress_of_stream(&self) -> Option<Progress>;
}

impl<T> Carrier<T> {
    pub(super) const fn new(io: T) -> Self {
        Self(Mutex::new(Carried { io, is_full: false, seen: 0, taken: 0 }))
    }

    fn lock(&self) -> MutexGuard<'_, Carried<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Io> Reception for Carrier<T> {
    fn progress(&self) -> Option<Progress> {
        self.lock().io.progress()
    }

    fn progress_of_stream(&self) -> Option<Progress> {
        let mut carried = self.lock();
        let received = carried.io.progress()?.acknowledged;
        let newly = received.saturating_sub(std::mem::replace(&mut carried.seen, received));
        if carried.is_full {
            carried.taken += newly;
        }
        Some(Progress { acknowledged: carried.taken, is_under_way: carried.is_full })
    }
}

impl<T: Io> AsyncRead for &Carrier<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().io).poll_read(cx, buf)
    }
}

impl<T: Io> AsyncWrite for &Carrier<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut carried = self.lock();
        let written = Pin::new(&mut carried.io).poll_write(cx, buf);
        carried.is_full = written.is_pending();
        written
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut carried = self.lock();
        let written = Pin::new(&mut carried.io).poll_write_vectored(cx, bufs);
        carried.is_full = written.is_pending();
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.lock().io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut carried = self.lock();
        let flushed = Pin::new(&mut carried.io).poll_flush(cx);
        carried.is_full = flushed.is_pending();
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().io).poll_shutdown(cx)
    }
}
