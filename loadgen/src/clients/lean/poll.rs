//! Polls on a connection that is kept open.

use http::header::CONTENT_ENCODING;
use http::{HeaderMap, StatusCode};
use pushoff_model::Http;

use crate::clients::answer::{Next, answered, is_answer};
use crate::clients::carrier::Carrier;
use crate::clients::coding::Decoder;
use crate::clients::error::{ConnectionError, LONGEST_ANSWER};
use crate::clients::feed::Feed;
use crate::clients::http::{ANYTHING, Body, Connection, Head, Request, field_room};
use crate::clients::http2;
use crate::clients::io::Input;
use crate::clients::sink::{Polled, Sink};

pub(crate) struct Poller {
    request: Request,
    connection: Option<Connection<Carrier>>,
    /// The body of an answer that came in several reads or chunks, or in a coding.
    text: Vec<u8>,
}

/// The first read of an answer, and whether its connection can be used again.
enum Came {
    Whole { next: Next, keeps: bool },
    Part { status: StatusCode, fields: HeaderMap, body: Body, keeps: bool },
}

impl Poller {
    pub(crate) fn new<S: Sink>(feed: &Feed<'_, S>) -> Result<Self, ConnectionError> {
        Ok(Self { request: Request::new(feed, &[ANYTHING])?, connection: None, text: Vec::new() })
    }

    /// Sends one poll and hands on its answer. A connection that the server closed between two polls is opened again,
    /// as a library does; one that it closes instead of answering is broken.
    pub(crate) async fn poll<S: Sink>(
        &mut self,
        feed: &mut Feed<'_, S>,
        polled: Option<Polled>,
    ) -> Result<Next, ConnectionError> {
        match feed.subscription.server.wire.http {
            Http::One => self.poll_http1(feed, polled).await,
            Http::Two => {
                let (head, body) = http2::ask(feed, &[ANYTHING]).await?.into_parts();
                let body = http2::Body::new(body).whole().await?;
                hand_on(feed, head.status, &head.headers, &body, polled)
            }
        }
    }

    async fn poll_http1<S: Sink>(
        &mut self,
        feed: &mut Feed<'_, S>,
        polled: Option<Polled>,
    ) -> Result<Next, ConnectionError> {
        let free = match self.connection.take() {
            Some(mut connection) => connection.is_free().await.then_some(connection),
            None => None,
        };
        let mut connection = match free {
            Some(connection) => connection,
            None => Connection::open(feed).await?,
        };
        connection.send(self.request.bytes(feed)?, feed.tally()).await?;
        let came = loop {
            connection.fill().await?;
            if let Some(came) = self.first_read(&connection.input, feed, polled)? {
                break came;
            }
        };
        connection.input.clear();
        let (next, keeps) = match came {
            Came::Whole { next, keeps } => (next, keeps),
            Came::Part { status, fields, body, keeps } => {
                self.rest_of(&mut connection, body).await?;
                let next = hand_on(feed, status, &fields, &self.text, polled)?;
                // Long answers are rare, and idle connections are many.
                self.text = Vec::new();
                (next, keeps)
            }
        };
        self.connection = keeps.then_some(connection);
        Ok(next)
    }

    /// Parses the head, and hands on the answer where its body is complete; `None` where the head is incomplete.
    fn first_read<S: Sink>(
        &mut self,
        input: &Input,
        feed: &mut Feed<'_, S>,
        polled: Option<Polled>,
    ) -> Result<Option<Came>, ConnectionError> {
        let mut room = field_room();
        let Some(head) = Head::parse(input.bytes(), &mut room).map_err(ConnectionError::Response)? else {
            return Ok(None);
        };
        feed.tally().response_of(head.length as u64);
        let is_plain = is_answer(head.status, head.text(&CONTENT_ENCODING), feed.is_compressed())?.is_identity();
        let (mut body, keeps, mut rest) = (head.body, head.keeps, &input.bytes()[head.length..]);
        let first = body.piece(&mut rest)?.unwrap_or_default();
        self.text.clear();
        while let Some(piece) = body.piece(&mut rest)? {
            if self.text.is_empty() {
                self.text.extend_from_slice(first);
            }
            add(&mut self.text, piece)?;
        }
        if is_plain && body.is_over() && self.text.is_empty() {
            feed.read_returned();
            let next = answered(feed, head.status, |name| head.text(name), first, polled)?;
            feed.read_handed_out();
            return Ok(Some(Came::Whole { next, keeps }));
        }
        if self.text.is_empty() {
            self.text.extend_from_slice(first);
        }
        Ok(Some(Came::Part { status: head.status, fields: head.fields(), body, keeps }))
    }

    async fn rest_of(&mut self, connection: &mut Connection<Carrier>, mut body: Body) -> Result<(), ConnectionError> {
        while connection.more(body).await? {
            let mut rest = connection.input.bytes();
            while let Some(piece) = body.piece(&mut rest)? {
                add(&mut self.text, piece)?;
            }
            connection.input.clear();
        }
        Ok(())
    }
}

/// Hands on an answer that has come whole, decoded.
fn hand_on<S: Sink>(
    feed: &mut Feed<'_, S>,
    status: StatusCode,
    fields: &HeaderMap,
    body: &[u8],
    polled: Option<Polled>,
) -> Result<Next, ConnectionError> {
    feed.read_returned();
    let field = |name: &_| fields.get(name).and_then(|value| value.to_str().ok());
    let mut decoder: Decoder = is_answer(status, field(&CONTENT_ENCODING), feed.is_compressed())?;
    decoder.decode(body)?;
    let text = if decoder.is_identity() { body } else { decoder.decoded() };
    let next = answered(feed, status, field, text, polled)?;
    feed.read_handed_out();
    Ok(next)
}

fn add(text: &mut Vec<u8>, piece: &[u8]) -> Result<(), ConnectionError> {
    if text.len() + piece.len() > LONGEST_ANSWER {
        return Err(ConnectionError::long_answer());
    }
    text.extend_from_slice(piece);
    Ok(())
}
