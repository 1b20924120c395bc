//! One stream of an HTTP/2 connection as a connection of its own, so that the transports write it as they write a
//! socket. Source: RFC 9113 §5.2 and §6.9.
//!
//! Bytes are handed to HTTP/2 as far as the client's windows allow, without a copy: what a slow client leaves keeps
//! its lease. A `GET` ends its direction at once, which says nothing about its client: the end of such a stream is its
//! reset, and nothing else of it is read.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use h2::{Reason, RecvStream, SendStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::carrier::Reception;
use super::piece::{Marks, Piece};
use crate::limits;
use crate::net::{Io, Progress};

/// One stream of a connection.
pub(super) struct Http2Stream<'a> {
    send: SendStream<Piece>,
    reception: &'a dyn Reception,
    marks: Marks,
    /// How many bytes of the connection the client must have received to have all of this stream's. Noted when the
    /// stream waits and all of its bytes are written.
    due: Cell<Option<u64>>,
    /// In a tunnel (RFC 8441), whose end is the end of the client's direction.
    receive: Option<RecvStream>,
    /// The rest of a frame that did not fit into a read.
    rest: Bytes,
    /// Whether the end of what is written is the end of the stream, in the same frame.
    is_whole: bool,
}

impl<'a> Http2Stream<'a> {
    /// The body of an answer, all of which is written at once.
    pub(super) fn whole(send: SendStream<Piece>, reception: &'a dyn Reception) -> Self {
        Self { is_whole: true, ..Self::response(send, reception) }
    }

    /// A response that goes on until either side ends it.
    pub(super) fn response(send: SendStream<Piece>, reception: &'a dyn Reception) -> Self {
        let (marks, due) = (Marks::default(), Cell::new(None));
        Self { send, reception, marks, due, receive: None, rest: Bytes::new(), is_whole: false }
    }

    /// A tunnel in both directions.
    pub(super) fn tunnel(send: SendStream<Piece>, receive: RecvStream, reception: &'a dyn Reception) -> Self {
        Self { receive: Some(receive), ..Self::response(send, reception) }
    }

    /// Ends the stream.
    pub(super) fn end(mut self) -> Result<(), h2::Error> {
        self.send.send_data(self.marks.piece(Bytes::new()), true)
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
    /// A stream with bytes left to write waits for the network, and moves as the connection moves. Once the client has
    /// all of them, the stream waits for the window of its own that the client gives it: what other streams write counts no more.
    fn progress(&self) -> Option<Progress> {
        let all = self.reception.progress()?;
        if self.marks.are_unwritten() {
            self.due.set(None);
            return Some(Progress { acknowledged: all.acknowledged, under_way: all.under_way.max(1) });
        }
        let due = self.due.get().unwrap_or(all.acknowledged + all.under_way);
        self.due.set(Some(due));
        let acknowledged = all.acknowledged.min(due);
        Some(Progress { acknowledged, under_way: due - acknowledged })
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, buf: &mut impl Buf) -> Poll<io::Result<usize>> {
        let room = ready!(self.poll_room(cx, buf.remaining()))?;
        let is_last = self.is_whole && room == buf.remaining();
        self.send.send_data(self.marks.piece(buf.copy_to_bytes(room)), is_last).map_err(broken)?;
        self.due.set(None);
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
        let nothing = self.marks.piece(Bytes::new());
        Poll::Ready(self.send.send_data(nothing, true).map_err(broken))
    }
}
