//! A response that does not end, on its own connection.

use http::{HeaderName, HeaderValue};

use super::body::Body;
use super::connection::{Connection, Response};
use super::request::Request;
use crate::clients::error::ConnectionError;
use crate::clients::feed::Feed;
use crate::clients::io::Io;
use crate::clients::sink::Sink;
use crate::watch::wire::CountedStream;

/// The data of an endless body.
pub(crate) struct Stream<T> {
    connection: Connection<T>,
    body: Body,
}

impl Stream<CountedStream> {
    /// Sends the request; `None` where the topic is complete.
    pub(crate) async fn open<S: Sink>(
        feed: &mut Feed<'_, S>,
        usual: &[(HeaderName, HeaderValue)],
    ) -> Result<Option<Self>, ConnectionError> {
        let mut connection = Connection::open(feed).await?;
        feed.sink.requested(feed.now());
        let mut request = Request::new(feed, usual)?;
        connection.send(request.bytes(feed)?, feed.tally()).await?;
        drop(request);
        let Response { status, fields, body } = connection.response(feed.tally()).await?;
        let begun = feed.stream_begins(status, &fields)?;
        feed.read_returned();
        Ok(begun.map(|()| Self { connection, body }))
    }
}

impl<T: Io> Stream<T> {
    /// The next piece of data; `None` where the stream ended. Before it waits, it tells the feed that all messages of
    /// the last read are handed over.
    pub(crate) async fn next<S: Sink>(&mut self, feed: &mut Feed<'_, S>) -> Result<Option<&[u8]>, ConnectionError> {
        loop {
            let piece = self.connection.next_piece(&mut self.body)?;
            if piece > 0 {
                return Ok(Some(self.connection.input.take(piece)));
            }
            feed.read_handed_out();
            if !self.connection.more(self.body).await? {
                return Ok(None);
            }
            feed.read_returned();
        }
    }
}
