//! One connection: bytes in both directions, and how much the other end has acknowledged.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use tokio::io::{AsyncRead, AsyncWrite};

/// The most bytes that one read takes where the length of the input is unknown.
pub(crate) const READ_BYTES: usize = 4 << 10;

/// A buffer for one read, on the stack: idle connections hold none.
pub(crate) const fn read_buffer() -> [MaybeUninit<u8>; READ_BYTES] {
    [const { MaybeUninit::uninit() }; READ_BYTES]
}

/// The most parts of a buffer that one system call writes: the head of a response, and a long body.
const PIECES: usize = 2;

/// A connection, whatever carries its bytes.
pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {
    /// How much the other end has received; `None` where the connection cannot tell.
    fn progress(&self) -> Option<Progress> {
        None
    }

    /// Writes some of `buf`, advances it past the bytes written, and gives their number.
    fn poll_send(&mut self, cx: &mut Context<'_>, buf: &mut impl Buf) -> Poll<io::Result<usize>> {
        let first = buf.chunk();
        let written = if first.len() == buf.remaining() || !self.is_write_vectored() {
            ready!(Pin::new(self).poll_write(cx, first))?
        } else {
            let mut pieces = [IoSlice::new(&[]); PIECES];
            let count = buf.chunks_vectored(&mut pieces);
            ready!(Pin::new(self).poll_write_vectored(cx, &pieces[..count]))?
        };
        buf.advance(written);
        Poll::Ready(Ok(written))
    }
}

/// How much of the bytes written has arrived at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Bytes that the other end has acknowledged.
    pub(crate) acknowledged: u64,
    /// The most bytes that are written and not acknowledged; 0 where there are none.
    pub(crate) under_way: u64,
}

/// Puts a future on the heap as it is made. A task then holds space for its current step only; a
/// future that an `async` block makes and boxes afterwards takes space in the block too.
pub(crate) fn boxed<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::pin(make())
}

#[cfg(test)]
impl Io for tokio::io::DuplexStream {}
