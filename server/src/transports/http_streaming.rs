//! HTTP streaming: one response that never ends, a JSON line a message. Source: RFC 6202 §3.

use pushoff_model::Transport;

use super::answer::Answer;
use super::ask::Ask;
use super::poll;
use super::stream::Begin;
use crate::framing::{Framing, ndjson};
use crate::http::Problem;

/// The stream's start, then messages until the topic is complete.
pub(super) fn answer(ask: &Ask<'_>) -> Result<Answer, Problem> {
    let begin = Begin { media_type: poll::NDJSON, framing: Framing::Ndjson, heartbeat: ndjson::HEARTBEAT };
    if ask.is_head() {
        return begin.head(ask).map(Answer::Now);
    }
    let subscription = ask.subscribe();
    let opening = ndjson::opening(subscription.cursor());
    let meter = ask.server.stats.connect(Transport::HttpStreaming);
    begin.stream(ask, subscription, opening, meter).map(|(response, feed)| Answer::Stream(response, feed))
}
