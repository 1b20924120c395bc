//! One HTTP connection, from its first byte to its last, and what it becomes on the way.
//!
//! A request is read and answered with one read and one write where all of it is there. An idle
//! connection and one that waits hold no buffer: there are thousands of them. Nothing is closed while the
//! client may still be sending, because the reset would overtake the answer (RFC 9112 §9.6). One that
//! sends much at once lets others have their turn in between.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use http::Method;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_util::sync::WaitForCancellationFuture;
use tracing::trace;

use super::answer::{Answer, Answering};
use super::chunked::{ChunkError, Chunks};
use super::head::{self, BodyLength, Parsed};
use super::problem::Problem;
use super::reply::{self, After, Manner, Reply};
use crate::limits;
use crate::memory::{Buffer, OutOfMemory};
use crate::net::write::{self, Link};
use crate::publish::Publication;
use crate::server::Server;
use crate::transports::websocket::Session;

/// Serves a connection until it is closed, as HTTP and then as what it was upgraded to.
pub(crate) async fn serve<IO>(mut io: IO, server: Arc<Server>)
where
    IO: AsyncRead + Link + Send + 'static,
{
    // What was read and not yet understood.
    let mut ahead = Buffer::new(&server.memory.incoming);
    let timer = pin!(sleep_until(Instant::now() + server.config.head_timeout));
    let closing = pin!(server.closing.cancelled());
    let mut wait = Wait { server: &server, due: Some(timer.deadline()), phase: Phase::Head, timer, closing };
    let mut together = 0;
    loop {
        let reply = match next(&mut io, &mut ahead, &mut wait).await {
            Next::Reply(reply) => reply,
            Next::Later(answering, manner) => {
                match boxed(|| later(&mut io, answering, manner, &mut ahead, &server)).await {
                    Ok(reply) => reply,
                    Err(last_word) => return boxed(|| close(io, last_word)).await,
                }
            }
            Next::Publish(publication, manner, body) => {
                match boxed(|| publish(&mut io, publication, manner, body, &mut ahead, &server)).await {
                    Some(reply) => reply,
                    None => return,
                }
            }
            Next::Upgrade(reply, session) => {
                if reply.write(&mut io, &server).await.is_ok() {
                    boxed(|| session.run(io, ahead, &server)).await;
                }
                return;
            }
            Next::End(last_word) => return boxed(|| close(io, last_word)).await,
        };
        match reply.write(&mut io, &server).await {
            Ok(After::GoOn) => {}
            Ok(After::Close) => return boxed(|| close(io, None)).await,
            Err(_) => return,
        }
        together = if ahead.is_empty() { 0 } else { together + 1 };
        if together == limits::TURNS {
            together = 0;
            yield_now().await;
        }
    }
}

/// What a connection does next.
enum Next {
    /// To write an answer.
    Reply(Reply),
    /// To wait for one.
    Later(Answering, Manner),
    /// To publish a body, most of which is still to come.
    Publish(Publication, Manner, Awaited),
    /// To speak another protocol.
    Upgrade(Reply, Box<Session>),
    /// To end, with or without a word.
    End(Option<Problem>),
}

/// A body that is to be read.
#[derive(Clone, Copy)]
struct Awaited {
    length: BodyLength,
    /// Whether the client waits for a word before it sends it.
    expects: bool,
}

/// Waits for the next request and answers it, as far as that can be done at once.
async fn next<IO: AsyncRead + Unpin>(io: &mut IO, ahead: &mut Buffer, wait: &mut Wait<'_, '_>) -> Next {
    if !ahead.is_empty() {
        if wait.server.is_closing() {
            return Next::End(None);
        }
        if let Some((next, taken)) = take(ahead, wait.server) {
            ahead.consume(taken);
            wait.rest();
            return next;
        }
    }
    poll_fn(|cx| {
        loop {
            // What comes is nearly always a whole request: it is read where it lies, and only the rest is kept.
            let mut room = reply::room();
            let mut read = ReadBuf::uninit(&mut room);
            match Pin::new(&mut *io).poll_read(cx, &mut read) {
                Poll::Ready(Ok(())) if !read.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(Next::End(None)),
                Poll::Pending => return wait.poll(cx, ahead.is_empty()).map(Next::End),
            }
            let next = match understand(read.filled(), ahead, wait.server) {
                Ok(next) => next,
                Err(error) => Some(Next::End(Some(Problem::from(error).closing()))),
            };
            if let Some(next) = next {
                wait.rest();
                return Poll::Ready(next);
            }
        }
    })
    .await
}

/// Takes a request off what was read before and now; what is left over is kept.
fn understand(read: &[u8], ahead: &mut Buffer, server: &Arc<Server>) -> Result<Option<Next>, OutOfMemory> {
    if ahead.is_empty() {
        let (next, taken) = take(read, server).map_or((None, 0), |(next, taken)| (Some(next), taken));
        ahead.extend(&read[taken..])?;
        return Ok(next);
    }
    ahead.extend(read)?;
    Ok(take(ahead, server).map(|(next, taken)| {
        ahead.consume(taken);
        next
    }))
}

