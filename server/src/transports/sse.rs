//! Server-sent events: an event stream, as the browser's `EventSource` reads it.
//!
//! With `?mode=`, the response ends as a poll's does; `EventSource` then reconnects, and so polls. Only a 204
//! stops `EventSource` from reconnecting: the answer of a complete topic without further messages.
//! Source: WHATWG HTML §9.2.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use pushoff_model::Transport;

use super::answer::Answer;
use super::ask::Ask;
use super::query::Mode;
use super::stream::Begin;
use super::{coded, long_polling, stream};
use crate::compression::Accepts;
use crate::framing::{Framing, event_stream};
use crate::http::{Problem, Response};
use crate::hub::{Bounds, Reading};
use crate::limits;
use crate::memory::{self, Budget, OutOfMemory};
use crate::stats::Meter;

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("text/event-stream");

const BEGIN: Begin =
    Begin { media_type: MEDIA_TYPE, framing: Framing::EventStream, heartbeat: event_stream::HEARTBEAT };

/// An event stream that ends as its mode says.
pub(super) fn answer(ask: &Ask<'_>) -> Result<Answer, Problem> {
    if ask.is_head() {
        return BEGIN.head(ask).map(Answer::Now);
    }
    let meter = ask.server.stats.connect(Transport::Sse);
    let wait = match ask.query.mode {
        Mode::Streaming => return streaming(ask, meter),
        Mode::LongPolling => ask.query.wait,
        Mode::ShortPolling => Duration::ZERO,
    };
    let (subscription, interval) = (ask.subscribe(), ask.query.interval);
    let start = subscription.cursor();
    let bounds = Bounds::poll(ask.query.limit);
    let accepts = coded::accepts(ask)?;
    Ok(long_polling::first_batch(subscription, Framing::EventStream, bounds, wait, move |reading, after| {
        let opening = event_stream::opening(interval, start);
        polled(reading, &meter, opening, accepts, after.room())
            .unwrap_or_else(|error| Problem::from(error).into_response())
    }))
}

fn streaming(ask: &Ask<'_>, meter: Meter) -> Result<Answer, Problem> {
    let subscription = ask.subscribe();
    if subscription.is_at_the_end() {
        return Ok(no_more().into());
    }
    let opening = event_stream::opening(limits::RETRY, subscription.cursor());
    BEGIN.stream(ask, subscription, opening, meter).map(|(response, feed)| Answer::Stream(response, feed))
}

fn polled(
    reading: Reading,
    meter: &Meter,
    opening: Vec<u8>,
    accepts: Option<Accepts>,
    room: &Arc<Budget>,
) -> Result<Response, OutOfMemory> {
    let (events, coding) = match reading {
        Reading::Batch(batch) => {
            // The copy is counted as memory, as the batch was.
            let events = memory::shared([&opening[..], &batch.bytes].concat(), room).ok_or(OutOfMemory)?;
            let (events, coding) = coded::body(events, None, accepts, room)?;
            meter.delivered(&batch, coding.map_or(batch.bytes.len(), |_| events.len()));
            (events, coding)
        }
        Reading::CaughtUp | Reading::Closing => coded::body(opening.into(), None, accepts, room)?,
        Reading::NoRoom => return Err(OutOfMemory),
        Reading::Complete => return Ok(no_more()),
    };
    Ok(coded::mark(stream::response(MEDIA_TYPE, events), accepts, coding))
}

fn no_more() -> Response {
    Response::bare(StatusCode::NO_CONTENT)
}
