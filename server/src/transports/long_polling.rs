//! Long polling: the client asks and is answered when there is something to say. Source: RFC 6202 §2.

use std::time::Duration;

use pushoff_model::{Cursor, Transport};
use tokio::time::timeout;

use super::{Ask, poll};
use crate::framing::Framing;
use crate::http::answer::Answer;
use crate::http::problem::Problem;
use crate::http::response::Response;
use crate::hub::{Bounds, Reading, Subscription};
use crate::limits;

/// The first batch, or nothing once the wait is over.
pub(super) fn answer(ask: Ask<'_>) -> Answer {
    let meter = ask.server.stats.connect(Transport::LongPolling);
    let wait = if ask.is_head() { Duration::ZERO } else { ask.query.wait };
    let bounds = limits::poll(ask.query.limit);
    first_batch(ask.subscription, Framing::Ndjson, bounds, wait, move |reading, next| {
        poll::respond(reading, &meter, next).unwrap_or_else(Problem::into_response)
    })
}

/// Answers with messages, the end, or the end of the wait, and where the subscriber then stands:
/// at once where there is nothing to wait for.
pub(super) fn first_batch(
    mut subscription: Subscription,
    framing: Framing,
    bounds: Bounds,
    wait: Duration,
    respond: impl FnOnce(Reading, Cursor) -> Response + Send + 'static,
) -> Answer {
    match subscription.read(framing, bounds) {
        Reading::CaughtUp if !wait.is_zero() => Answer::Later(Box::pin(async move {
            let reading = timeout(wait, subscription.next(framing, bounds)).await.unwrap_or(Reading::CaughtUp);
            respond(reading, subscription.cursor())
        })),
        reading @ (Reading::CaughtUp | Reading::Batch(_) | Reading::Complete | Reading::Closing) => {
            respond(reading, subscription.cursor()).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::Start;
    use tokio::time::Instant;

    use super::*;
    use crate::hub::{Hub, HubLimits, Retention};

    #[tokio::test(start_paused = true)]
    async fn an_empty_poll_takes_exactly_as_long_as_it_was_to_wait() {
        let retention = Retention { messages: 1, bytes: 1 };
        let hub = Hub::new(HubLimits { retention, topics: 1, idle: Duration::ZERO });
        let log = hub.topic(&"t".parse().unwrap()).unwrap();
        for wait in [Duration::ZERO, Duration::from_secs(25)] {
            let start = Instant::now();
            let subscription = log.subscribe(Start::Now);
            let answer = first_batch(subscription, Framing::Ndjson, limits::poll(1), wait, |reading, _| {
                assert!(matches!(reading, Reading::CaughtUp), "{reading:?}");
                Response::bare(http::StatusCode::NO_CONTENT)
            });
            if let Answer::Later(answering) = answer {
                answering.await;
            }
            assert_eq!(start.elapsed().as_secs(), wait.as_secs());
        }
    }
}
