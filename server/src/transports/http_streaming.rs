//! HTTP streaming: one response that never ends, a JSON line a message. Source: RFC 6202 §3.

use pushoff_model::Transport;

use super::stream::{self, Feed, Heartbeat};
use super::{Ask, poll};
use crate::framing::{Framing, ndjson};
use crate::http::body::Body;
use crate::http::response::Response;

/// Where the stream starts, then messages until the topic is complete.
pub(super) fn answer(ask: &Ask<'_>) -> Response {
    if ask.is_head() {
        return stream::respond(poll::NDJSON, Body::empty());
    }
    let subscription = ask.subscribe();
    let feed = Feed {
        opening: ndjson::opening(subscription.cursor()),
        subscription,
        framing: if ask.head.takes_chunks { Framing::ChunkedNdjson } else { Framing::Ndjson },
        heartbeat: Heartbeat::new(ndjson::HEARTBEAT, ask.server.config.heartbeat),
        meter: ask.server.stats.connect(Transport::HttpStreaming),
    };
    stream::respond(poll::NDJSON, Body::stream(feed))
}
