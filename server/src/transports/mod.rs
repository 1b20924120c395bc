//! The transports: one file each, and here the one place that tells them apart.

pub(crate) mod echo;
mod handshake;
mod http_streaming;
mod long_polling;
mod poll;
mod pulse;
pub(crate) mod raw_tcp;
mod short_polling;
mod sse;
mod stream;
mod websocket;

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use pushoff_model::Transport;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::http::body::Body;
use crate::http::connection::boxed;
use crate::http::exchange::Line;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::hub::{Subscription, TopicLog};
use crate::server::Server;

/// A request to subscribe.
pub(crate) struct Ask<'a> {
    pub(crate) server: &'a Arc<Server>,
    pub(crate) line: &'a Line,
    pub(crate) head: Box<Parts>,
    pub(crate) query: Query,
    pub(crate) log: Arc<TopicLog>,
    pub(crate) subscription: Subscription,
}

impl Ask<'_> {
    /// Whether the client wants no more than the head of the response.
    pub(crate) fn is_head(&self) -> bool {
        self.head.method == http::Method::HEAD
    }

    /// The subscriber alone, to wait with: the head shares the buffer that it was read into, and
    /// would keep it for as long.
    pub(crate) fn waiting(self) -> Subscription {
        self.subscription
    }
}

/// Answers as the transport does.
pub(crate) async fn answer(transport: Transport, ask: Ask<'_>) -> Result<Response<Body>, Problem> {
    match transport {
        Transport::ShortPolling => short_polling::answer(ask),
        Transport::LongPolling => long_polling::answer(ask).await,
        Transport::HttpStreaming => Ok(http_streaming::answer(ask)),
        Transport::Sse => Ok(sse::answer(ask).await),
        Transport::WebSocket => websocket::upgrade(ask),
        // It has a port of its own and no path.
        Transport::RawTcp => Err(Problem::not_found()),
    }
}

/// What a connection becomes when it is no longer HTTP.
pub(crate) enum Upgrade {
    /// A subscriber, a publisher, or both.
    WebSocket(websocket::Session),
    /// A mirror.
    Echo,
}

impl Upgrade {
    /// Serves what became of the connection until its end. `read` is what came in with the request.
    pub(crate) async fn run<IO>(self, io: IO, read: Bytes, server: Arc<Server>)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match self {
            Self::WebSocket(session) => boxed(|| session.run(io, read, &server)).await,
            Self::Echo => boxed(|| echo::run(io, read, &server)).await,
        }
    }
}
