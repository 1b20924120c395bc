//! One HTTP connection, from its first byte to its last, and what it becomes on the way.
//!
//! A request that is plainly right is read and answered here, with one read and one write where all
//! of it is there; any other is hyper's, and the last of its connection. An idle connection and one
//! that waits hold no buffer: there are thousands of them. Nothing is closed while the client may
//! still be sending, because the reset would overtake the answer (RFC 9112 §9.6).

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use http::Method;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_util::sync::WaitForCancellationFuture;
use tracing::trace;

use super::answer::{Answer, Answering};
use super::exchange::exchange;
use super::head::{self, Parsed};
use super::problem::Problem;
use super::reply::{self, Manner, Reply, poll_gone};
use crate::limits;
use crate::publish::Publication;
use crate::server::Server;
use crate::transports::Upgrade;

/// Serves a connection until it is closed, as HTTP and then as what it was upgraded to.
pub(crate) async fn serve<IO>(mut io: IO, server: Arc<Server>)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // What was read and not yet understood.
    let mut ahead = BytesMut::new();
    let timer = pin!(sleep_until(Instant::now() + server.config.head_timeout));
    let closing = pin!(server.closing.cancelled());
    let mut wait = Wait { server: &server, due: Some(timer.deadline()), phase: Phase::Head, timer, closing };
    loop {
        let reply = match next(&mut io, &mut ahead, &mut wait).await {
            Next::Reply(reply) => reply,
            Next::Later(answering, manner) => match boxed(|| later(&mut io, answering, manner, &mut ahead)).await {
                Some(reply) => reply,
                None => return,
            },
            Next::Publish(publication, manner, length) => {
                boxed(|| publish(&mut io, publication, manner, length, &mut ahead, &server)).await
            }
            Next::Upgrade(reply, upgrade) => {
                if reply.write(&mut io, &mut ahead, &server).await.is_ok() {
                    boxed(|| upgrade.run(io, ahead.freeze(), Arc::clone(&server))).await;
                }
                return;
            }
            Next::Unusual => return boxed(|| exchange(io, ahead.freeze(), &server)).await,
            Next::End(last_word) => return boxed(|| close(io, last_word)).await,
        };
        let closes = reply.closes;
        if reply.write(&mut io, &mut ahead, &server).await.is_err() {
            return;
        }
        if closes {
            return boxed(|| close(io, None)).await;
        }
    }
}

/// What a connection does next.
enum Next {
    /// To write an answer.
    Reply(Reply),
    /// To wait for one.
    Later(Answering, Manner),
    /// To read a body of that length.
    Publish(Publication, Manner, usize),
    /// To speak another protocol.
    Upgrade(Reply, Box<Upgrade>),
    /// To leave the request to hyper.
    Unusual,
    /// To end, with or without a word.
    End(Option<Problem>),
}

/// Waits for the next request and answers it, as far as that can be done at once.
async fn next<IO: AsyncRead + Unpin>(io: &mut IO, ahead: &mut BytesMut, wait: &mut Wait<'_, '_>) -> Next {
    if !ahead.is_empty() && wait.server.closing.is_cancelled() {
        return Next::End(None);
    }
    if let Some((next, taken)) = take(ahead, wait.server) {
        *ahead = ahead[taken..].into();
        wait.rest();
        return next;
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
            let next = if ahead.is_empty() {
                let next = take(read.filled(), wait.server);
                let taken = next.as_ref().map_or(0, |(_, taken)| *taken);
                ahead.extend_from_slice(&read.filled()[taken..]);
                next
            } else {
                ahead.extend_from_slice(read.filled());
                let next = take(ahead, wait.server);
                if let Some((_, taken)) = next {
                    *ahead = ahead[taken..].into();
                }
                next
            };
            if let Some((next, _)) = next {
                wait.rest();
                return Poll::Ready(next);
            }
        }
    })
    .await
}

/// Takes the request that the bytes begin with, where it is whole or can be answered before it is,
/// and says how many of them it was.
fn take(read: &[u8], server: &Arc<Server>) -> Option<(Next, usize)> {
    let mut room = head::room();
    let plain = match head::parse(read, &mut room) {
        Parsed::Plain(plain) => plain,
        Parsed::Partial => return None,
        Parsed::Unusual => return Some((Next::Unusual, 0)),
    };
    let (answer, origin) = super::answer(server, &plain.head);
    let body = read.get(plain.length..plain.length + plain.body);
    let mut manner = Manner { origin, is_head: plain.head.method == Method::HEAD, closes: plain.closes };
    let (answer, taken) = match (answer, body) {
        (Answer::Publish(publication), Some(body)) => {
            (publication.append(server, body).into(), plain.length + plain.body)
        }
        (answer @ Answer::Publish(_), None) => (answer, plain.length),
        (answer, Some(_)) => (answer, plain.length + plain.body),
        (answer, None) => {
            // The rest of the body is not waited for, nor taken for a request.
            manner.closes = true;
            (answer, read.len())
        }
    };
    let length = plain.body;
    let next = match answer {
        Answer::Now(response) => Next::Reply(Reply::new(response, manner)),
        Answer::Later(answering) => Next::Later(answering, manner),
        Answer::Publish(publication) => Next::Publish(publication, manner, length),
        Answer::Upgrade(response, upgrade) => Next::Upgrade(Reply::new(response, manner), Box::new(upgrade)),
    };
    Some((next, taken))
}

/// Waits for an answer; `None` where the client is gone. What it sends meanwhile is the next request.
async fn later<IO>(io: &mut IO, answering: Answering, manner: Manner, ahead: &mut BytesMut) -> Option<Reply>
where
    IO: AsyncRead + Unpin,
{
    tokio::select! {
        biased;
        response = answering => Some(Reply::new(response, manner)),
        () = poll_fn(|cx| poll_gone(cx, io, ahead)) => None,
    }
}

/// Reads the body that is to be published, and publishes it.
async fn publish<IO>(
    io: &mut IO,
    publication: Publication,
    manner: Manner,
    length: usize,
    ahead: &mut BytesMut,
    server: &Server,
) -> Reply
where
    IO: AsyncRead + Unpin,
{
    ahead.reserve(length.saturating_sub(ahead.len()));
    let reading = async {
        while ahead.len() < length && io.read_buf(ahead).await? > 0 {}
        let is_whole = ahead.len() >= length;
        if is_whole { Ok(ahead.split_to(length)) } else { Err(io::Error::from(io::ErrorKind::UnexpectedEof)) }
    };
    let response = match timeout(server.config.body_timeout, reading).await {
        Ok(Ok(body)) => publication.append(server, &body),
        Ok(Err(error)) => Problem::unreadable(&error).into_response(),
        Err(_) => Problem::late("the body did not come in time").into_response(),
    };
    *ahead = ahead[..].into();
    Reply::new(response, manner)
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
        drain(&mut io).await;
        io::Result::Ok(())
    };
    // Whoever sends for longer than this has been heard enough, and an error is an end as well.
    if let Ok(Err(error)) = timeout(limits::LINGER, farewell).await {
        trace!(%error, "a connection broke while it was closed");
    }
}

/// Reads and forgets until the other side has no more to say.
pub(crate) async fn drain<IO: AsyncRead + Unpin>(io: &mut IO) {
    let mut ignored = [0; 256];
    while matches!(io.read(&mut ignored).await, Ok(1..)) {}
}

#[cfg(test)]
mod tests;
