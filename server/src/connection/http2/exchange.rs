//! One request over HTTP/2 and its answer.
//!
//! A request is the same as over HTTP/1.1: the router is given its fields, and its answer is written to the stream.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::task::{Poll, ready};

use bytes::Bytes;
use h2::ext::Protocol;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::header::HOST;
use http::request::Parts;
use http::{Method, Request, StatusCode};
use httparse::Header;
use tokio::time::timeout;

use super::carrier::Reception;
use super::piece::Piece;
use super::stream::Http2Stream;
use crate::http::{Head, Origin, Problem, Response, Version, http2_response};
use crate::limits;
use crate::memory::{self, Buffer};
use crate::net::{boxed, write_all};
use crate::publish::Publication;
use crate::router;
use crate::state::Server;
use crate::transports::answer::{Answer, Joined, Joining, Pending};
use crate::transports::stream::{self, Feed};
use crate::transports::websocket::{self, Session};

/// Answers one request; a client that is gone needs no answer.
pub(super) async fn answer(
    request: Request<RecvStream>,
    mut respond: SendResponse<Piece>,
    server: &Arc<Server>,
    reception: &dyn Reception,
) {
    let Some(_lease) = server.memory.connections.lease(memory::STREAM) else {
        return respond.send_reset(Reason::REFUSED_STREAM);
    };
    let (parts, body) = request.into_parts();
    let (mut answer, mut origin) = route(&parts, server, None);
    // A body that is kept and not read takes the window of the connection, and so stops its other streams.
    let is_read = parts.method == Method::CONNECT || matches!(answer, Answer::Publish(_));
    let mut body = Some(body).filter(|_| is_read);
    let mut ahead = Buffer::new(&server.memory.incoming);
    if let Answer::Join(joining) = answer {
        let Some(joined) = boxed(|| join(joining, body.as_mut(), &mut ahead)).await else {
            return respond.send_reset(Reason::ENHANCE_YOUR_CALM);
        };
        (answer, origin) = route(&parts, server, Some(joined));
    }
    let body = body.filter(|_| matches!(answer, Answer::Publish(_) | Answer::Upgrade(..)));
    let mut reply = Reply { respond, origin, is_head: parts.method == Method::HEAD, reception };
    drop(parts);
    // A stream that is dropped before its end is reset, which tells the client that it is not whole.
    let _gone = match (answer, body) {
        (Answer::Now(response), _) => reply.whole(response, server).await,
        (Answer::Stream(response, feed), _) => boxed(|| reply.stream(response, feed, server)).await,
        (Answer::Later(pending), _) => boxed(|| reply.later(pending, server)).await,
        (Answer::Publish(publication), Some(body)) => boxed(|| reply.publish(publication, body, server)).await,
        (Answer::Upgrade(response, session), Some(body)) => {
            boxed(|| reply.tunnel(response, session, body, ahead, server)).await
        }
        // Nothing is asked for twice, and what is to be read is there.
        (Answer::Join(_) | Answer::Publish(_) | Answer::Upgrade(..), _) => Err(Gone),
    };
}

/// Waits for a subscriber, and keeps `ahead` what a client sends before the answer to its CONNECT: unread, the bytes would take
/// the window of the connection from the other streams. `None` where the client is gone or sends too much.
pub(super) async fn join(
    mut joining: Joining,
    mut body: Option<&mut RecvStream>,
    ahead: &mut Buffer,
) -> Option<Joined> {
    loop {
        let more = async {
            match &mut body {
                Some(body) => body.data().await,
                None => pending().await,
            }
        };
        let data = tokio::select! {
            biased;
            joined = &mut joining => return Some(joined),
            data = more => data,
        };
        match (data, &mut body) {
            (Some(data), Some(body)) => {
                let data = data.ok().filter(|data| ahead.len() + data.len() <= limits::STREAM_BYTES)?;
                ahead.extend(&data).ok()?;
                body.flow_control().release_capacity(data.len()).ok()?;
            }
            (Some(_) | None, _) => body = None,
        }
    }
}

