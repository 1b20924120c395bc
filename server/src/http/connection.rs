//! One HTTP connection, from its first byte to its last: hyper drives the requests, and what
//! hyper does not do is done here.
//!
//! A head that does not come is answered 408, one that cannot be read 400 or 431, all as problems.
//! A connection that is upgraded leaves hyper and its buffers behind. Nothing is closed while the
//! client may still be sending, because the reset would overtake the answer (RFC 9112 §9.6).

use std::convert::Infallible;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::trace;

use super::body::Body;
use super::problem::Problem;
use super::wire::Wire;
use crate::limits;
use crate::server::Server;
use crate::transports::Upgrade;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// The rest of a request's head.
    Head,
    /// Its own answer.
    Answer,
    /// Another request, or the end.
    Idle,
}

/// The state of a connection that the socket below hyper and the service above it share.
pub(crate) struct Line {
    phase: AtomicU8,
    upgrade: Mutex<Option<Upgrade>>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("phase", &self.phase()).finish_non_exhaustive()
    }
}

impl Line {
    const fn new() -> Self {
        Self { phase: AtomicU8::new(Phase::Head as u8), upgrade: Mutex::new(None) }
    }

    /// Says what the connection becomes once its 101 is sent.
    pub(crate) fn upgrade(&self, upgrade: Upgrade) {
        *self.upgrade.lock().unwrap_or_else(PoisonError::into_inner) = Some(upgrade);
    }

    /// Bytes came in: where the connection was idle, a head has begun.
    pub(super) fn received(&self) {
        if self.phase() == Phase::Idle {
            self.enter(Phase::Head);
        }
    }

    /// A response was sent, or given up.
    pub(super) fn answered(&self) {
        self.enter(Phase::Idle);
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            phase if phase == Phase::Head as u8 => Phase::Head,
            phase if phase == Phase::Answer as u8 => Phase::Answer,
            _ => Phase::Idle,
        }
    }
}

/// Hands each request to the routes.
struct Requests {
    server: Arc<Server>,
    line: Arc<Line>,
}

impl Service<Request<Incoming>> for Requests {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (server, line) = (Arc::clone(&self.server), Arc::clone(&self.line));
        line.enter(Phase::Answer);
        Box::pin(async move {
            let mut response = super::answer(&server, &line, request).await;
            response.body_mut().hold(line);
            Ok(response)
        })
    }
}

/// Serves a connection until it is closed, as HTTP and then as what it was upgraded to.
pub(crate) async fn serve<IO>(io: IO, server: Arc<Server>)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (io, after) = boxed(|| exchange(io, &server)).await;
    match after {
        After::Upgrade(upgrade, read) => boxed(|| upgrade.run(io, read, server)).await,
        After::Close => boxed(|| close(io, None)).await,
        After::Refusal(problem) => boxed(|| close(io, Some(problem))).await,
        After::Nothing => {}
    }
}

/// Puts a future on the heap where it is made: a task then holds room for the part of its work
/// that it is in and not for all. A future that is boxed in an `async` block takes room there too.
pub(crate) fn boxed<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::pin(make())
}

/// What is left to do once HTTP is over.
enum After {
    /// To speak another protocol, of which this was already read.
    Upgrade(Upgrade, Bytes),
    /// To end the connection.
    Close,
    /// To say why a request was not read, and to end the connection.
    Refusal(Problem),
    /// The connection is broken.
    Nothing,
}

/// Answers requests until the last.
async fn exchange<IO>(io: IO, server: &Arc<Server>) -> (IO, After)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let line = Arc::new(Line::new());
    let requests = Requests { server: Arc::clone(server), line: Arc::clone(&line) };
    let wire = TokioIo::new(Wire::new(io, Arc::clone(&line)));
    let mut connection = http1::Builder::new().max_buf_size(limits::HEAD_BYTES).serve_connection(wire, requests);

    let mut closing = pin!(server.closing.cancelled());
    let mut is_closing = false;
    let mut armed = Phase::Head;
    let mut deadline = pin!(sleep_until(Instant::now() + server.config.head_timeout));
    let after = poll_fn(|cx| {
        if !is_closing && closing.as_mut().poll(cx).is_ready() {
            is_closing = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        if let Poll::Ready(result) = connection.poll_without_shutdown(cx) {
            return Poll::Ready(result.map_or_else(|error| broken_off(&error), |()| After::Close));
        }
        let phase = line.phase();
        if phase != armed {
            armed = phase;
            if let Some(allowed) = allowance(phase, server) {
                deadline.as_mut().reset(Instant::now() + allowed);
            }
        }
        match phase {
            Phase::Answer => Poll::Pending,
            Phase::Head | Phase::Idle if is_closing => Poll::Ready(After::Close),
            Phase::Head => deadline.as_mut().poll(cx).map(|()| too_slow()),
            Phase::Idle => deadline.as_mut().poll(cx).map(|()| After::Close),
        }
    })
    .await;

    let parts = connection.into_parts();
    let upgrade = line.upgrade.lock().unwrap_or_else(PoisonError::into_inner).take();
    let after = match (after, upgrade) {
        (After::Close, Some(upgrade)) => After::Upgrade(upgrade, parts.read_buf),
        (after, _) => after,
    };
    (parts.io.into_inner().into_inner(), after)
}

/// How long a connection may stay in a phase.
fn allowance(phase: Phase, server: &Server) -> Option<Duration> {
    match phase {
        Phase::Head => Some(server.config.head_timeout),
        Phase::Answer => None,
        Phase::Idle => Some(server.config.keep_alive),
    }
}

fn too_slow() -> After {
    After::Refusal(Problem::new(StatusCode::REQUEST_TIMEOUT, "the head of the request did not come in time"))
}

/// What to do about an error of hyper's. Its own answer, if it made one, was kept back.
fn broken_off(error: &hyper::Error) -> After {
    if error.is_parse_too_large() {
        let detail = format!("the head of a request is at most {} bytes and 100 fields", limits::HEAD_BYTES);
        After::Refusal(Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail))
    } else if error.is_parse() {
        After::Refusal(Problem::bad_request(format!("this is not HTTP/1.1: {error}")))
    } else {
        After::Nothing
    }
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
