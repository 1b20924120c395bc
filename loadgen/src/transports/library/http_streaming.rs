//! HTTP streaming, by `reqwest`: one response that does not end, a JSON line a message. Source:
//! RFC 6202 §3.

use pushoff_model::Transport;

use super::requests::Requests;
use crate::transports::line::LineBuffer;
use crate::transports::{ConnectionError, Ended, Feed, Sink};

pub(in crate::transports) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let requests = Requests::new(&feed.subscription, Transport::HttpStreaming.name())?;
    feed.sink.requested(feed.now());
    let mut response = requests.ask(feed).await?;
    if feed.stream_begins(response.status())?.is_none() {
        return Ok(Ended::Complete);
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
