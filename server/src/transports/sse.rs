//! Server-sent events: an event stream, as the browser's `EventSource` reads it.
//!
//! With `?mode=`, the response ends as a poll's does; `EventSource` then reconnects, and so polls. Only a 204
//! stops `EventSource` from reconnecting: the answer of a complete topic without further messages.
//! Source: WHATWG HTML §9.2.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use pushoff_model::{Cursor, Transport};

use super::answer::Answer;
use super::ask::Ask;
use super::{long_polling, stream};
use crate::framing::{Framing, event_stream};
use crate::http::{Mode, Problem, Response};
use crate::hub::{Bounds, Reading};
use crate::limits;
use crate::memory::{self, Budget, OutOfMemory};
use crate::stats::Meter;

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("text/event-stream");

/// An event stream that ends as its mode says.
pub(super) fn answer(ask: &Ask<'_>) -> Answer {
    if ask.is_head() {
        return stream::response(MEDIA_TYPE, Vec::new()).into();
    }
    let meter = ask.server.stats.connect(Transport::Sse);
    let wait = match ask.query.mode {
        Mode::Streaming => return streaming(ask, meter),
        Mode::LongPolling => ask.query.wait,
        Mode::ShortPolling => Duration::ZERO,
    };
    let (subscription, interval) = (ask.subscribe(), ask.query.interval);
    let start = subscription.cursor();
    let (bounds, room) = (Bounds::poll(ask.query.limit), Arc::clone(&ask.server.memory.batches));
    long_polling::first_batch(subscription, Framing::EventStream, bounds, wait, move |reading, _| {
        polled(reading, &meter, start, interval, &room).unwrap_or_else(|error| Problem::from(error).into_response())
    })
}

fn streaming(ask: &Ask<'_>, meter: Meter) -> Answer {
    let subscription = ask.subscribe();
    if subscription.is_at_the_end() {
        return no_more().into();
    }
    let response = stream::response(MEDIA_TYPE, event_stream::opening(limits::RETRY, subscription.cursor()));
    Answer::Stream(response, stream::feed(ask, subscription, Framing::EventStream, event_stream::HEARTBEAT, meter))
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
            // The copy is counted as memory, as the batch was.
            let events = memory::shared([&opening[..], &batch.bytes].concat(), room).ok_or(OutOfMemory)?;
            meter.delivered(&batch, batch.bytes.len());
            events
        }
        Reading::CaughtUp | Reading::Closing => opening.into(),
        Reading::NoRoom => return Err(OutOfMemory),
        Reading::Complete => return Ok(no_more()),
    };
    Ok(stream::response(MEDIA_TYPE, events))
}

fn no_more() -> Response {
    Response::bare(StatusCode::NO_CONTENT)
}
