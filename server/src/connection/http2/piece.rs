//! Bytes of one stream on their way through HTTP/2, which show their stream whether any of them are left.

use std::io::IoSlice;
use std::sync::Arc;

use bytes::{Buf, Bytes};

/// Bytes that a stream has handed to its connection, until the connection has written all of them.
pub(super) struct Piece {
    bytes: Bytes,
    _mark: Arc<()>,
}

/// Marks the pieces of one stream.
#[derive(Default)]
pub(super) struct Marks(Arc<()>);

impl Marks {
    /// A piece of the stream.
    pub(super) fn piece(&self, bytes: Bytes) -> Piece {
        Piece { bytes, _mark: Arc::clone(&self.0) }
    }

    /// Whether the connection has yet to write some of the stream's pieces.
    pub(super) fn are_unwritten(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.bytes.chunks_vectored(slices)
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }

    fn copy_to_bytes(&mut self, length: usize) -> Bytes {
        self.bytes.copy_to_bytes(length)
    }
}
