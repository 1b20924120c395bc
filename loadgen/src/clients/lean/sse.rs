//! Server-sent events on a lean connection. Source: WHATWG HTML §9.2.

use http::HeaderValue;
use http::header::{ACCEPT, CACHE_CONTROL};

use crate::clients::error::ConnectionError;
use crate::clients::event_stream::EventStream;
use crate::clients::feed::{Ended, Feed};
use crate::clients::sink::Sink;
use crate::clients::stream::Stream;

pub(crate) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let usual = [
        (ACCEPT, HeaderValue::from_static("text/event-stream")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    let Some(mut stream) = Stream::open(feed, &usual).await? else { return Ok(Ended::Complete) };
    let mut events = EventStream::default();
    while let Some(mut piece) = stream.next(feed).await? {
        while let Some(event) = events.next(&mut piece) {
            let id = event.id.and_then(|id| std::str::from_utf8(id).ok());
            feed.event(event.name, id, event.data)?;
        }
        ConnectionError::bounded("an event", events.begun())?;
    }
    if events.is_mid_event() { Err(ConnectionError::Ended) } else { Ok(Ended::Closed) }
}
