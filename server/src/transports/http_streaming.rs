//! HTTP streaming: one response that never ends, a JSON line a message. Source: RFC 6202 §3.

use pushoff_model::Transport;

use super::answer::Answer;
use super::ask::Ask;
use super::{poll, stream};
use crate::framing::{Framing, ndjson};

/// The stream's start, then messages until the topic is complete.
pub(super) fn answer(ask: &Ask<'_>) -> Answer {
    if ask.is_head() {
        return stream::response(poll::NDJSON, Vec::new()).into();
    }
    let subscription = ask.subscribe();
    let response = stream::response(poll::NDJSON, ndjson::opening(subscription.cursor()));
    let meter = ask.server.stats.connect(Transport::HttpStreaming);
    Answer::Stream(response, stream::feed(ask, subscription, Framing::Ndjson, ndjson::HEARTBEAT, meter))
}
