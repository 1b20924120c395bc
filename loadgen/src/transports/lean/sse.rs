//! Server-sent events, on a connection of our own. Source: WHATWG HTML §9.2.

use http::HeaderValue;
use http::header::CACHE_CONTROL;

use super::event_stream::{Event, EventStream};
use super::http::{Connection, get};
use crate::transports::{ConnectionError, Ended, Feed, Sink};

pub(in crate::transports) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let mut connection = Connection::open(feed).await?;
    feed.sink.requested(feed.now());
    let mut request = get(feed, HeaderValue::from_static("text/event-stream"))?;
    request.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    let mut response = connection.ask(request, feed.tally()).await?;
    if feed.stream_begins(response.status(), response.headers())?.is_none() {
        return Ok(Ended::Complete);
    }
    let mut events = EventStream::default();
    while let Some(piece) = connection.piece(response.body_mut()).await {
        events.extend(&piece?);
        while let Some(event) = events.next_event() {
            hand_on(&event, feed)?;
        }
    }
    if events.is_mid_event() { Err(ConnectionError::Ended) } else { Ok(Ended::Closed) }
}

fn hand_on<S: Sink>(event: &Event, feed: &mut Feed<'_, S>) -> Result<(), ConnectionError> {
    let id = event.id.as_deref().and_then(|id| std::str::from_utf8(id).ok());
    feed.event(&event.name, id, &event.data)
}
