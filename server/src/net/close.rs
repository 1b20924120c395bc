//! Closing a connection so that all bytes written arrive. Source: RFC 9112 §9.6.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;
use tracing::trace;

use super::io::read_buffer;
use crate::limits;

/// Writes `last`, ends the outgoing direction, and reads further input for a moment: closing a socket with
/// unread input resets the connection, and the reset may overtake the last bytes.
pub(crate) async fn close(mut io: impl AsyncRead + AsyncWrite + Unpin, last: &[u8]) {
    let closing = async {
        io.write_all(last).await?;
        io.shutdown().await?;
        poll_fn(|cx| poll_end(cx, &mut io, &mut 0)).await
    };
    // A client that sends for longer is not waited for, and an error is an end too.
    if let Ok(Err(error)) = timeout(limits::LINGER, closing).await {
        trace!(%error, "a connection broke while it was closed");
    }
}

/// Reads and discards input until the other end stops sending, and adds its bytes to `discarded`.
pub(crate) fn poll_end(
    cx: &mut Context<'_>,
    io: &mut (impl AsyncRead + Unpin),
    discarded: &mut usize,
) -> Poll<io::Result<()>> {
    loop {
        let mut room = read_buffer();
        let mut ignored = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut *io).poll_read(cx, &mut ignored))?;
        if ignored.filled().is_empty() {
            return Poll::Ready(Ok(()));
        }
        *discarded += ignored.filled().len();
    }
}
