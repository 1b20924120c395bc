//! Server-sent events: an event stream, as the browser's `EventSource` reads it.
//!
//! It may also end as a poll does; `EventSource` then comes back by itself, and so polls. The one
//! answer that keeps it from coming back is 204, which it gets when a complete topic has nothing
//! more for it. Source: WHATWG HTML §9.2.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use pushoff_model::{Cursor, Transport};

use super::stream::{self, Feed, Heartbeat};
use super::{Ask, long_polling};
use crate::framing::{Framing, event_stream};
use crate::http::answer::Answer;
use crate::http::body::Body;
use crate::http::problem::Problem;
use crate::http::query::Mode;
use crate::http::response::Response;
use crate::hub::Reading;
use crate::limits;
use crate::memory::{self, Budget, OutOfMemory};
use crate::stats::Meter;

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("text/event-stream");

/// An event stream that ends as its mode says.
pub(super) fn answer(ask: &Ask<'_>) -> Answer {
    if ask.is_head() {
        return stream::respond(MEDIA_TYPE, Body::empty()).into();
    }
    let meter = ask.server.stats.connect(Transport::Sse);
    let wait = match ask.query.mode {
        Mode::Streaming => return streaming(ask, meter).into(),
        Mode::LongPolling => ask.query.wait,
        Mode::ShortPolling => Duration::ZERO,
    };
    let (subscription, interval) = (ask.subscribe(), ask.query.interval);
    let start = subscription.cursor();
    let (bounds, room) = (limits::poll(ask.query.limit), Arc::clone(&ask.server.memory.batches));
    long_polling::first_batch(subscription, Framing::EventStream, bounds, wait, move |reading, _| {
        polled(reading, &meter, start, interval, &room).unwrap_or_else(|error| Problem::from(error).into_response())
    })
}

fn streaming(ask: &Ask<'_>, meter: Meter) -> Response {
    let subscription = ask.subscribe();
    if subscription.is_at_the_end() {
        return no_more();
    }
    let feed = Feed {
        opening: event_stream::opening(limits::RETRY, subscription.cursor()),
        subscription,
        framing: if ask.head.takes_chunks { Framing::ChunkedEventStream } else { Framing::EventStream },
        heartbeat: Heartbeat::new(event_stream::HEARTBEAT, ask.server.config.heartbeat),
        meter,
    };
    stream::respond(MEDIA_TYPE, Body::stream(feed))
}

fn polled(
    reading: Reading,
    meter: &Meter,
    start: Cursor,
    retry: Duration,
    room: &Arc<Budget>,
) -> Result<Response, OutOfMemory> {
    let opening = event_stream::opening(retry, start);
    let events = match reading {
        Reading::Batch(batch) => {
            // A copy, which is held as the batch was.
            let events = memory::shared([&opening[..], &batch.bytes].concat(), room).ok_or(OutOfMemory)?;
            meter.delivered(&batch);
            events
        }
        Reading::CaughtUp | Reading::Closing => opening.into(),
        Reading::NoRoom => return Err(OutOfMemory),
        Reading::Complete => return Ok(no_more()),
    };
    Ok(stream::respond(MEDIA_TYPE, Body::whole(events)))
}

fn no_more() -> Response {
    Response::bare(StatusCode::NO_CONTENT)
}
