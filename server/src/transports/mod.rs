//! The transports: one file each, and here the one place that tells them apart.

mod handshake;
mod http_streaming;
mod keep_alive;
mod long_polling;
mod poll;
pub(crate) mod raw_tcp;
mod short_polling;
mod sse;
mod stream;
pub(crate) mod websocket;

use std::sync::Arc;

use pushoff_model::{Topic, Transport};

use crate::http::answer::Answer;
use crate::http::head::Head;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::hub::Subscription;
use crate::server::Server;

pub(crate) use self::stream::{Feed, Piece};

/// A request to subscribe.
pub(crate) struct Ask<'a> {
    pub(crate) server: &'a Arc<Server>,
    pub(crate) head: &'a Head<'a>,
    pub(crate) query: Query,
    pub(crate) topic: Topic,
}

impl Ask<'_> {
    /// The subscriber that is asked for.
    pub(crate) fn subscribe(&self) -> Subscription {
        self.server.hub.subscribe(&self.topic, self.query.start)
    }

    /// Whether the client wants no more than the head of the response.
    pub(crate) fn is_head(&self) -> bool {
        self.head.method == http::Method::HEAD
    }
}

/// Answers as the transport does.
pub(crate) fn answer(transport: Transport, ask: &Ask<'_>) -> Result<Answer, Problem> {
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
