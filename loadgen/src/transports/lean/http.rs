//! One HTTP/1.1 connection, driven by whoever waits for what it brings. Source: RFC 9112.
//!
//! hyper parts a connection's work from its use, so that both can be tasks. Here one task does
//! both: each wait first moves the connection on and then looks what has come of it.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Request, Response};
use http_body_util::Empty;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, Parts, SendRequest};
use hyper::ext::ReasonPhrase;
use hyper_util::rt::TokioIo;

use crate::taps::{Tally, Tapped, lines};
use crate::transports::{ConnectionError, Feed, Sink};

/// A connection of a subscriber.
pub(super) struct Connection {
    requests: SendRequest<Empty<Bytes>>,
    driver: Driver,
}

/// What moves a connection on. One that is over is taken apart, which tells those who wait.
enum Driver {
    Open(Box<http1::Connection<TokioIo<Tapped>, Empty<Bytes>>>),
    Over(Option<Parts<TokioIo<Tapped>>>),
}

impl Driver {
    /// Reads and writes what can be read and written. An error reaches whoever waits for it.
    fn advance(&mut self, cx: &mut Context<'_>) {
        if let Self::Open(connection) = self
            && connection.poll_without_shutdown(cx).is_ready()
            && let Self::Open(connection) = std::mem::replace(self, Self::Over(None))
        {
            *self = Self::Over(Some(connection.into_parts()));
        }
    }
}

impl Connection {
    pub(super) async fn open<S: Sink>(feed: &Feed<'_, S>) -> Result<Self, ConnectionError> {
        let socket = feed.connect(feed.subscription.server.http).await?;
        let (requests, connection) = http1::handshake(TokioIo::new(socket)).await?;
        Ok(Self { requests, driver: Driver::Open(Box::new(connection)) })
    }

    /// Waits until another request can be sent; `false` where the connection is closed.
    pub(super) async fn is_free(&mut self) -> bool {
        let Self { requests, driver } = self;
        poll_fn(|cx| {
            driver.advance(cx);
            requests.poll_ready(cx)
        })
        .await
        .is_ok()
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn ask(
        &mut self,
        request: Request<Empty<Bytes>>,
        tally: &Tally,
    ) -> Result<Response<Incoming>, hyper::Error> {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        tally.request(request.method(), target, lines(request.headers()));
        let Self { requests, driver } = self;
        let mut answer = pin!(requests.send_request(request));
        let response = poll_fn(|cx| {
            driver.advance(cx);
            answer.as_mut().poll(cx)
        })
        .await?;
        let reason = response.extensions().get::<ReasonPhrase>().map(ReasonPhrase::as_bytes);
        tally.response(response.status(), reason, response.headers());
        Ok(response)
    }

    /// The next piece of an answer's body; `None` at its proper end.
    pub(super) async fn piece(&mut self, body: &mut Incoming) -> Option<Result<Bytes, hyper::Error>> {
        let driver = &mut self.driver;
        poll_fn(|cx| {
            if let Poll::Ready(piece) = piece_of(body, cx) {
                return Poll::Ready(piece);
            }
            driver.advance(cx);
            piece_of(body, cx)
        })
        .await
    }

    /// The socket, and what was read of what follows the head, once the server has agreed to
    /// speak another protocol.
    pub(super) async fn into_socket(self) -> Option<(Tapped, Bytes)> {
        let mut driver = self.driver;
        let parts = poll_fn(|cx| {
            driver.advance(cx);
            match &mut driver {
                Driver::Open(_) => Poll::Pending,
                Driver::Over(parts) => Poll::Ready(parts.take()),
            }
        });
        parts.await.map(|parts| (parts.io.into_inner(), parts.read_buf))
    }
}

fn piece_of(body: &mut Incoming, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, hyper::Error>>> {
    loop {
        match Pin::new(&mut *body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                if let Ok(bytes) = frame.into_data() {
                    return Poll::Ready(Some(Ok(bytes)));
                }
                // Trailers are for others.
            }
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => return Poll::Pending,
        }
    }
}

/// What a client accepts that has no wish.
pub(super) const ANYTHING: HeaderValue = HeaderValue::from_static("*/*");

/// A `GET` for what lies after the last message.
pub(super) fn get<S: Sink>(feed: &Feed<'_, S>, accept: HeaderValue) -> Result<Request<Empty<Bytes>>, ConnectionError> {
    let mut asking = feed.asking()?;
    asking.usual(ACCEPT, accept);
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = asking.target.parse().map_err(|_error| ConnectionError::Address(asking.target))?;
    *request.headers_mut() = asking.fields;
    Ok(request)
}
