//! The socket of an HTTP/2 connection, or TLS over it: the connection reads and writes it, and each stream asks it how many
//! bytes the client has received.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::net::{Io, Progress};

/// The socket, or TLS over it. One task uses it, so that nobody waits for the lock.
pub(super) struct Carrier<T>(Mutex<T>);

/// How far the client of a connection has received what was written to it, by all streams together.
pub(super) trait Reception: Sync {
    fn progress(&self) -> Option<Progress>;
}

impl<T> Carrier<T> {
    pub(super) const fn new(io: T) -> Self {
        Self(Mutex::new(io))
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Io> Reception for Carrier<T> {
    fn progress(&self) -> Option<Progress> {
        self.lock().progress()
    }
}

impl<T: Io> AsyncRead for &Carrier<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_read(cx, buf)
    }
}

impl<T: Io> AsyncWrite for &Carrier<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.lock().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_shutdown(cx)
    }
}
