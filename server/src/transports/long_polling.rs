//! Long polling: the client asks and is answered when there is something to say. Source: RFC 6202 §2.

use std::time::Duration;

use http::Response;
use pushoff_model::Transport;
use tokio::time::timeout;

use super::{Ask, poll};
use crate::framing::Framing;
use crate::http::body::Body;
use crate::http::problem::Problem;
use crate::hub::{Bounds, Reading, Subscription};
use crate::limits;

/// The first batch, or nothing once the wait is over.
pub(super) async fn answer(ask: Ask<'_>) -> Result<Response<Body>, Problem> {
    let meter = ask.server.stats.connect(Transport::LongPolling);
    let wait = if ask.is_head() { Duration::ZERO } else { ask.query.wait };
    let bounds = limits::poll(ask.query.limit);
    let mut subscription = ask.waiting();
    let reading = first_batch(&mut subscription, Framing::Ndjson, bounds, wait).await;
    poll::respond(reading, &meter, subscription.cursor())
}

/// Waits for messages, the end, or the end of the wait.
pub(super) async fn first_batch(
    subscription: &mut Subscription,
    framing: Framing,
    bounds: Bounds,
    wait: Duration,
) -> Reading {
    match subscription.read(framing, bounds) {
        Reading::CaughtUp if !wait.is_zero() => {
            timeout(wait, subscription.next(framing, bounds)).await.unwrap_or(Reading::CaughtUp)
        }
        reading @ (Reading::CaughtUp | Reading::Batch(_) | Reading::Complete | Reading::Closing) => reading,
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
        let mut subscription = hub.topic(&"t".parse().unwrap()).unwrap().subscribe(Start::Now);
        for wait in [Duration::ZERO, Duration::from_secs(25)] {
            let start = Instant::now();
            let reading = first_batch(&mut subscription, Framing::Ndjson, limits::poll(1), wait).await;
            assert!(matches!(reading, Reading::CaughtUp), "{reading:?}");
            assert_eq!(start.elapsed().as_secs(), wait.as_secs());
        }
    }
}
