//! Long polling: the client asks, and the response waits for a message. Source: RFC 6202 §2.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use pushoff_model::Transport;
use tokio::time::timeout;

use super::answer::{Answer, Pending};
use super::ask::Ask;
use super::{coded, poll};
use crate::framing::Framing;
use crate::http::{Problem, Response};
use crate::hub::{Bounds, Reading, Subscription};

/// The first batch, or 204 once the wait is over.
pub(super) fn answer(ask: &Ask<'_>) -> Result<Answer, Problem> {
    let accepts = coded::accepts(ask)?;
    let meter = poll::meter(ask, Transport::LongPolling);
    let wait = if ask.is_head() { Duration::ZERO } else { ask.query.wait };
    let bounds = Bounds::poll(ask.query.limit);
    Ok(first_batch(ask.subscribe(), Framing::Ndjson, bounds, wait, move |reading, after| {
        poll::respond(reading, meter.as_ref(), after, accepts).unwrap_or_else(Problem::into_response)
    }))
}

/// Hands `respond` the first batch, the end of the topic, or nothing once the wait is over; and the subscriber
/// after it. The wait also ends once the client ends its direction of the connection: the client may be gone.
pub(super) fn first_batch(
    mut subscription: Subscription,
    framing: Framing,
    bounds: Bounds,
    wait: Duration,
    respond: impl FnOnce(Reading, &Subscription) -> Response + Send + 'static,
) -> Answer {
    match subscription.read(framing, bounds) {
        Reading::CaughtUp if !wait.is_zero() => {
            let hurry = Arc::new(AtomicBool::new(false));
            let hurried = Arc::clone(&hurry);
            let response = Box::pin(async move {
                let reading = {
                    let mut next = pin!(timeout(wait, subscription.next(framing, bounds)));
                    poll_fn(|cx| match next.as_mut().poll(cx) {
                        Poll::Pending if hurried.load(Ordering::Relaxed) => Poll::Ready(Reading::CaughtUp),
                        read @ (Poll::Ready(_) | Poll::Pending) => read.map(|read| read.unwrap_or(Reading::CaughtUp)),
                    })
                    .await
                };
                respond(reading, &subscription)
            });
            Answer::Later(Pending { response, hurry })
        }
        reading @ (Reading::CaughtUp | Reading::Batch(_) | Reading::Complete | Reading::Closing | Reading::NoRoom) => {
            respond(reading, &subscription).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::Start;
    use tokio::time::Instant;

    use super::*;
    use crate::hub::{Hub, HubLimits, Memory, Retention};

    #[tokio::test(start_paused = true)]
    async fn an_empty_poll_takes_exactly_as_long_as_it_was_to_wait() {
        let (retention, memory) = (Retention { messages: 1, bytes: 1 }, Memory::new(1 << 20));
        let hub = Hub::new(HubLimits { retention, topics: 1, idle: Duration::ZERO, memory });
        for wait in [Duration::ZERO, Duration::from_secs(25)] {
            let start = Instant::now();
            let subscription = hub.subscribe(&"t".parse().unwrap(), Start::Now);
            let answer = first_batch(subscription, Framing::Ndjson, Bounds::poll(1), wait, |reading, _| {
                assert!(matches!(reading, Reading::CaughtUp), "{reading:?}");
                Response::bare(http::StatusCode::NO_CONTENT)
            });
            if let Answer::Later(pending) = answer {
                pending.response.await;
            }
            assert_eq!(start.elapsed().as_secs(), wait.as_secs());
        }
    }
}
