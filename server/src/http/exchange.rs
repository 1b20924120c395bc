//! Requests and answers by hyper, as long as each answer is there at once.
//!
//! A head that does not come is answered 408, one that cannot be read 400 or 431, all as problems.
//! A connection leaves hyper when it is upgraded, when the answer to a `GET` is one to be waited for
//! or streamed, and when it has been idle for a moment.

use std::convert::Infallible;
use std::fmt;
use std::future::{Future, pending, poll_fn, ready};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONNECTION;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};

use super::body::Body;
use super::problem::Problem;
use super::wire::Wire;
use crate::limits;
use crate::server::Server;
use crate::transports::Upgrade;

/// An answer that is being made.
pub(super) type Answering = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// What is left to do when hyper has let go of a connection.
pub(super) enum After {
    /// To wait for the next request.
    Idle,
    /// To wait for an answer and to write it.
    Answer(Answering),
    /// To speak another protocol.
    Upgrade(Upgrade),
    /// To end the connection.
    Close,
    /// To say why a request was not read, and to end the connection.
    Refusal(Problem),
    /// The connection is broken.
    Nothing,
}

/// How soon a client asks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// It has not asked before, or not lately.
    Unknown,
    /// So soon that its connection may wait for it in hyper.
    Brisk,
}

impl Pace {
    /// The pace of one who was idle for so long.
    pub(super) fn after(idle: Duration) -> Self {
        if idle < limits::WAITING_IN_HYPER { Self::Brisk } else { Self::Unknown }
    }
}

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

/// Why a connection leaves hyper.
enum Leave {
    Answer(Answering),
    Upgrade(Upgrade),
}

/// The state of a connection that the socket below hyper and the service above it share.
pub(crate) struct Line {
    phase: AtomicU8,
    /// Whether the request under way, or the last, leaves hyper with nothing to read after it.
    is_plain: AtomicBool,
    /// Whether the socket did not take all of hyper's last write.
    owes: AtomicBool,
    leave: Mutex<Option<Leave>>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("phase", &self.phase()).finish_non_exhaustive()
    }
}

impl Line {
    const fn new() -> Self {
        Self {
            phase: AtomicU8::new(Phase::Head as u8),
            is_plain: AtomicBool::new(false),
            owes: AtomicBool::new(false),
            leave: Mutex::new(None),
        }
    }

    /// Says what the connection becomes once its 101 is sent.
    pub(crate) fn upgrade(&self, upgrade: Upgrade) {
        self.leave(Leave::Upgrade(upgrade));
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

    /// Notes whether bytes of hyper's wait for the socket.
    pub(super) fn owes(&self, owes: bool) {
        self.owes.store(owes, Ordering::Relaxed);
    }

    /// Whether the connection may be taken from hyper: nothing is left to read of its request, and
    /// nothing to write of its answer.
    fn may_leave(&self) -> bool {
        self.is_plain.load(Ordering::Relaxed) && !self.owes.load(Ordering::Relaxed)
    }

    fn leave(&self, leave: Leave) {
        *self.leave.lock().unwrap_or_else(PoisonError::into_inner) = Some(leave);
    }

    fn take_leave(&self) -> Option<Leave> {
        self.leave.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The answer to leave with, where there is one. An upgrade leaves when hyper is done.
    fn take_answer(&self) -> Option<Answering> {
        let mut leave = self.leave.lock().unwrap_or_else(PoisonError::into_inner);
        match leave.take() {
            Some(Leave::Answer(answering)) => Some(answering),
            other @ (Some(Leave::Upgrade(_)) | None) => {
                *leave = other;
                None
            }
        }
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
        line.is_plain.store(is_plain(&request), Ordering::Relaxed);
        Box::pin(async move {
            let answering = answering(server, Arc::clone(&line), request);
            let mut response = at_once(answering, &line).await;
            response.body_mut().hold(line);
            Ok(response)
        })
    }
}

/// Whether a request is one that need not be hyper's to answer: without a body, on a connection
/// that stays.
fn is_plain(request: &Request<Incoming>) -> bool {
    let stays = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"keep-alive");
    request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && request.body().is_end_stream()
        && request.headers().get_all(CONNECTION).iter().all(stays)
}

fn answering(server: Arc<Server>, line: Arc<Line>, request: Request<Incoming>) -> Answering {
    Box::pin(async move { super::answer(&server, &line, request).await })
}

/// The answer where it is there at once. Where it is not, or goes on and on, it is taken out of
/// hyper's hands, if the request is as plain as that asks and hyper owes the socket nothing: the
/// connection is then taken from under this future, which never resolves.
async fn at_once(mut answering: Answering, line: &Line) -> Response<Body> {
    let first = poll_fn(|cx| Poll::Ready(answering.as_mut().poll(cx))).await;
    let may_leave = line.may_leave();
    let leaving = match first {
        Poll::Ready(response) if !(may_leave && response.body().is_stream()) => return response,
        Poll::Ready(response) => Box::pin(ready(response)),
        Poll::Pending if may_leave => answering,
        Poll::Pending => return answering.await,
    };
    line.leave(Leave::Answer(leaving));
    pending().await
}

/// Answers requests until hyper has to let go. `begun` was read before.
pub(super) async fn exchange<IO>(io: IO, begun: Bytes, pace: Pace, server: &Arc<Server>) -> (IO, Bytes, After)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let line = Arc::new(Line::new());
    let requests = Requests { server: Arc::clone(server), line: Arc::clone(&line) };
    let wire = TokioIo::new(Wire::new(io, begun, Arc::clone(&line)));
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
        if let Some(answering) = line.take_answer() {
            return Poll::Ready(After::Answer(answering));
        }
        let phase = line.phase();
        if phase != armed {
            armed = phase;
            if let Some(allowed) = allowance(phase, &line, server) {
                deadline.as_mut().reset(Instant::now() + allowed);
            }
        }
        match phase {
            Phase::Answer => Poll::Pending,
            Phase::Head | Phase::Idle if is_closing => Poll::Ready(After::Close),
            Phase::Head => deadline.as_mut().poll(cx).map(|()| too_slow()),
            Phase::Idle if line.may_leave() && pace == Pace::Unknown => Poll::Ready(After::Idle),
            Phase::Idle => {
                deadline.as_mut().poll(cx).map(|()| if line.may_leave() { After::Idle } else { After::Close })
            }
        }
    })
    .await;

    let parts = connection.into_parts();
    let after = match (after, line.take_leave()) {
        (After::Close, Some(Leave::Upgrade(upgrade))) => After::Upgrade(upgrade),
        (after, _) => after,
    };
    (parts.io.into_inner().into_inner(), parts.read_buf, after)
}

/// How long a connection may stay in a phase.
fn allowance(phase: Phase, line: &Line, server: &Server) -> Option<Duration> {
    match phase {
        Phase::Head => Some(server.config.head_timeout),
        Phase::Answer => None,
        Phase::Idle if line.may_leave() => Some(limits::WAITING_IN_HYPER.min(server.config.keep_alive)),
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
