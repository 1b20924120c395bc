//! The responses of both kinds of polling. Source: RFC 6202 §2, the wire contract.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use pushoff_model::{Cursor, Transport};

use super::ask::Ask;
use super::coded;
use super::query::LAST_EVENT_ID;
use crate::compression::Accepts;
use crate::framing::envelope::CursorText;
use crate::http::{Problem, Response};
use crate::hub::{Reading, Subscription};
use crate::memory::OutOfMemory;
use crate::stats::Meter;

/// The media type of a JSON text a line.
pub(super) const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// Counts a poll, unless it wants the head alone: to such a one nothing is delivered.
pub(super) fn meter(ask: &Ask<'_>, transport: Transport) -> Option<Meter> {
    (!ask.is_head()).then(|| ask.server.stats.connect(transport))
}

/// 200 with messages, 204 without, 410 at the end of the topic; and the cursor for the next poll.
pub(super) fn respond(
    reading: Reading,
    meter: Option<&Meter>,
    after: &Subscription,
    accepts: Option<Accepts>,
) -> Result<Response, Problem> {
    let next = after.cursor();
    let response = match reading {
        Reading::Batch(batch) => {
            let (bytes, coding) = coded::body(batch.bytes.content(), batch.forms.as_deref(), accepts, after.room())?;
            if let Some(meter) = meter {
                meter.delivered(&batch, bytes.len());
            }
            let response = Response::new(StatusCode::OK, bytes).with(LAST_EVENT_ID, cursor_value(next));
            coded::mark(response.with(CONTENT_TYPE, NDJSON), accepts, coding)
        }
        Reading::CaughtUp | Reading::Closing => {
            Response::bare(StatusCode::NO_CONTENT).with(LAST_EVENT_ID, cursor_value(next))
        }
        Reading::NoRoom => return Err(OutOfMemory.into()),
        Reading::Complete => {
            return Err(Problem::gone("the topic is complete, and there is nothing after this cursor")
                .with(LAST_EVENT_ID, cursor_value(next)));
        }
    };
    Ok(response)
}

/// Digits and a dash: always a valid field value.
fn cursor_value(cursor: Cursor) -> HeaderValue {
    HeaderValue::from_bytes(CursorText::new(cursor).as_bytes()).unwrap_or_else(|_| HeaderValue::from_static(""))
}
