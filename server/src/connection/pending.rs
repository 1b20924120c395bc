//! Waiting for a response that is not there yet, while the client may already send its next request.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;

use crate::http::{Encoded, Options, Problem};
use crate::memory::Buffer;
use crate::net::{Io, READ_BYTES, read_buffer};
use crate::state::Server;
use crate::transports::answer::Pending;

/// Waits for a response. Input is kept as the next request. Once the client ends its direction of the
/// connection, the response is made at once; where the connection is broken, the error has no last response.
pub(super) async fn wait(
    io: &mut impl Io,
    mut pending: Pending,
    mut options: Options,
    ahead: &mut Buffer,
    server: &Server,
) -> Result<Encoded, Option<Problem>> {
    let mut has_ended = false;
    let response: Result<_, Option<Problem>> = poll_fn(|cx| {
        if let Poll::Ready(response) = pending.response.as_mut().poll(cx) {
            return Poll::Ready(Ok(response));
        }
        ready!(poll_ahead(cx, io, ahead))?;
        has_ended = true;
        pending.hurry.store(true, Ordering::Relaxed);
        pending.response.as_mut().poll(cx).map(Ok)
    })
    .await;
    options.closes |= has_ended || server.is_closing();
    Ok(Encoded::whole(response?, options))
}

/// Reads a bounded number of bytes ahead; ready once the client sends no more, or the connection is broken.
fn poll_ahead(cx: &mut Context<'_>, io: &mut impl Io, ahead: &mut Buffer) -> Poll<Result<(), Option<Problem>>> {
    while ahead.len() < READ_BYTES {
        let mut room = read_buffer();
        let mut read = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut *io).poll_read(cx, &mut read)).or(Err(None))?;
        if read.filled().is_empty() {
            return Poll::Ready(Ok(()));
        }
        ahead.extend(read.filled()).map_err(|error| Some(Problem::from(error).closing()))?;
    }
    Poll::Pending
}
