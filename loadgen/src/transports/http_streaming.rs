//! HTTP streaming: one response that does not end, a JSON line a message. Source: RFC 6202 §3.

use http::StatusCode;
use pushoff_model::Transport;

use super::line::LineBuffer;
use super::poll::LAST_EVENT_ID;
use super::{ConnectionError, Ended, Feed, Sink};
use crate::target::http_client;

pub(super) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let subscription = &feed.subscription;
    let url = subscription.target.subscription(&subscription.topic, Transport::HttpStreaming.name());
    let mut request = http_client()?.get(url);
    if let Some(after) = subscription.after {
        request = request.header(LAST_EVENT_ID, after.to_string());
    }
    feed.sink.requested(feed.now());
    let mut response = request.send().await?;
    match response.status() {
        StatusCode::OK => feed.opened(),
        StatusCode::GONE | StatusCode::NO_CONTENT => return Ok(Ended::Complete),
        status => return Err(ConnectionError::Status(status.as_u16())),
    }
    let mut lines = LineBuffer::default();
    while let Some(chunk) = response.chunk().await? {
        lines.extend(&chunk);
        while let Some(line) = lines.next_line() {
            feed.line(&line, None)?;
        }
    }
    if lines.is_mid_line() { Err(ConnectionError::Ended) } else { Ok(Ended::Closed) }
}
