//! A poll on a connection that is kept.

use http::header::CONTENT_ENCODING;
use http::{HeaderMap, StatusCode};

use crate::clients::answer::{Next, answered, is_answer};
use crate::clients::error::{ConnectionError, LONGEST_ANSWER};
use crate::clients::feed::Feed;
use crate::clients::http::{ANYTHING, Body, Connection, Request, pieces};
use crate::clients::sink::{Polled, Sink};

pub(crate) struct Poller {
    request: Request,
    connection: Option<Connection>,
    /// A body that comes in parts.
    text: Vec<u8>,
}

/// What the read that brought an answer's head brought of its body.
enum Came {
    Whole(Next),
    Part { status: StatusCode, fields: HeaderMap, body: Body },
}

impl Poller {
    pub(crate) fn new<S: Sink>(feed: &Feed<'_, S>) -> Result<Self, ConnectionError> {
        Ok(Self { request: Request::new(feed, &[ANYTHING])?, connection: None, text: Vec::new() })
    }

    /// Asks for what lies after the last message, and hands on what comes. A connection that was
    /// closed between two polls is made again, as a library does; one that is closed instead of an
    /// answer has broken.
    pub(crate) async fn poll<S: Sink>(
        &mut self,
        feed: &mut Feed<'_, S>,
        polled: Option<Polled>,
    ) -> Result<Next, ConnectionError> {
        let mut connection = match self.connection.take() {
            Some(connection) if connection.is_free().await => connection,
            Some(_) | None => Connection::open(feed).await?,
        };
        let (next, keeps) = self.ask_on(&mut connection, feed, polled).await?;
        self.connection = keeps.then_some(connection);
        Ok(next)
    }

    /// Asks once; whether the connection may be asked again is told beside what comes.
    async fn ask_on<S: Sink>(
        &mut self,
        connection: &mut Connection,
        feed: &mut Feed<'_, S>,
        polled: Option<Polled>,
    ) -> Result<(Next, bool), ConnectionError> {
        connection.send(self.request.bytes(feed)?, feed.tally()).await?;
        let text = &mut self.text;
        let came = connection.head(feed, |feed, head, behind| {
            is_answer(head.status, head.text(&CONTENT_ENCODING))?;
            let (mut body, mut rest) = (head.body, behind);
            let first = body.next_piece(&mut rest).map_err(ConnectionError::Response)?.unwrap_or_default();
            text.clear();
            pieces(&mut body, rest, |piece| {
                if text.is_empty() {
                    text.extend_from_slice(first);
                }
                add(text, piece)
            })?;
            if body.is_over() && text.is_empty() {
                let next = feed.read(|feed| answered(feed, head.status, |name| head.text(name), first, polled))?;
                return Ok((Came::Whole(next), head.keeps));
            }
            if text.is_empty() {
                text.extend_from_slice(first);
            }
            Ok((Came::Part { status: head.status, fields: head.fields(), body }, head.keeps))
        });
        let (came, keeps) = came.await?;
        let (status, fields, mut body) = match came {
            Came::Whole(next) => return Ok((next, keeps)),
            Came::Part { status, fields, body } => (status, fields, body),
        };
        while !body.is_over()
            && connection.more(&mut body, |body, read| pieces(body, read, |piece| add(text, piece))).await?
        {}
        let field = |name: &_| fields.get(name).and_then(|value| value.to_str().ok());
        let next = feed.read(|feed| answered(feed, status, field, text, polled))?;
        // Few answers are so long, and idle connections are many.
        *text = Vec::new();
        Ok((next, keeps))
    }
}

fn add(text: &mut Vec<u8>, piece: &[u8]) -> Result<(), ConnectionError> {
    if text.len() + piece.len() > LONGEST_ANSWER {
        return Err(ConnectionError::long_answer());
    }
    text.extend_from_slice(piece);
    Ok(())
}
