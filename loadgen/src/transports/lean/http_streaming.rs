//! HTTP streaming: one response that does not end, a JSON line a message. Source: RFC 6202 §3.

use http::HeaderValue;
use pushoff_model::Transport;

use super::http::{Connection, get};
use crate::transports::line::LineBuffer;
use crate::transports::{ConnectionError, Ended, Feed, Sink};

pub(in crate::transports) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let mut connection = Connection::open(feed).await?;
    feed.sink.requested(feed.now());
    let request = get(feed, Transport::HttpStreaming.name(), HeaderValue::from_static("*/*"))?;
    let mut response = connection.ask(request, feed.tally()).await?;
    if feed.stream_begins(response.status())?.is_none() {
        return Ok(Ended::Complete);
    }
    let mut lines = LineBuffer::default();
    while let Some(piece) = connection.piece(response.body_mut()).await {
        lines.extend(&piece?);
        while let Some(line) = lines.next_line() {
            feed.trusted_line(&line, None)?;
        }
    }
    if lines.is_mid_line() { Err(ConnectionError::Ended) } else { Ok(Ended::Closed) }
}
