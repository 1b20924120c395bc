//! The half of a socket that tungstenite reads from. What it writes, pongs and closes, is kept
//! until the connection can send it between two whole frames.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How many bytes of replies may wait. Chosen here: 32 of the longest. Whoever pings on without
/// reading the pongs is cut off.
const REPLIES: usize = 4 << 10;

/// A reader with an outbox.
#[derive(Debug)]
pub(super) struct Inbound<R> {
    reader: R,
    replies: Vec<u8>,
}

impl<R> Inbound<R> {
    pub(super) const fn new(reader: R) -> Self {
        Self { reader, replies: Vec::new() }
    }

    /// What is to be sent, in whole frames: tungstenite writes a frame at once.
    pub(super) fn take_replies(&mut self) -> Bytes {
        std::mem::take(&mut self.replies).into()
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Inbound<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reader).poll_read(cx, buf)
    }
}

impl<R: Unpin> AsyncWrite for Inbound<R> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.replies.len() + buf.len() > REPLIES {
            return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
        }
        self.replies.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn replies_wait_up_to_their_bound() {
        let mut inbound = Inbound::new(tokio::io::empty());
        for _ in 0..32 {
            inbound.write_all(&[0; 127]).await.unwrap();
        }
        assert_eq!(inbound.write_all(&[0; 127]).await.unwrap_err().kind(), io::ErrorKind::QuotaExceeded);
        assert_eq!(inbound.take_replies().len(), 32 * 127);
        assert!(inbound.take_replies().is_empty());
    }
}
