//! Streams: HTTP streaming, the event stream and raw TCP. After its opening, a stream writes all pending
//! messages in one write, again and again, until its topic is complete or the client is gone.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};
use tokio::task::yield_now;

use super::ask::Ask;
use super::coded::{self, Coder};
use super::keep_alive::IdleTimer;
use crate::framing::{Framing, event_stream};
use crate::http::{Chunkable, Problem, Response, chunked};
use crate::hub::{Batch, Bounds, Reading, Subscription};
use crate::limits;
use crate::memory::OutOfMemory;
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
    /// Where the stream has a content coding.
    pub(super) coder: Option<Box<Coder>>,
    pub(super) meter: Meter,
}

/// The next part of a stream.
pub(super) enum Piece {
    Batch(Bytes),
    Heartbeat(Bytes),
    /// The topic is complete, or the client is to come back: with the last bytes before the end.
    End(Bytes),
}

/// The last bytes of a stream whose client is to come back, because the server is shutting down.
fn farewell(framing: Framing) -> Bytes {
    match framing {
        Framing::EventStream => {
            event_stream::farewell(Duration::from_millis(rand::random_range(limits::LAST_RETRY_MS))).into()
        }
        Framing::Ndjson | Framing::WebSocket | Framing::LengthPrefixed => Bytes::new(),
    }
}

/// What all streams of a transport over HTTP begin with.
pub(super) struct Begin {
    pub(super) media_type: HeaderValue,
    pub(super) framing: Framing,
    pub(super) heartbeat: &'static [u8],
}

impl Begin {
    /// The head alone.
    pub(super) fn head(self, ask: &Ask<'_>) -> Result<Response, Problem> {
        let accepts = coded::accepts(ask)?;
        let response = response(self.media_type, Vec::new());
        Ok(coded::mark(response, accepts, accepts.and_then(|it| it.coding)))
    }

    /// The head, the opening, and the feed of the subscriber.
    pub(super) fn stream(
        self,
        ask: &Ask<'_>,
        subscription: Subscription,
        opening: Vec<u8>,
        meter: Meter,
    ) -> Result<(Response, Box<Feed>), Problem> {
        let accepts = coded::accepts(ask)?;
        let coding = accepts.and_then(|it| it.coding);
        let mut coder = coding.and_then(|coding| Coder::new(coding, ask.server)).map(Box::new);
        let opening = match &mut coder {
            Some(coder) => coder.write(&opening).map_err(|_broken| Problem::from(OutOfMemory))?,
            None if accepts.is_some_and(|it| !it.identity) => return Err(OutOfMemory.into()),
            None => opening,
        };
        let response = coded::mark(response(self.media_type, opening), accepts, coder.as_ref().map(|it| it.coding));
        let heartbeat = Some((self.heartbeat, IdleTimer::new(ask.server.config.heartbeat)));
        let (framing, is_chunked) = (self.framing, ask.head.version.takes_chunks());
        Ok((response, Box::new(Feed { subscription, framing, is_chunked, heartbeat, coder, meter })))
    }
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
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Piece>> {
        // Streams without a coding pay nothing more for codings than this look.
        if self.coder.is_some() {
            return self.poll_coded(cx);
        }
        match self.subscription.poll_next(cx, self.framing, Bounds::STREAM) {
            Poll::Ready(Reading::Batch(batch)) => Poll::Ready(Ok(self.piece(&batch, &batch.bytes))),
            Poll::Ready(Reading::Closing) => Poll::Ready(Ok(Piece::End(farewell(self.framing)))),
            Poll::Ready(Reading::CaughtUp | Reading::Complete | Reading::NoRoom) => {
                Poll::Ready(Ok(Piece::End(Bytes::new())))
            }
            Poll::Pending => self.poll_heartbeat(cx),
        }
    }

