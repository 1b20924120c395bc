//! One stream of an HTTP/2 connection as a connection of its own, so that the transports write it as they write a
//! socket. Source: RFC 9113 §5.2 and §6.9.
//!
//! Bytes are handed to HTTP/2 as far as the client's windows allow, without a copy: what a slow client leaves keeps
//! its lease. A `GET` ends its direction at once, which says nothing about its client: the end of such a stream is its
//! reset, and nothing else of it is read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use h2::{Reason, RecvStream, SendStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::carrier::Reception;
use crate::limits;
use crate::net::{Io, Progress};

/// One stream of a connection.
pub(super) struct Http2Stream<'a> {
    send: SendStream<Bytes>,
    reception: &'a dyn Reception,
    /// In a tunnel (RFC 8441), whose end is the end of the client's direction.
    receive: Option<RecvStream>,
    /// The rest of a frame that did not fit into a read.
    rest: Bytes,
    /// Whether the end of what is written is the end of the stream, in the same frame.
    is_whole: bool,
}

impl<'a> Http2Stream<'a> {
    /// The body of an answer, all of which is written at once.
    pub(super) const fn whole(send: SendStream<Bytes>, reception: &'a dyn Reception) -> Self {
        Self { send, reception, receive: None, rest: Bytes::new(), is_whole: true }
    }

    /// A response that goes on until either side ends it.
    pub(super) const fn response(send: SendStream<Bytes>, reception: &'a dyn Reception) -> Self {
        Self { send, reception, receive: None, rest: Bytes::new(), is_whole: false }
    }

    /// A tunnel in both directions.
    pub(super) const fn tunnel(send: SendStream<Bytes>, receive: RecvStream, reception: &'a dyn Reception) -> Self {
        Self { send, reception, receive: Some(receive), rest: Bytes::new(), is_whole: false }
    }

    /// Ends the stream.
    pub(super) fn end(mut self) -> Result<(), h2::Error> {
        self.send.send_data(Bytes::new(), true)
    }

    /// How many bytes the client's windows take now, at most `wanted`.
    fn poll_room(&mut self, cx: &mut Context<'_>, wanted: usize) -> Poll<io::Result<usize>> {
        self.send.reserve_capacity(wanted.min(limits::STREAM_BYTES));
        while self.send.capacity() == 0 {
            match ready!(self.send.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
        Poll::Ready(Ok(self.send.capacity().min(wanted)))
    }

    fn poll_read_frame(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let Some(receive) = &mut self.receive else {
            let reset = ready!(self.send.poll_reset(cx));
            return Poll::Ready(Err(reset.map_or_else(broken, |reason| broken(reason.into()))));
        };
        loop {
            match ready!(receive.poll_data(cx)) {
                Some(Ok(data)) if data.is_empty() => {}
                Some(Ok(data)) => {
                    receive.flow_control().release_capacity(data.len()).map_err(broken)?;
                    return Poll::Ready(Ok(data));
                }
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
                None => return Poll::Ready(Ok(Bytes::new())),
            }
        }
    }
}

/// An error of HTTP/2 as one of a connection.
pub(super) fn broken(error: h2::Error) -> io::Error {
    if error.is_io() {
        return error.into_io().unwrap_or_else(|| io::ErrorKind::ConnectionReset.into());
    }
    let kind = if error.reason() == Some(Reason::CANCEL) {
        io::ErrorKind::ConnectionReset
    } else {
        io::ErrorKind::ConnectionAborted
    };
    io::Error::new(kind, error)
}

impl Io for Http2Stream<'_> {
    fn progress(&self) -> Option<Progress> {
        self.reception.progress_of_stream()
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, buf: &mut impl Buf) -> Poll<io::Result<usize>> {
        let room = ready!(self.poll_room(cx, buf.remaining()))?;
        let is_last = self.is_whole && room == buf.remaining();
        self.send.send_data(buf.copy_to_bytes(room), is_last).map_err(broken)?;
        Poll::Ready(Ok(room))
    }
}

impl AsyncRead for Http2Stream<'_> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.rest.is_empty() {
            self.rest = ready!(self.poll_read_frame(cx))?;
        }
        let length = self.rest.len().min(buf.remaining());
        buf.put_slice(&self.rest.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Http2Stream<'_> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, mut buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send(cx, &mut buf)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The connection writes frames by itself.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.send.send_data(Bytes::new(), true).map_err(broken))
    }
}
