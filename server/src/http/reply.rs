//! A response as bytes: head and body in one write where it is whole, chunk by chunk where not.
//!
//! What it begins with is made at once, so that nothing of a request or a response is held while
//! it is written. Sources: RFC 9110 §6.6.1, §8.6 and §9.3.2, RFC 9112 §6 and §7.1.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{Buf, Bytes, BytesMut};
use http::StatusCode;
use http::header::CONNECTION;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::body::Body;
use super::connection::boxed;
use super::origin::Origin;
use super::response::Response;
use crate::framing::chunk;
use crate::limits;
use crate::server::Server;
use crate::transports::Feed;
use crate::write::{self, Patience};

/// The longest body that is copied behind its head. Chosen here: about where a second vector costs
/// less than the copy.
const JOINED: usize = 4 << 10;

/// The most that is read at once where it is not known what comes.
const READ: usize = 4 << 10;

/// How the answer to a request is written, whatever it is.
#[derive(Debug)]
pub(super) struct Manner {
    pub(super) origin: Origin,
    /// Whether the client wants no more than the head.
    pub(super) is_head: bool,
    /// Whether the connection ends with it.
    pub(super) closes: bool,
}

/// A response that is ready to be written.
#[derive(Debug)]
pub(super) struct Reply {
    /// The head, and the body as far as it is short.
    first: Vec<u8>,
    rest: Body,
    /// Whether the connection ends with it.
    pub(super) closes: bool,
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
                field(&mut first, "transfer-encoding", b"chunked");
                first.extend_from_slice(b"\r\n\r\n");
                first.extend_from_slice(&feed.opening());
                Body::Stream(feed)
            }
        };
        Self { first, rest, closes }
    }

    /// Writes it all. What the client sends during a stream is kept in `ahead`.
    pub(super) async fn write<IO>(self, io: &mut IO, ahead: &mut BytesMut, server: &Server) -> io::Result<()>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        match self.rest {
            Body::Whole(bytes) if bytes.is_empty() => write::all(io, &mut &self.first[..], server).await,
            Body::Whole(bytes) => write::all(io, &mut Buf::chain(&self.first[..], bytes), server).await,
            Body::Stream(feed) => {
                write::all(io, &mut &self.first[..], server).await?;
                drop(self.first);
                boxed(|| stream(io, feed, ahead, server)).await
            }
        }
    }
}

/// Appends a field, with the end of the line before it.
fn field(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    head.extend_from_slice(b"\r\n");
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(b": ");
    head.extend_from_slice(value);
}

/// Writes each batch, which is a chunk, as it comes.
async fn stream<IO>(io: &mut IO, mut feed: Box<Feed>, ahead: &mut BytesMut, server: &Server) -> io::Result<()>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let (mut outgoing, mut patience, mut is_over) = (Bytes::new(), Patience::default(), false);
    poll_fn(|cx| {
        while patience.poll_write(cx, io, &mut outgoing, server)?.is_ready() {
            if is_over {
                return Poll::Ready(Ok(()));
            }
            match feed.poll_next(cx) {
                Poll::Ready(Some(batch)) => outgoing = batch,
                Poll::Ready(None) => (outgoing, is_over) = (Bytes::from_static(chunk::LAST), true),
                Poll::Pending => break,
            }
        }
        poll_gone(cx, io, ahead).map(|()| Err(io::ErrorKind::ConnectionReset.into()))
    })
    .await
}

/// Reads ahead, up to what a head may have, until there is nobody any more.
pub(super) fn poll_gone(cx: &mut Context<'_>, io: &mut (impl AsyncRead + Unpin), ahead: &mut BytesMut) -> Poll<()> {
    while ahead.len() < limits::HEAD_BYTES {
        if !matches!(ready!(poll_read(io, cx, ahead)), Ok(1..)) {
            return Poll::Ready(());
        }
    }
    Poll::Pending
}

/// Reads what there is. Whoever waits for it holds no buffer.
fn poll_read(io: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>, ahead: &mut BytesMut) -> Poll<io::Result<usize>> {
    let mut room = room();
    let mut read = ReadBuf::uninit(&mut room);
    ready!(Pin::new(io).poll_read(cx, &mut read))?;
    ahead.extend_from_slice(read.filled());
    Poll::Ready(Ok(read.filled().len()))
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
