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
use pushoff_model::Transport;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::http::answer::Answer;
use crate::http::connection::boxed;
use crate::http::head::Head;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::hub::{Subscription, TopicLog};
use crate::server::Server;

pub(crate) use self::stream::Feed;

/// A request to subscribe.
pub(crate) struct Ask<'a> {
    pub(crate) server: &'a Arc<Server>,
    pub(crate) head: &'a Head<'a>,
    pub(crate) query: Query,
    pub(crate) log: Arc<TopicLog>,
    pub(crate) subscription: Subscription,
}

impl Ask<'_> {
    /// Whether the client wants no more than the head of the response.
    pub(crate) fn is_head(&self) -> bool {
        self.head.method == http::Method::HEAD
    }
}

/// Answers as the transport does.
pub(crate) fn answer(transport: Transport, ask: Ask<'_>) -> Result<Answer, Problem> {
    match transport {
        Transport::ShortPolling => short_polling::answer(ask).map(Answer::Now),
        Transport::LongPolling => Ok(long_polling::answer(ask)),
        Transport::HttpStreaming => Ok(http_streaming::answer(ask).into()),
        Transport::Sse => Ok(sse::answer(ask)),
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
