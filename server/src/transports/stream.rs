//! What HTTP streaming and the event stream share: an opening, then batches as they come, then
//! the end of the body. Each is handed over whole, so that it goes out in one write.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};
use tokio::time::{Instant, Sleep, sleep};

use crate::framing::Framing;
use crate::http::body::Body;
use crate::http::response::Response;
use crate::hub::{Reading, Subscription};
use crate::limits;
use crate::stats::Meter;

/// A subscriber whose messages become the body of a response.
pub(crate) struct Feed {
    /// What is said first, and once.
    pub(super) opening: Vec<u8>,
    pub(super) subscription: Subscription,
    pub(super) framing: Framing,
    pub(super) heartbeat: Heartbeat,
    pub(super) meter: Meter,
}

/// What is to be written next.
pub(crate) enum Piece {
    /// The opening, or messages.
    Batch(Bytes),
    /// A sign of life: there were no messages for long.
    Heartbeat(Bytes),
    /// What ends the stream.
    End,
}

impl Feed {
    /// What is said first, if it was not said.
    pub(crate) fn opening(&mut self) -> Bytes {
        let opening = std::mem::take(&mut self.opening);
        self.framed(&opening)
    }

    /// The opening, then messages, or a heartbeat where there were none for long.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Piece> {
        if !self.opening.is_empty() {
            return Poll::Ready(Piece::Batch(self.opening()));
        }
        match self.subscription.poll_next(cx, self.framing, limits::STREAM) {
            Poll::Ready(Reading::Batch(batch)) => {
                self.meter.delivered(&batch);
                self.heartbeat.put_off(batch.made);
                Poll::Ready(Piece::Batch(batch.bytes))
            }
            Poll::Ready(Reading::CaughtUp | Reading::Complete | Reading::Closing | Reading::NoRoom) => {
                Poll::Ready(Piece::End)
            }

            Poll::Pending => {
                ready!(self.heartbeat.poll_due(cx));
                Poll::Ready(Piece::Heartbeat(self.framed(self.heartbeat.bytes)))
            }
        }
    }

    /// What is said last.
    pub(crate) const fn ending(&self) -> Bytes {
        Bytes::from_static(self.framing.ending())
    }

    fn framed(&self, piece: &[u8]) -> Bytes {
        self.framing.batch(piece.len(), |out| out.extend_from_slice(piece)).into_bytes()
    }
}

/// What an idle stream carries so that it is not taken for dead, and when.
///
/// The timer is not moved with every message, only looked at again when it fires.
pub(super) struct Heartbeat {
    bytes: &'static [u8],
    interval: Duration,
    idle_since: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Heartbeat {
    pub(super) fn new(bytes: &'static [u8], interval: Duration) -> Self {
        Self { bytes, interval, idle_since: Instant::now(), timer: Box::pin(sleep(interval)) }
    }

    /// Something that was made then was written: the stream is not idle.
    fn put_off(&mut self, made: Instant) {
        self.idle_since = self.idle_since.max(made);
    }

    /// Waits until the stream has been idle for the interval, which then begins anew.
    fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let (now, due) = (Instant::now(), self.idle_since + self.interval);
            if due <= now {
                self.idle_since = now;
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(due);
        }
    }
}

/// The head of a stream. `X-Accel-Buffering` keeps an nginx in between from holding it back.
pub(super) fn respond(media_type: HeaderValue, body: Body) -> Response {
    let buffering = HeaderName::from_static("x-accel-buffering");
    Response::new(StatusCode::OK, body).with(CONTENT_TYPE, media_type).with(buffering, HeaderValue::from_static("no"))
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use pushoff_model::{Start, Topic, Transport};
    use tokio::time::advance;

    use super::*;
    use crate::framing::ndjson;
    use crate::hub::payload::Payload;
    use crate::hub::{Hub, HubLimits, Memory, Retention};
    use crate::stats::Stats;

    const INTERVAL: Duration = Duration::from_secs(15);

    fn feed() -> (Hub, Feed) {
        let (retention, memory) = (Retention { messages: 10, bytes: 1000 }, Memory::new(1 << 20));
        let hub = Hub::new(HubLimits { retention, topics: 1, idle: Duration::ZERO, memory });
        let feed = Feed {
            opening: b"open\n".to_vec(),
            subscription: hub.subscribe(&name(), Start::Now),
            framing: Framing::ChunkedNdjson,
            heartbeat: Heartbeat::new(ndjson::HEARTBEAT, INTERVAL),
            meter: Stats::new().connect(Transport::HttpStreaming),
        };
        (hub, feed)
    }

    fn name() -> Topic {
        "t".parse().unwrap()
    }

    async fn next(feed: &mut Feed) -> Option<Bytes> {
        match poll_fn(|cx| feed.poll_next(cx)).await {
            Piece::Batch(bytes) | Piece::Heartbeat(bytes) => Some(bytes),
            Piece::End => None,
        }
    }

    fn publish(hub: &Hub) {
        hub.publish(&name(), vec![Payload::parse(b"1", 10).unwrap()]).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_heartbeat_comes_once_nothing_was_written_for_the_interval() {
        let (hub, mut feed) = feed();
        assert_eq!(next(&mut feed).await.unwrap(), "5\r\nopen\n\r\n");
        advance(Duration::from_secs(14)).await;
        publish(&hub);
        assert!(next(&mut feed).await.unwrap().ends_with(b"\"data\":1}\n\r\n"));
        let written = Instant::now();
        for beats in 1..=3 {
            assert_eq!(next(&mut feed).await.unwrap(), "1\r\n\n\r\n");
            assert_eq!(written.elapsed().as_secs(), 15 * beats);
        }
    }

    #[tokio::test]
    async fn what_is_pending_is_one_piece_and_completion_is_the_end() {
        let (hub, mut feed) = feed();
        assert_eq!(next(&mut feed).await.unwrap(), "5\r\nopen\n\r\n");
        (0..3).for_each(|_| publish(&hub));
        hub.complete(&name()).unwrap();
        assert_eq!(next(&mut feed).await.unwrap().windows(2).filter(|pair| *pair == b"}\n").count(), 3);
        assert_eq!(next(&mut feed).await, None);
    }
}