/// Takes the request that the bytes begin with, where it is whole or can be answered before it is,
/// and says how many of them it was.
fn take(read: &[u8], server: &Arc<Server>) -> Option<(Next, usize)> {
    let mut room = head::room();
    let request = match head::parse(read, &mut room) {
        Parsed::Request(request) => request,
        Parsed::Partial => return None,
        Parsed::Refused(problem) => return Some((Next::End(Some(problem)), read.len())),
    };
    let (answer, origin) = super::answer(server, &request.head);
    let mut manner = Manner {
        origin,
        is_head: request.head.method == Method::HEAD,
        takes_chunks: request.head.takes_chunks,
        closes: request.closes || server.is_closing(),
    };
    let body = match request.body {
        BodyLength::Known(length) => read.get(request.length..request.length + length),
        BodyLength::Chunked => None,
    };
    let next = match (answer, body) {
        (Answer::Publish(publication), Some(body)) if publication.is_quick(body.len()) => {
            Next::Reply(Reply::new(publication.append(server, body), manner))
        }
        (Answer::Publish(publication), _) => {
            let body = Awaited { length: request.body, expects: request.expects };
            return Some((Next::Publish(publication, manner, body), request.length));
        }
        (answer, body) => {
            // The rest of a body is not waited for, nor taken for a request.
            manner.closes |= body.is_none();
            match answer {
                Answer::Now(response) => Next::Reply(Reply::new(response, manner)),
                Answer::Later(answering) => Next::Later(answering, manner),
                // A handshake has neither a body nor an end of the connection behind it.
                Answer::Upgrade(..) if manner.closes || body.is_none_or(|body| !body.is_empty()) => {
                    let problem = Problem::bad_request("a handshake is an HTTP/1.1 request without a body");
                    Next::Reply(Reply::new(problem.into_response(), manner))
                }
                Answer::Upgrade(response, session) => Next::Upgrade(Reply::new(response, manner), Box::new(session)),
                Answer::Publish(_) => return None,
            }
        }
    };
    Some((next, body.map_or(read.len(), |body| request.length + body.len())))
}

/// Waits for an answer. What the client sends meanwhile is the next request; where it has no more to
/// say it is answered at once, and where it is gone there is nobody to answer.
async fn later<IO>(
    io: &mut IO,
    mut answering: Answering,
    mut manner: Manner,
    ahead: &mut Buffer,
    server: &Server,
) -> Result<Reply, Option<Problem>>
where
    IO: AsyncRead + Unpin,
{
    let mut has_ended = false;
    let response = poll_fn(|cx| {
        if let Poll::Ready(response) = answering.answer.as_mut().poll(cx) {
            return Poll::Ready(Ok(response));
        }
        match poll_ahead(cx, io, ahead) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => {
                has_ended = true;
                answering.hurry.store(true, Ordering::Relaxed);
                answering.answer.as_mut().poll(cx).map(Ok)
            }
        }
    });
    let response = response.await?;
    manner.closes |= has_ended || server.is_closing();
    Ok(Reply::new(response, manner))
}

/// Reads ahead, but not far, until the client has no more to say. Where it is gone there is no
/// last word.
fn poll_ahead(
    cx: &mut Context<'_>,
    io: &mut (impl AsyncRead + Unpin),
    ahead: &mut Buffer,
) -> Poll<Result<(), Option<Problem>>> {
    while ahead.len() < reply::READ {
        let mut room = reply::room();
        let mut read = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut *io).poll_read(cx, &mut read)).or(Err(None))?;
        if read.filled().is_empty() {
            return Poll::Ready(Ok(()));
        }
        ahead.extend(read.filled()).map_err(|error| Some(Problem::from(error).closing()))?;
    }
    Poll::Pending
}

/// Why the body of a publish was not read.
enum BodyError {
    Refused(Problem),
    /// There is nobody to tell.
    Gone,
}

impl From<OutOfMemory> for BodyError {
    fn from(error: OutOfMemory) -> Self {
        Self::Refused(Problem::from(error).closing())
    }
}

/// Reads the body that is to be published, and publishes it; `None` where there is nobody to tell.
async fn publish<IO>(
    io: &mut IO,
    publication: Publication,
    mut manner: Manner,
    body: Awaited,
    ahead: &mut Buffer,
    server: &Server,
) -> Option<Reply>
where
    IO: AsyncRead + Link,
{
    let reading = async {
        if body.expects && ahead.is_empty() {
            write::all(io, &mut &b"HTTP/1.1 100 Continue\r\n\r\n"[..], server).await.or(Err(BodyError::Gone))?;
        }
        match body.length {
            BodyLength::Known(length) => read_known(io, length, ahead, server).await,
            BodyLength::Chunked => read_chunked(io, &publication, ahead, server).await,
        }
    };
    let response = match timeout(server.config.body_timeout, reading).await {
        Ok(Ok(mut content)) => publication.append_in_turns(server, content.take()).await,
        Ok(Err(BodyError::Refused(problem))) => problem.into_response(),
        Ok(Err(BodyError::Gone)) => return None,
        Err(_) => Problem::late("the body did not come in time").into_response(),
    };
    manner.closes |= server.is_closing();
    Some(Reply::new(response, manner))
}

