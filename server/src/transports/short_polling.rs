//! Short polling: the client asks on a timer and is answered at once. Source: RFC 6202 §1.

use pushoff_model::Transport;

use super::{Ask, poll};
use crate::framing::Framing;
use crate::http::problem::Problem;
use crate::http::response::Response;
use crate::limits;

/// Whatever there is now.
pub(super) fn answer(ask: &Ask<'_>) -> Result<Response, Problem> {
    let meter = ask.server.stats.connect(Transport::ShortPolling);
    let mut subscription = ask.subscribe();
    let reading = subscription.read(Framing::Ndjson, limits::poll(ask.query.limit));
    poll::respond(reading, &meter, subscription.cursor())
}
