//! One HTTP/1.1 connection: a request as one write, an answer out of the room that all share.
//! Source: RFC 9112.

use http::HeaderValue;
use http::header::{ACCEPT, HeaderName};
use tokio::io::AsyncWriteExt;

use super::body::Body;
use super::head::Head;
use super::request::Request;
use crate::clients::error::ConnectionError;
use crate::clients::feed::{Ended, Feed};
use crate::clients::io;
use crate::clients::sink::Sink;
use crate::watch::wire::{Tally, Tapped};

/// What a client accepts that has no wish.
pub(crate) const ANYTHING: (HeaderName, HeaderValue) = (ACCEPT, HeaderValue::from_static("*/*"));

/// A connection of a subscriber.
pub(crate) struct Connection {
    socket: Tapped,
    /// The part of a head that has come, where it came in parts.
    begun: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open<S: Sink>(feed: &Feed<'_, S>) -> Result<Self, ConnectionError> {
        let socket = feed.connect(feed.subscription.server.http).await?;
        Ok(Self { socket, begun: Vec::new() })
    }

    /// Whether another request can be sent: nothing has come that nobody asked for, the end neither.
    pub(crate) async fn is_free(&self) -> bool {
        // Looks only where the system has already said that there is something to be seen.
        tokio::select! {
            biased;
            _end_or_error = io::read(&self.socket, |_bytes| ()) => false,
            () = std::future::ready(()) => true,
        }
    }

    /// Sends a request.
    pub(crate) async fn send(&mut self, request: &[u8], tally: &Tally) -> Result<(), ConnectionError> {
        self.socket.write_all(request).await?;
        tally.request_of(request.len() as u64);
        Ok(())
    }

    /// Waits for the head of an answer and lends it, with what came behind it in the same read.
    pub(crate) async fn head<S: Sink, T>(
        &mut self,
        feed: &mut Feed<'_, S>,
        mut take: impl FnMut(&mut Feed<'_, S>, Head<'_>, &[u8]) -> Result<T, ConnectionError>,
    ) -> Result<T, ConnectionError> {
        loop {
            let Self { socket, begun } = self;
            let taken = io::read(socket, |read| {
                if read.is_empty() {
                    return Err(ConnectionError::Ended);
                }
                let was_begun = !begun.is_empty();
                if was_begun {
                    begun.extend_from_slice(read);
                }
                let taken = Head::read(if was_begun { &*begun } else { read }, |head, behind| {
                    feed.tally().response_of(head.bytes as u64);
                    take(feed, head, behind)
                });
                match taken.map_err(ConnectionError::Response)? {
                    Some(taken) => taken.map(Some),
                    None if was_begun => Ok(None),
                    None => {
                        begun.extend_from_slice(read);
                        Ok(None)
                    }
                }
            });
            if let Some(taken) = taken.await?? {
                self.begun.clear();
                return Ok(taken);
            }
        }
    }

    /// Waits for more of a body that is not over, and lends what a read brings; `false` where that
    /// was its end.
    pub(crate) async fn more(
        &self,
        body: &mut Body,
        mut take: impl FnMut(&mut Body, &[u8]) -> Result<(), ConnectionError>,
    ) -> Result<bool, ConnectionError> {
        let taken = io::read(&self.socket, |read| match read {
            [] if body.may_end() => Ok(false),
            [] => Err(ConnectionError::Ended),
            read => take(body, read).map(|()| !body.is_over()),
        });
        taken.await?
    }

    /// The socket, once the server has agreed to speak another protocol.
    pub(crate) fn into_socket(self) -> Tapped {
        self.socket
    }
}

/// Takes the data out of what a read brought of a body.
pub(crate) fn pieces(
    body: &mut Body,
    read: &[u8],
    mut take: impl FnMut(&[u8]) -> Result<(), ConnectionError>,
) -> Result<(), ConnectionError> {
    let mut rest = read;
    while let Some(piece) = body.next_piece(&mut rest).map_err(ConnectionError::Response)? {
        take(piece)?;
    }
    // Behind a body that is over: nothing was asked that this could be the answer to.
    if rest.is_empty() { Ok(()) } else { Err(ConnectionError::Response("it is longer than it says")) }
}

/// Asks for a response that does not end, and hands on the data of its body as it comes.
pub(crate) async fn stream<S: Sink>(
    feed: &mut Feed<'_, S>,
    usual: &[(HeaderName, HeaderValue)],
    mut take: impl FnMut(&mut Feed<'_, S>, &[u8]) -> Result<(), ConnectionError>,
) -> Result<Ended, ConnectionError> {
    let mut connection = Connection::open(feed).await?;
    feed.sink.requested(feed.now());
    let mut request = Request::new(feed, usual)?;
    connection.send(request.bytes(feed)?, feed.tally()).await?;
    drop(request);
    let begun = connection.head(feed, |feed, head, behind| {
        if feed.stream_begins(head.status, &head.fields())?.is_none() {
            return Ok(None);
        }
        let mut body = head.body;
        feed.read(|feed| pieces(&mut body, behind, |piece| take(feed, piece)))?;
        Ok(Some(body))
    });
    let Some(mut body) = begun.await? else { return Ok(Ended::Complete) };
    while !body.is_over()
        && connection
            .more(&mut body, |body, read| feed.read(|feed| pieces(body, read, |piece| take(feed, piece))))
            .await?
    {}
    Ok(Ended::Closed)
}
