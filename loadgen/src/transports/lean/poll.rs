//! A poll on a connection that is kept.

use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use hyper::body::Incoming;

use super::http::{Connection, get};
use crate::transports::poll::{Answer, next_cursor};
use crate::transports::{ConnectionError, Feed, Sink};

pub(in crate::transports) struct Poller {
    path: String,
    connection: Option<Connection>,
}

impl Poller {
    pub(in crate::transports) fn new<S: Sink>(_: &Feed<'_, S>, path: &str) -> Result<Self, ConnectionError> {
        Ok(Self { path: path.to_owned(), connection: None })
    }

    /// Asks for what lies after the last cursor. A connection that was closed between two polls is
    /// made again, and so is one that was closed before it took the request, as a library does.
    pub(in crate::transports) async fn ask<S: Sink>(&mut self, feed: &Feed<'_, S>) -> Result<Answer, ConnectionError> {
        if let Some(mut connection) = self.connection.take()
            && connection.is_free().await
        {
            match self.ask_on(connection, feed).await {
                Err(ConnectionError::Connection(error)) if error.is_canceled() => {}
                answer => return answer,
            }
        }
        let connection = Connection::open(feed).await?;
        self.ask_on(connection, feed).await
    }

    async fn ask_on<S: Sink>(
        &mut self,
        mut connection: Connection,
        feed: &Feed<'_, S>,
    ) -> Result<Answer, ConnectionError> {
        let request = get(feed, &self.path, HeaderValue::from_static("*/*"))?;
        let mut response = connection.ask(request, feed.tally()).await?;
        let (status, next) = (response.status(), next_cursor(response.headers()));
        let body = whole(&mut connection, response.body_mut()).await?;
        self.connection = Some(connection);
        Ok(Answer { status, next, body })
    }
}

/// A body to its end; what comes in one piece is not copied.
async fn whole(connection: &mut Connection, body: &mut Incoming) -> Result<Bytes, ConnectionError> {
    let Some(first) = connection.piece(body).await.transpose()? else { return Ok(Bytes::new()) };
    let Some(second) = connection.piece(body).await.transpose()? else { return Ok(first) };
    let mut all = BytesMut::from(&first[..]);
    all.extend_from_slice(&second);
    while let Some(piece) = connection.piece(body).await.transpose()? {
        all.extend_from_slice(&piece);
    }
    Ok(all.freeze())
}