/// What is read beyond the body stays in `ahead`.
async fn read_known(
    io: &mut (impl AsyncRead + Unpin),
    length: usize,
    ahead: &mut Buffer,
    server: &Server,
) -> Result<Buffer, BodyError> {
    let mut content = std::mem::replace(ahead, Buffer::new(&server.memory.incoming));
    while content.len() < length {
        read_more(io, length - content.len(), &mut content).await?;
    }
    ahead.extend(&content[length..])?;
    content.truncate(length);
    Ok(content)
}

async fn read_chunked(
    io: &mut (impl AsyncRead + Unpin),
    publication: &Publication,
    ahead: &mut Buffer,
    server: &Server,
) -> Result<Buffer, BodyError> {
    let (limit, mut content) = (publication.limit(), Buffer::new(&server.memory.incoming));
    let mut chunks = Chunks::new(limit);
    let refused = |error| match error {
        ChunkError::TooLong => BodyError::Refused(publication.too_long()),
        ChunkError::OutOfMemory(error) => error.into(),
        ChunkError::Malformed => BodyError::Refused(Problem::unreadable(&error)),
    };
    while !chunks.decode(ahead, &mut content, limit).map_err(refused)? {
        read_more(io, limits::HEAD_BYTES, ahead).await?;
    }
    Ok(content)
}

/// Reads what there is of a body, about so much of it at once.
async fn read_more(io: &mut (impl AsyncRead + Unpin), wanted: usize, ahead: &mut Buffer) -> Result<(), BodyError> {
    match ahead.read_from(io, wanted.min(limits::STREAM.bytes)).await? {
        Ok(1..) => Ok(()),
        Ok(0) => Err(BodyError::Refused(Problem::unreadable(&io::Error::from(io::ErrorKind::UnexpectedEof)))),
        Err(error) => Err(BodyError::Refused(Problem::unreadable(&error))),
    }
}

/// What a connection waits for when it waits for its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The rest of a request's head; of the first, also its beginning.
    Head,
    /// Another request.
    Idle,
}

/// The end of a client's patience, and the server's. The timer is not set anew for each request: it
/// is looked at again when it fires.
struct Wait<'a, 's> {
    server: &'s Arc<Server>,
    phase: Phase,
    /// When what is waited for is to be there, once somebody waits.
    due: Option<Instant>,
    timer: Pin<&'a mut Sleep>,
    closing: Pin<&'a mut WaitForCancellationFuture<'s>>,
}

impl Wait<'_, '_> {
    /// A request has come.
    const fn rest(&mut self) {
        self.phase = Phase::Idle;
        self.due = None;
    }

    /// Whether the connection is to end, and with what word. `is_idle` says that no request has begun.
    fn poll(&mut self, cx: &mut Context<'_>, is_idle: bool) -> Poll<Option<Problem>> {
        if self.closing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        if self.phase == Phase::Idle && !is_idle {
            (self.phase, self.due) = (Phase::Head, None);
        }
        let config = &self.server.config;
        let due = *self.due.get_or_insert_with(|| {
            Instant::now()
                + match self.phase {
                    Phase::Head => config.head_timeout,
                    Phase::Idle => config.keep_alive,
                }
        });
        if due < self.timer.deadline() {
            self.timer.as_mut().reset(due);
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if self.timer.deadline() >= due {
                break;
            }
            self.timer.as_mut().reset(due);
        }
        Poll::Ready(match self.phase {
            Phase::Head => Some(Problem::late("the head of the request did not come in time")),
            Phase::Idle => None,
        })
    }
}

/// Puts a future on the heap where it is made: a task then holds room for the part of its work
/// that it is in and not for all. A future that is boxed in an `async` block takes room there too.
pub(crate) fn boxed<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::pin(make())
}

/// Ends a connection so that all that was written arrives: says the last word, then that no more
/// will come, and reads for a moment what the other side still sends.
pub(crate) async fn close<IO: AsyncRead + AsyncWrite + Unpin>(mut io: IO, last_word: Option<Problem>) {
    let farewell = async {
        if let Some(problem) = last_word {
            io.write_all(&problem.to_wire()).await?;
        }
        io.shutdown().await?;
        poll_fn(|cx| poll_end(cx, &mut io, &mut 0)).await
    };
    // Whoever sends for longer than this has been heard enough, and an error is an end as well.
    if let Ok(Err(error)) = timeout(limits::LINGER, farewell).await {
        trace!(%error, "a connection broke while it was closed");
    }
}

/// Reads and forgets until the other side has no more to say. `heard` counts the bytes.
pub(crate) fn poll_end(
    cx: &mut Context<'_>,
    io: &mut (impl AsyncRead + Unpin),
    heard: &mut usize,
) -> Poll<io::Result<()>> {
    loop {
        let mut room = reply::room();
        let mut ignored = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut *io).poll_read(cx, &mut ignored))?;
        if ignored.filled().is_empty() {
            return Poll::Ready(Ok(()));
        }
        *heard += ignored.filled().len();
    }
}

#[cfg(test)]
mod tests;
