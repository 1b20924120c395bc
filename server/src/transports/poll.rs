//! The responses of both kinds of polling. Source: RFC 6202 §2, the wire contract.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use pushoff_model::Cursor;

use crate::framing::envelope::CursorText;
use crate::http::{LAST_EVENT_ID, Problem, Response};
use crate::hub::Reading;
use crate::memory::OutOfMemory;
use crate::stats::Meter;

/// The media type of a JSON text a line.
pub(super) const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// 200 with messages, 204 without, 410 at the end of the topic; and the cursor for the next poll.
pub(super) fn respond(reading: Reading, meter: &Meter, next: Cursor) -> Result<Response, Problem> {
    let (status, bytes) = match reading {
        Reading::Batch(batch) => {
            meter.delivered(&batch, batch.bytes.len());
            (StatusCode::OK, batch.bytes.content())
        }
        Reading::CaughtUp | Reading::Closing => (StatusCode::NO_CONTENT, Bytes::new()),
        Reading::NoRoom => return Err(OutOfMemory.into()),
        Reading::Complete => {
            return Err(Problem::gone("the topic is complete, and there is nothing after this cursor")
                .with(LAST_EVENT_ID, cursor_value(next)));
        }
    };
    let response = Response::new(status, bytes).with(LAST_EVENT_ID, cursor_value(next));
    Ok(if status == StatusCode::OK { response.with(CONTENT_TYPE, NDJSON) } else { response })
}

/// Digits and a dash: always a valid field value.
fn cursor_value(cursor: Cursor) -> HeaderValue {
    HeaderValue::from_bytes(CursorText::new(cursor).as_bytes()).unwrap_or_else(|_| HeaderValue::from_static(""))
}
