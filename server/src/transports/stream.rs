//! Streams: HTTP streaming, the event stream and raw TCP. After its opening, a stream writes all pending
//! messages in one write, again and again, until its topic is complete or the client is gone.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};
use tokio::task::yield_now;

use super::ask::Ask;
use super::keep_alive::IdleTimer;
use crate::framing::Framing;
use crate::http::{Response, chunked};
use crate::hub::{Bounds, Reading, Subscription};
use crate::limits;
use crate::net::{Io, StallDetector, StallLimit, poll_end};
use crate::stats::Meter;

/// A subscriber whose messages become a stream.
pub(crate) struct Feed {
    pub(super) subscription: Subscription,
    pub(super) framing: Framing,
    /// Whether each batch is a chunk of an HTTP/1.1 body.
    pub(super) is_chunked: bool,
    /// The bytes that keep an idle stream alive, where the transport has any.
    pub(super) heartbeat: Option<(&'static [u8], IdleTimer)>,
    pub(super) meter: Meter,
}

/// The next part of a stream.
pub(super) enum Piece {
    Batch(Bytes),
    Heartbeat(Bytes),
    /// The topic is complete, or the server is shutting down.
    End,
}

/// The feed of a subscriber over HTTP.
pub(super) fn feed(
    ask: &Ask<'_>,
    subscription: Subscription,
    framing: Framing,
    heartbeat: &'static [u8],
    meter: Meter,
) -> Box<Feed> {
    let heartbeat = Some((heartbeat, IdleTimer::new(ask.server.config.heartbeat)));
    Box::new(Feed { subscription, framing, is_chunked: ask.head.version.takes_chunks(), heartbeat, meter })
}

/// The head of a stream over HTTP and the stream's opening. `X-Accel-Buffering` keeps an nginx in between from
/// holding messages back.
pub(super) fn response(media_type: HeaderValue, opening: impl Into<Bytes>) -> Response {
    let buffering = HeaderName::from_static("x-accel-buffering");
    Response::new(StatusCode::OK, opening.into())
        .with(CONTENT_TYPE, media_type)
        .with(buffering, HeaderValue::from_static("no"))
}

impl Feed {
    /// All pending messages, or a heartbeat once the stream has been idle for its interval.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Piece> {
        match self.subscription.poll_next(cx, self.framing, Bounds::STREAM) {
            Poll::Ready(Reading::Batch(batch)) => {
                if let Some((_, timer)) = &mut self.heartbeat {
                    timer.wrote(batch.made);
                }
                let bytes = if self.is_chunked { batch.bytes.chunk() } else { batch.bytes.content() };
                self.meter.delivered(&batch, bytes.len());
                Poll::Ready(Piece::Batch(bytes))
            }
            Poll::Ready(Reading::CaughtUp | Reading::Complete | Reading::Closing | Reading::NoRoom) => {
                Poll::Ready(Piece::End)
            }
            Poll::Pending => {
                let Some((heartbeat, timer)) = &mut self.heartbeat else { return Poll::Pending };
                ready!(timer.poll_idle(cx));
                Poll::Ready(Piece::Heartbeat(if self.is_chunked {
                    let mut chunk = Vec::new();
                    chunked::write_chunk(&mut chunk, heartbeat);
                    chunk.into()
                } else {
                    Bytes::from_static(heartbeat)
                }))
            }
        }
    }

    /// The bytes that end the stream.
    const fn ending(&self) -> Bytes {
        Bytes::from_static(if self.is_chunked { chunked::LAST } else { &[] })
    }
}

/// Writes a stream until its end. A client that ends its direction of the connection gets the end of the
/// stream: the client may be gone altogether. Input is discarded; the result is its number of bytes.
pub(crate) async fn write(io: &mut impl Io, mut feed: Box<Feed>, limit: &StallLimit) -> io::Result<usize> {
    let mut outgoing = Bytes::new();
    let (mut detector, mut discarded, mut is_over) = (StallDetector::default(), 0, false);
    loop {
        let turn = poll_fn(|cx| {
            for _ in 0..limits::TURNS {
                if detector.poll_write(cx, io, &mut outgoing, limit)?.is_pending() {
                    let ended = ready!(poll_end(cx, io, &mut discarded));
                    return Poll::Ready(ended.and(Err(io::ErrorKind::ConnectionReset.into())));
                }
                if is_over {
                    return Poll::Ready(Ok(true));
                }
                match feed.poll_next(cx) {
                    Poll::Ready(Piece::Batch(batch)) => outgoing = batch,
                    Poll::Ready(Piece::Heartbeat(heartbeat)) => {
                        detector.check(io, limit)?;
                        outgoing = heartbeat;
                    }
                    Poll::Ready(Piece::End) => (outgoing, is_over) = (feed.ending(), true),
                    Poll::Pending => {
                        ready!(poll_end(cx, io, &mut discarded))?;
                        (outgoing, is_over) = (feed.ending(), true);
                    }
                }
            }
            Poll::Ready(Ok(false))
        });
        if turn.await? {
            return Ok(discarded);
        }
        yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pushoff_model::{Start, Topic, Transport};
    use tokio::time::{Instant, advance};

    use super::*;
    use crate::framing::ndjson;
    use crate::hub::{Hub, HubLimits, Memory, Payload, Retention};
    use crate::stats::Stats;

    const INTERVAL: Duration = Duration::from_secs(15);

    fn feed() -> (Hub, Feed) {
        let (retention, memory) = (Retention { messages: 10, bytes: 1000 }, Memory::new(1 << 20));
        let hub = Hub::new(HubLimits { retention, topics: 1, idle: Duration::ZERO, memory });
        let feed = Feed {
            subscription: hub.subscribe(&name(), Start::Now),
            framing: Framing::Ndjson,
            is_chunked: true,
            heartbeat: Some((ndjson::HEARTBEAT, IdleTimer::new(INTERVAL))),
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
    async fn all_pending_messages_are_one_piece_and_completion_is_the_end() {
        let (hub, mut feed) = feed();
        (0..3).for_each(|_| publish(&hub));
        hub.complete(&name()).unwrap();
        assert_eq!(next(&mut feed).await.unwrap().windows(2).filter(|pair| *pair == b"}\n").count(), 3);
        assert_eq!(next(&mut feed).await, None);
    }
}
