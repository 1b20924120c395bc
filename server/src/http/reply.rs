//! A response as bytes: head and body in one write where it is whole, chunk by chunk where not.
//!
//! What it begins with is made at once, so that nothing of a request or a response is held while
//! it is written. Sources: RFC 9110 §6.6.1, §8.6 and §9.3.2, RFC 9112 §6 and §7.1.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::task::{Poll, ready};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{Buf, Bytes};
use http::StatusCode;
use http::header::CONNECTION;
use tokio::io::AsyncRead;
use tokio::task::yield_now;

use super::body::Body;
use super::connection::{boxed, poll_end};
use super::origin::Origin;
use super::response::Response;
use crate::limits;
use crate::net::write::{self, Link, Patience};
use crate::server::Server;
use crate::transports::{Feed, Piece};

/// The longest body that is copied behind its head. Chosen here: about where a second vector costs
/// less than the copy.
const JOINED: usize = 4 << 10;

/// The most that is read at once where it is not known what comes.
pub(super) const READ: usize = 4 << 10;

/// How the answer to a request is written, whatever it is.
#[derive(Debug)]
pub(super) struct Manner {
    pub(super) origin: Origin,
    /// Whether the client wants no more than the head.
    pub(super) is_head: bool,
    /// Whether the client understands chunks. Where it does not, a stream ends with the connection.
    pub(super) takes_chunks: bool,
    /// Whether the connection ends with it.
    pub(super) closes: bool,
}

/// A response that is ready to be written.
#[derive(Debug)]
pub(super) struct Reply {
    /// The head, and the body as far as it is short.
    first: Vec<u8>,
    rest: Body,
    closes: bool,
}

/// What becomes of a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Another request may come.
    GoOn,
    /// It ends.
    Close,
}

impl Reply {
    pub(super) fn new(response: Response, manner: Manner) -> Self {
        let Response { status, fields, body } = manner.origin.mark(response);
        let is_bodiless = status == StatusCode::NO_CONTENT || status.is_informational();
        let mut first = Vec::with_capacity(256);
        first.extend_from_slice(b"HTTP/1.1 ");
        first.extend_from_slice(status.as_str().as_bytes());
        first.push(b' ');
        first.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
        let mut has_said = false;
        for (name, value) in &fields {
            field(&mut first, name.as_str(), value.as_bytes());
            has_said |= *name == CONNECTION && value == "close";
        }
        let closes = manner.closes || has_said;
        if manner.closes && !has_said {
            field(&mut first, "connection", b"close");
        }
        field(&mut first, "cache-control", b"no-store");
        DATE.with_borrow_mut(|date| field(&mut first, "date", date.now()));
        let rest = match body {
            Body::Whole(bytes) => {
                // What the head of a stream stands for has no length.
                let has_no_length = manner.is_head && bytes.is_empty();
                if !is_bodiless && !has_no_length {
                    field(&mut first, "content-length", itoa::Buffer::new().format(bytes.len()).as_bytes());
                }
                first.extend_from_slice(b"\r\n\r\n");
                if manner.is_head {
                    Body::empty()
                } else if bytes.len() <= JOINED {
                    first.extend_from_slice(&bytes);
                    Body::empty()
                } else {
                    Body::Whole(bytes)
                }
            }
            Body::Stream(mut feed) => {
                if manner.takes_chunks {
                    field(&mut first, "transfer-encoding", b"chunked");
                }
                first.extend_from_slice(b"\r\n\r\n");
                first.extend_from_slice(&feed.opening());
                Body::Stream(feed)
            }
        };
        Self { first, rest, closes }
    }

    /// Writes it all. What the client sends during a stream is forgotten, and is the end of the
    /// connection with it.
    pub(super) async fn write<IO>(self, io: &mut IO, server: &Server) -> io::Result<After>
    where
        IO: AsyncRead + Link,
    {
        let heard = match self.rest {
            Body::Whole(bytes) if bytes.is_empty() => {
                write::all(io, &mut &self.first[..], server).await?;
                0
            }
            Body::Whole(bytes) => {
                write::all(io, &mut Buf::chain(&self.first[..], bytes), server).await?;
                0
            }
            Body::Stream(feed) => {
                write::all(io, &mut &self.first[..], server).await?;
                drop(self.first);
                boxed(|| stream(io, feed, server)).await?
            }
        };
        Ok(if self.closes || heard > 0 { After::Close } else { After::GoOn })
    }
}

/// Appends a field, with the end of the line before it.
fn field(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    head.extend_from_slice(b"\r\n");
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(b": ");
    head.extend_from_slice(value);
}

/// Writes each batch as it comes. A client that has no more to say has the end of the stream: it may
/// have closed its half of the connection, or all of it. Gives back how many bytes it said meanwhile.
async fn stream<IO>(io: &mut IO, mut feed: Box<Feed>, server: &Server) -> io::Result<usize>
where
    IO: AsyncRead + Link,
{
    let (mut outgoing, mut patience, mut is_over) = (Bytes::new(), Patience::default(), false);
    let mut heard = 0;
    loop {
        let turn = poll_fn(|cx| {
            for _ in 0..limits::TURNS {
                if patience.poll_write(cx, io, &mut outgoing, server)?.is_pending() {
                    return poll_end(cx, io, &mut heard)
                        .map(|ended| ended.and(Err(io::ErrorKind::ConnectionReset.into())));
                }
                if is_over {
                    return Poll::Ready(Ok(true));
                }
                match feed.poll_next(cx) {
                    Poll::Ready(Piece::Batch(batch)) => outgoing = batch,
                    Poll::Ready(Piece::Heartbeat(heartbeat)) => {
                        patience.check(io, server)?;
                        outgoing = heartbeat;
                    }
                    Poll::Ready(Piece::End) => (outgoing, is_over) = (feed.ending(), true),
                    Poll::Pending => {
                        ready!(poll_end(cx, io, &mut heard))?;
                        (outgoing, is_over) = (feed.ending(), true);
                    }
                }
            }
            Poll::Ready(Ok(false))
        });
        if turn.await? {
            return Ok(heard);
        }
        yield_now().await;
    }
}

/// Room to read into, on the stack.
pub(super) const fn room() -> [MaybeUninit<u8>; READ] {
    [const { MaybeUninit::uninit() }; READ]
}

thread_local! {
    static DATE: RefCell<Date> = const { RefCell::new(Date { second: 0, text: String::new() }) };
}

/// The time of day as every response has it, written anew once a second.
struct Date {
    second: u64,
    text: String,
}

impl Date {
    #[expect(clippy::disallowed_methods, reason = "a clock for people, which no measurement reads")]
    fn now(&mut self) -> &[u8] {
        let now = SystemTime::now();
        let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if second != self.second || self.text.is_empty() {
            *self = Self { second, text: httpdate::fmt_http_date(now) };
        }
        self.text.as_bytes()
    }
}
