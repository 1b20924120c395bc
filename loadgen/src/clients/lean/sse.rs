//! Server-sent events, on a connection of our own. Source: WHATWG HTML §9.2.

use http::HeaderValue;
use http::header::{ACCEPT, CACHE_CONTROL};

use crate::clients::error::ConnectionError;
use crate::clients::event_stream::{Event, EventStream};
use crate::clients::feed::{Ended, Feed};
use crate::clients::http::stream;
use crate::clients::sink::Sink;

pub(crate) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let usual = [
        (ACCEPT, HeaderValue::from_static("text/event-stream")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    let mut events = EventStream::default();
    let ended = stream(feed, &usual, |feed, piece| {
        events.read(piece, |event| hand_on(&event, feed))?;
        ConnectionError::bounded("an event", events.begun())
    });
    let ended = ended.await?;
    if events.is_mid_event() { Err(ConnectionError::Ended) } else { Ok(ended) }
}

fn hand_on<S: Sink>(event: &Event<'_>, feed: &mut Feed<'_, S>) -> Result<(), ConnectionError> {
    let id = event.id.and_then(|id| std::str::from_utf8(id).ok());
    feed.event(event.name, id, event.data)
}