    /// The same of a stream with a coding.
    fn poll_coded(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Piece>> {
        while let Some(coder) = &mut self.coder {
            let batch = match ready!(coder.poll_waiting(cx)) {
                Some(batch) => batch,
                None => match self.subscription.poll_next(cx, self.framing, Bounds::STREAM) {
                    Poll::Ready(Reading::Batch(batch)) => batch,
                    Poll::Ready(Reading::Closing) => return Poll::Ready(Ok(Piece::End(farewell(self.framing)))),
                    Poll::Ready(Reading::CaughtUp | Reading::Complete | Reading::NoRoom) => break,
                    Poll::Pending => return self.poll_heartbeat(cx),
                },
            };
            // Without memory for the coded bytes, the batch waits in the coder.
            if let Some((batch, coded)) = coder.batch(batch)? {
                return Poll::Ready(Ok(self.piece(&batch, &coded)));
            }
        }
        Poll::Ready(Ok(Piece::End(Bytes::new())))
    }

    /// A batch's bytes as they are written.
    fn piece(&mut self, batch: &Batch, content: &Chunkable) -> Piece {
        if let Some((_, timer)) = &mut self.heartbeat {
            timer.wrote(batch.made);
        }
        let bytes = if self.is_chunked { content.chunk() } else { content.content() };
        self.meter.delivered(batch, bytes.len());
        Piece::Batch(bytes)
    }

    /// The bytes that keep an idle stream alive, once it has been idle for its interval.
    fn poll_heartbeat(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Piece>> {
        let Some((heartbeat, timer)) = &mut self.heartbeat else { return Poll::Pending };
        ready!(timer.poll_idle(cx));
        let coded = self.coder.as_mut().map(|coder| coder.write(heartbeat)).transpose()?;
        Poll::Ready(Ok(Piece::Heartbeat(if self.is_chunked {
            let mut chunk = Vec::new();
            chunked::write_chunk(&mut chunk, coded.as_deref().unwrap_or(heartbeat));
            chunk.into()
        } else {
            coded.map_or_else(|| Bytes::from_static(heartbeat), Bytes::from)
        })))
    }

    /// The bytes that end the stream, after its last content, with the end of its coding.
    fn ending(&mut self, content: Bytes) -> io::Result<Bytes> {
        let content = match self.coder.take() {
            Some(coder) => coder.end(&content)?.into(),
            None => content,
        };
        if !self.is_chunked {
            return Ok(content);
        }
        let mut end = Vec::new();
        chunked::write_chunk(&mut end, &content);
        end.extend_from_slice(chunked::LAST);
        Ok(end.into())
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
                match feed.poll_next(cx)? {
                    Poll::Ready(Piece::Batch(batch)) => outgoing = batch,
                    Poll::Ready(Piece::Heartbeat(heartbeat)) => {
                        detector.check(io, limit)?;
                        outgoing = heartbeat;
                    }
                    Poll::Ready(Piece::End(content)) => (outgoing, is_over) = (feed.ending(content)?, true),
                    Poll::Pending => {
                        ready!(poll_end(cx, io, &mut discarded))?;
                        (outgoing, is_over) = (feed.ending(Bytes::new())?, true);
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
            coder: None,
            meter: Stats::new(None, false).connect(Transport::HttpStreaming),
        };
        (hub, feed)
    }

    fn name() -> Topic {
        "t".parse().unwrap()
    }

    async fn next(feed: &mut Feed) -> Option<Bytes> {
        match poll_fn(|cx| feed.poll_next(cx)).await.unwrap() {
            Piece::Batch(bytes) | Piece::Heartbeat(bytes) => Some(bytes),
            Piece::End(_) => None,
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
    async fn an_event_stream_of_a_server_that_shuts_down_ends_with_a_time_of_its_own_to_come_back() {
        let mut drawn = std::collections::BTreeSet::new();
        for _ in 0..100 {
            let (hub, mut feed) = feed();
            feed.framing = Framing::EventStream;
            hub.close(Duration::ZERO).await;
            let Piece::End(content) = poll_fn(|cx| feed.poll_next(cx)).await.unwrap() else { panic!("no end") };
            let end = String::from_utf8(feed.ending(content).unwrap().to_vec()).unwrap();
            let (retry, last) = end.split_once("\n\n\r\n").unwrap();
            assert_eq!(last, "0\r\n\r\n");
            let (length, retry) = retry.split_once("\r\nretry: ").unwrap();
            assert_eq!(usize::from_str_radix(length, 16).unwrap(), "retry: ".len() + retry.len() + "\n\n".len());
            drawn.insert(retry.parse::<u64>().unwrap());
        }
        assert!(drawn.iter().all(|retry| limits::LAST_RETRY_MS.contains(retry)), "{drawn:?}");
        assert!(drawn.len() > 50, "{drawn:?}");
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
