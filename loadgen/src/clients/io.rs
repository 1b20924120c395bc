//! Reads from a connection into a buffer that all connections of a thread share.
//!
//! With a buffer for each connection, buffers would be most of the memory of ten thousand idle subscribers. So a
//! connection borrows the thread's buffer when bytes arrive, and returns it before it waits again.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that a client reads from and writes to: TCP, or a layer above it.
pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// The size of the shared buffer. Chosen here: the initial size of Linux' receive buffer.
pub(crate) const ROOM_BYTES: usize = 64 * 1024;

thread_local! {
    static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The bytes of a connection that have arrived and are not taken yet.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// Bytes of earlier reads. While there are any, the last read's bytes are appended to them.
    kept: Vec<u8>,
    /// The shared buffer, while it holds bytes of the last read, and their end.
    room: Vec<u8>,
    end: usize,
    /// How many bytes are taken.
    taken: usize,
}

impl Input {
    /// Waits for a read and returns its length; 0 means that no more bytes will come.
    pub(crate) async fn fill(&mut self, io: &mut (impl AsyncRead + Unpin)) -> io::Result<usize> {
        self.release();
        poll_fn(|cx| self.poll_fill(Pin::new(io), cx)).await
    }

    /// Returns the shared buffer and keeps the bytes that are not taken. Called before any wait.
    pub(crate) fn release(&mut self) {
        if self.kept.is_empty() {
            self.kept.extend_from_slice(&self.room[self.taken..self.end]);
        } else {
            self.kept.drain(..self.taken);
        }
        self.give_back();
    }

    fn poll_fill(&mut self, io: Pin<&mut impl AsyncRead>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut room = ROOM.take();
        room.resize(ROOM_BYTES, 0);
        let mut buffer = ReadBuf::new(&mut room);
        let read = io.poll_read(cx, &mut buffer);
        let bytes = buffer.filled().len();
        if bytes > 0 && self.kept.is_empty() {
            (self.room, self.end) = (room, bytes);
        } else {
            self.kept.extend_from_slice(&room[..bytes]);
            ROOM.set(room);
        }
        read.map_ok(|()| bytes)
    }

    /// The bytes that are not taken.
    pub(crate) fn bytes(&self) -> &[u8] {
        if self.kept.is_empty() { &self.room[self.taken..self.end] } else { &self.kept[self.taken..] }
    }

    /// Takes the next `length` bytes. At least that many must have arrived.
    pub(crate) fn take(&mut self, length: usize) -> &[u8] {
        let from = self.taken;
        self.taken += length;
        let all = if self.kept.is_empty() { &self.room } else { &self.kept };
        &all[from..self.taken]
    }

    /// Takes all bytes and returns the shared buffer.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
        self.give_back();
    }

    fn give_back(&mut self) {
        (self.taken, self.end) = (0, 0);
        if !self.room.is_empty() {
            ROOM.set(std::mem::take(&mut self.room));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use proptest::prelude::*;
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn two_inputs_share_a_buffer_and_no_bytes() {
        let ((mut ours, mut theirs), (mut one, mut other)) = (duplex(100), (Input::default(), Input::default()));
        one.fill(&mut &b"first"[..]).await.unwrap();
        other.fill(&mut &b"second"[..]).await.unwrap();
        assert_eq!(one.take(2), b"fi");
        assert_eq!((one.bytes(), other.bytes()), (&b"rst"[..], &b"second"[..]));
        // A read that is given up loses nothing.
        assert!(one.fill(&mut ours).now_or_never().is_none());
        other.release();
        other.fill(&mut &b", third"[..]).await.unwrap();
        theirs.write_all(b" and more").await.unwrap();
        one.fill(&mut ours).await.unwrap();
        assert_eq!((one.bytes(), other.bytes()), (&b"rst and more"[..], &b"second, third"[..]));
    }

    proptest! {
        #[test]
        fn bytes_that_were_not_taken_stand_before_those_of_the_next_read(
            pieces in proptest::collection::vec(".{0,9}", 0..9),
            step in 1_usize..5,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (mut input, mut out) = (Input::default(), Vec::new());
            for piece in &pieces {
                let read = runtime.block_on(input.fill(&mut piece.as_bytes())).unwrap();
                prop_assert_eq!(read, piece.len());
                let whole = input.bytes().len() / step * step;
                out.extend_from_slice(input.take(whole));
            }
            out.extend_from_slice(input.bytes());
            prop_assert_eq!(out, pieces.concat().into_bytes());
        }
    }
}
