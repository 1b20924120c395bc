//! Short polling: the client asks on a timer and is answered at once. Source: RFC 6202 §1.

use pushoff_model::Transport;

use super::ask::Ask;
use super::{coded, poll};
use crate::framing::Framing;
use crate::http::{Problem, Response};
use crate::hub::Bounds;

/// The messages that are there now.
pub(super) fn answer(ask: &Ask<'_>) -> Result<Response, Problem> {
    let accepts = coded::accepts(ask)?;
    let meter = poll::meter(ask, Transport::ShortPolling);
    let mut subscription = ask.subscribe();
    let reading = subscription.read(Framing::Ndjson, Bounds::poll(ask.query.limit));
    poll::respond(reading, meter.as_ref(), &subscription, accepts)
}
