//! A response that does not end, on a lean connection: over HTTP/1.1 or HTTP/2, decoded as it comes.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use pushoff_model::Http;

use super::carrier::Carrier;
use super::coding::Decoder;
use super::error::ConnectionError;
use super::feed::Feed;
use super::http::{self as http1, Connection, Request, Response};
use super::http2;
use super::sink::Sink;

/// The data of an endless body.
pub(crate) struct Stream {
    source: Source,
    decoder: Decoder,
}

enum Source {
    One(Connection<Carrier>, http1::Body),
    /// With the last piece of it.
    Two(http2::Body, Bytes),
}

impl Stream {
    /// Sends the request; `None` where the topic is complete.
    pub(crate) async fn open<S: Sink>(
        feed: &mut Feed<'_, S>,
        usual: &[(HeaderName, HeaderValue)],
    ) -> Result<Option<Self>, ConnectionError> {
        let (begun, source) = match feed.subscription.server.wire.http {
            Http::One => {
                let mut connection = Connection::open(feed).await?;
                feed.sink.requested(feed.now());
                let mut request = Request::new(feed, usual)?;
                connection.send(request.bytes(feed)?, feed.tally()).await?;
                drop(request);
                let Response { status, fields, body } = connection.response(feed.tally()).await?;
                (feed.stream_begins(status, &fields)?, Source::One(connection, body))
            }
            Http::Two => {
                feed.sink.requested(feed.now());
                let (head, body) = http2::ask(feed, usual).await?.into_parts();
                let source = Source::Two(http2::Body::new(body), Bytes::new());
                (feed.stream_begins(head.status, &head.headers)?, source)
            }
        };
        if let Some(decoder) = &begun {
            feed.tally().opened(!decoder.is_identity());
        }
        feed.read_returned();
        Ok(begun.map(|decoder| Self { source, decoder }))
    }

    /// The next data; `None` where the stream ended. Before it waits, it tells the feed that all messages of the last read
    /// are handed over.
    pub(crate) async fn next<S: Sink>(&mut self, feed: &mut Feed<'_, S>) -> Result<Option<&[u8]>, ConnectionError> {
        loop {
            let length = match &mut self.source {
                Source::One(connection, body) => match connection.next_piece(body)? {
                    0 => {
                        feed.read_handed_out();
                        if !connection.more(*body).await? {
                            return Ok(None);
                        }
                        feed.read_returned();
                        continue;
                    }
                    length => length,
                },
                Source::Two(body, piece) => {
                    feed.read_handed_out();
                    let Some(next) = body.next().await? else { return Ok(None) };
                    feed.read_returned();
                    *piece = next;
                    piece.len()
                }
            };
            if self.decoder.is_identity() {
                return Ok(Some(self.source.take(length)));
            }
            self.decoder.decode(self.source.take(length))?;
            if !self.decoder.decoded().is_empty() {
                return Ok(Some(self.decoder.decoded()));
            }
        }
    }
}

impl Source {
    /// The next `length` bytes, which have come.
    fn take(&mut self, length: usize) -> &[u8] {
        match self {
            Self::One(connection, _) => connection.input.take(length),
            Self::Two(_, piece) => piece,
        }
    }
}