fn route(parts: &Parts, server: &Arc<Server>, joined: Option<Joined>) -> (Answer, Origin) {
    let refused = |problem: Problem| (Answer::Now(problem.into_response()), Origin::None);
    if parts.headers.len() > limits::HEAD_FIELDS {
        let detail = format!("the head of a request has at most {} fields", limits::HEAD_FIELDS);
        return refused(Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail));
    }
    let fields: Vec<Header<'_>> =
        parts.headers.iter().map(|(name, value)| Header { name: name.as_str(), value: value.as_bytes() }).collect();
    let named = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = parts.uri.authority().map(|authority| authority.as_str()).or(named).unwrap_or_default();
    let asks_for_websocket = parts.extensions.get::<Protocol>().is_some_and(|it| it.as_str() == "websocket");
    let (method, version) = match (parts.method == Method::CONNECT, asks_for_websocket) {
        (false, _) => (parts.method.clone(), Version::Two),
        // A WebSocket is asked for by GET over HTTP/1.1 (RFC 8441 §5).
        (true, true) => (Method::GET, Version::TwoTunnel),
        (true, false) => {
            let detail = "CONNECT asks for a WebSocket, with `:protocol` (RFC 8441)";
            return refused(Problem::new(StatusCode::NOT_IMPLEMENTED, detail));
        }
    };
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    router::answer(server, &Head { method, path, query, host, version, fields: &fields }, joined)
}

/// Where the answer to one request goes.
struct Reply<'a> {
    respond: SendResponse<Piece>,
    origin: Origin,
    is_head: bool,
    reception: &'a dyn Reception,
}

/// What is left of a stream: nothing, or nobody who reads it.
type Written = Result<(), Gone>;

/// The client is gone, or has reset the stream.
struct Gone;

impl From<h2::Error> for Gone {
    fn from(_: h2::Error) -> Self {
        Self
    }
}

impl From<std::io::Error> for Gone {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

impl Reply<'_> {
    fn begin(&mut self, response: Response, is_over: bool) -> Result<(SendStream<Piece>, Bytes), h2::Error> {
        let origin = std::mem::replace(&mut self.origin, Origin::None);
        let (head, body) = http2_response(response, origin, is_over.then_some(self.is_head));
        let is_over = is_over && (self.is_head || body.is_empty());
        self.respond.send_response(head, is_over).map(|send| (send, body))
    }

    /// Writes an answer as its client takes it: one that takes nothing for long is given up, and holds no memory.
    async fn whole(&mut self, response: Response, server: &Server) -> Written {
        let (send, mut body) = self.begin(response, true)?;
        if self.is_head || body.is_empty() {
            return Ok(());
        }
        Ok(write_all(&mut Http2Stream::whole(send, self.reception), &mut body, &server.stall_limit).await?)
    }

    async fn stream(&mut self, response: Response, feed: Box<Feed>, server: &Server) -> Written {
        let (send, mut opening) = self.begin(response, false)?;
        let mut io = Http2Stream::response(send, self.reception);
        write_all(&mut io, &mut opening, &server.stall_limit).await?;
        stream::write(&mut io, feed, &server.stall_limit).await?;
        Ok(io.end()?)
    }

    async fn later(&mut self, mut pending: Pending, server: &Server) -> Written {
        let response = poll_fn(|cx| {
            if let Poll::Ready(response) = pending.response.as_mut().poll(cx) {
                return Poll::Ready(Some(response));
            }
            ready!(self.respond.poll_reset(cx)).map_or(Poll::Ready(None), |_| Poll::Ready(None))
        });
        let response = response.await.ok_or(Gone)?;
        self.whole(response, server).await
    }

    async fn publish(&mut self, publication: Publication, body: RecvStream, server: &Server) -> Written {
        let read = timeout(server.config.body_timeout, read(body, publication.limit(), server)).await;
        let response = match read {
            Ok(Ok(Some(mut content))) => publication.append_in_turns(server, content.take()).await,
            Ok(Ok(None)) => publication.too_long().into_response(),
            Ok(Err(BodyError::NoRoom(problem))) => problem.into_response(),
            Ok(Err(BodyError::Gone)) => return Err(Gone),
            Err(_) => Problem::late("the body did not come in time").into_response(),
        };
        self.whole(response, server).await
    }

    async fn tunnel(
        &mut self,
        response: Response,
        session: Session,
        body: RecvStream,
        ahead: Buffer,
        server: &Server,
    ) -> Written {
        let (send, _) = self.begin(response, false)?;
        let io = Http2Stream::tunnel(send, body, self.reception);
        websocket::serve(io, session, ahead, server).await;
        Ok(())
    }
}

/// Why a body was not read.
enum BodyError {
    NoRoom(Problem),
    Gone,
}

/// The body of a publish; `None` where it is longer than `limit`.
async fn read(mut body: RecvStream, limit: usize, server: &Server) -> Result<Option<Buffer>, BodyError> {
    let mut content = Buffer::new(&server.memory.incoming);
    while let Some(data) = body.data().await {
        let data = data.or(Err(BodyError::Gone))?;
        if content.len() + data.len() > limit {
            return Ok(None);
        }
        content.extend(&data).map_err(|error| BodyError::NoRoom(error.into()))?;
        body.flow_control().release_capacity(data.len()).or(Err(BodyError::Gone))?;
    }
    Ok(Some(content))
}
