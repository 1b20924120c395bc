//! A poll on a connection that is kept.

use bytes::{Bytes, BytesMut};
use hyper::body::Incoming;

use super::http::{ANYTHING, Connection, get};
use crate::transports::poll::Answer;
use crate::transports::{ConnectionError, Feed, Sink};

pub(in crate::transports) struct Poller {
    connection: Option<Connection>,
}

impl Poller {
    pub(in crate::transports) fn new() -> Self {
        Self { connection: None }
    }

    /// Asks for what lies after the last message. A connection that was closed between two polls is
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
        let request = get(feed, ANYTHING)?;
        let mut response = connection.ask(request, feed.tally()).await?;
        let (status, head) = (response.status(), std::mem::take(response.headers_mut()));
        let body = whole(&mut connection, response.body_mut()).await?;
        self.connection = Some(connection);
        Ok(Answer { status, head, body })
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
