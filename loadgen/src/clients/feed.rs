//! The state of one subscription: its position, its sink, and what follows a broken connection.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http::header::CONTENT_ENCODING;
use http::{HeaderMap, StatusCode};
use pushoff_model::target::{Others, Technique, Units, Variable};
use pushoff_model::{Client, Cursor, RunInstant, Transport};

use super::backoff::BackOff;
use super::carrier::Carrier;
use super::coding::Decoder;
use super::error::{ConnectionError, SubscribeError};
use super::position::Position;
use super::request::{GetRequest, filled};
use super::sink::{Incoming, Polled, Sink};
use super::subscription::{Outbound, Subscription};
use super::units::{Reader, Trust, Unit, text};
use crate::wire::{Batch, Tally};

pub(crate) struct Feed<'a, S> {
    pub(crate) transport: Transport,
    pub(crate) subscription: Subscription,
    /// How the server speaks the transport.
    pub(crate) technique: &'a Technique,
    pub(crate) sink: &'a mut S,
    pub(crate) opened: Opened,
    pub(crate) position: Position,
    reader: Reader<'a>,
    /// Whether ids are pushoff's cursors and payloads those of pushoff's protocol.
    ours: bool,
    /// When the current read returned.
    read_at: Option<RunInstant>,
    /// Messages that are not in the tally yet.
    batch: Batch,
}

/// Whether a connection has been opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    Never,
    Before,
    Now,
}

/// How a connection ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The server said that the topic is complete.
    Complete,
    /// The stream ended cleanly, which can mean that the topic is complete.
    Closed,
}

impl<'a, S: Sink> Feed<'a, S> {
    pub(crate) fn new(
        transport: Transport,
        subscription: Subscription,
        technique: &'a Technique,
        sink: &'a mut S,
    ) -> Self {
        let ours = subscription.server.target.is_ours();
        let trust = match (subscription.client, ours) {
            (Client::Library | Client::Browser, _) => Trust::None,
            (Client::Lean, false) => Trust::Earned,
            (Client::Lean, true) => Trust::Given,
        };
        let (position, reader) = (Position::new(technique), Reader::new(&technique.parts, trust));
        Self {
            transport,
            subscription,
            technique,
            sink,
            opened: Opened::Never,
            position,
            reader,
            ours,
            read_at: None,
            batch: Batch::default(),
        }
    }

    pub(crate) fn now(&self) -> RunInstant {
        self.subscription.clock.now()
    }

    pub(crate) fn tally(&self) -> &Tally {
        self.subscription.wire.tally()
    }

    /// Opens a counted connection to the server.
    pub(crate) async fn connect(&self) -> Result<Carrier, ConnectionError> {
        let Subscription { wire, server, origin, .. } = &self.subscription;
        Carrier::connect(wire, server, origin).await.map_err(|error| ConnectionError::from(error).told())
    }

    /// Opens a counted connection in the clear, to another port of the server.
    pub(crate) async fn connect_raw(&self, to: SocketAddr) -> io::Result<Carrier> {
        Carrier::connect_raw(&self.subscription.wire, to, &self.subscription.origin).await
    }

    /// Whether compressed content was asked for.
    pub(crate) fn is_compressed(&self) -> bool {
        self.subscription.server.wire.compressed
    }

    /// The request for the messages after the current position.
    pub(crate) fn next_request(&self) -> Result<GetRequest, ConnectionError> {
        GetRequest::new(&self.subscription, self.technique, &self.position)
    }

    /// A read returned: its messages count as received now.
    pub(crate) fn read_returned(&mut self) {
        self.read_at = Some(self.now());
    }

    /// All messages of the last read are handed over.
    pub(crate) fn read_handed_out(&mut self) {
        self.read_at = None;
        self.settle();
    }

    /// Adds the messages of a read to the tally once all of them are handed over. The tally comes first: whoever
    /// waits for the last message then reads complete sums.
    fn settle(&mut self) {
        if self.read_at.is_none() {
            self.tally().add(&self.batch);
            self.batch = Batch::default();
            self.sink.settled();
        }
    }

    /// Reports missed messages; a notice with an id moves the position.
    fn missed(&mut self, count: Option<u64>, id: Option<&str>) -> Result<(), ConnectionError> {
        if let Some(id) = id {
            self.cursor(id)?;
            self.position.heard(Some(id));
        }
        self.sink.missed(count);
        self.settle();
        Ok(())
    }

    /// Parses an id as a cursor, where the server is pushoff.
    fn cursor(&self, id: &str) -> Result<Option<Cursor>, ConnectionError> {
        if self.ours { id.parse().map(Some).map_err(|_error| ConnectionError::Cursor) } else { Ok(None) }
    }

    /// A binary frame is ignored where the target allows foreign messages.
    pub(crate) fn binary(&mut self) -> Result<(), ConnectionError> {
        self.sink.binary();
        match self.subscription.server.target.dialect.others {
            Others::Ignore => Ok(()),
            Others::Refuse => Err(ConnectionError::Binary),
        }
    }

    /// Reports once a connection that the stream is open.
    pub(crate) fn opened(&mut self) {
        if self.opened != Opened::Now {
            self.opened = Opened::Now;
            self.sink.opened(self.now());
        }
    }

    /// Hands on the message or notice of a unit; whether it held one.
    pub(crate) fn unit(&mut self, unit: &[u8], polled: Option<Polled>) -> Result<bool, ConnectionError> {
        self.hand_on(unit, None, polled)
    }

    /// Hands on an event with this type and this id.
    pub(crate) fn event(&mut self, kind: &[u8], id: Option<&str>, data: &[u8]) -> Result<(), ConnectionError> {
        if let Units::Events { missed: Some(missed) } = &self.technique.units
            && missed.as_bytes() == kind
        {
            return match serde_json::from_slice(data) {
                Ok(count) => self.missed(count, id),
                Err(error) => self.strange(data, error),
            };
        }
        self.hand_on(data, id, None).map(drop)
    }

    fn hand_on(&mut self, unit: &[u8], outer: Option<&str>, polled: Option<Polled>) -> Result<bool, ConnectionError> {
        match self.reader.read(unit) {
            Ok(Unit::Message { id, payload }) => self.message(id.as_deref().or(outer), payload, polled).map(|()| true),
            Ok(Unit::Missed { count, id }) => self.missed(count, id.as_deref().or(outer)).map(|()| true),
            Ok(Unit::Other) => {
                self.sink.strange(unit);
                Ok(false)
            }
            Err(error) => self.strange(unit, error).map(|()| false),
        }
    }

    /// Content that holds no message is ignored where the target allows foreign messages.
    fn strange(&mut self, unit: &[u8], error: serde_json::Error) -> Result<(), ConnectionError> {
        self.sink.strange(unit);
        match self.subscription.server.target.dialect.others {
            Others::Ignore => Ok(()),
            Others::Refuse => Err(ConnectionError::Unit(error)),
        }
    }

    fn message(&mut self, id: Option<&str>, found: &[u8], polled: Option<Polled>) -> Result<(), ConnectionError> {
        let received = self.read_at.unwrap_or_else(|| self.now());
        let cursor = match id {
            Some(id) => self.cursor(id)?,
            None if self.ours => return Err(ConnectionError::Cursor),
            None => None,
        };
        self.position.heard(id);
        self.batch.message(self.subscription.server.wire, self.transport, cursor, found);
        if let Some(payload) = text(found) {
            self.sink.message(Incoming { cursor, payload: &payload, received, polled });
        }
        self.settle();
        Ok(())
    }

    /// The first message to send on a WebSocket. An unknown id is left out.
    pub(crate) fn hello(&self) -> Option<String> {
        let mut out = String::new();
        self.technique.hello.as_ref()?.fill(&mut out, |variable| match variable {
            Variable::Topic => Some(self.subscription.topic.as_str()),
            Variable::Id => self.position.value(variable).or(Some("")),
            Variable::Payload | Variable::Quoted | Variable::Wait | Variable::Field(_) => None,
        });
        Some(out)
    }

    /// The form of a payload on the subscriber's own WebSocket.
    pub(crate) fn spoken<'p>(&self, payload: &'p str) -> Cow<'p, str> {
        match &self.technique.speaks {
            Some(speaks) if !speaks.is_just(&Variable::Payload) => {
                Cow::Owned(filled(speaks, &self.subscription.topic, payload))
            }
            _as_it_is => Cow::Borrowed(payload),
        }
    }

    /// Counts written messages, and tells their publisher.
    pub(crate) fn wrote(&mut self, outbound: Outbound) {
        let (messages, bytes) = outbound.size();
        self.tally().spoken(bytes);
        self.sink.wrote(messages);
        // The publisher may have stopped waiting.
        outbound.written.send(()).unwrap_or_default();
    }

    /// Whether a status says that the topic is complete.
    pub(crate) fn is_complete(&self, status: StatusCode) -> bool {
        self.completes() && matches!(status, StatusCode::GONE)
    }

    /// Whether the server can complete topics.
    pub(crate) fn completes(&self) -> bool {
        self.subscription.server.target.dialect.complete.is_some()
    }

    /// Checks the head of a stream's response, and gives the decoder of its body; `None` where the topic is complete.
    pub(crate) fn stream_begins(
        &mut self,
        status: StatusCode,
        head: &HeaderMap,
    ) -> Result<Option<Decoder>, ConnectionError> {
        match status {
            StatusCode::OK => {
                let coding = head.get(CONTENT_ENCODING).and_then(|coding| coding.to_str().ok());
                let decoder = Decoder::of(coding, self.is_compressed())?;
                self.position.answered(head);
                self.opened();
                Ok(Some(decoder))
            }
            StatusCode::GONE | StatusCode::NO_CONTENT if self.completes() => Ok(None),
            status => Err(ConnectionError::Status(status.as_u16())),
        }
    }

    pub(crate) async fn after_a_break(
        &mut self,
        error: ConnectionError,
        backoff: &mut BackOff,
    ) -> Result<(), SubscribeError> {
        let server = &self.subscription.server;
        // Whoever loses a server goes to any other, and from there in turn.
        let next = if self.opened == Opened::Now { server.another(rand::random()) } else { server.next() };
        match self.opened {
            // Where there are several servers, one may be away.
            Opened::Never if next.is_some() && error.is_refused() => {}
            Opened::Never => return Err(SubscribeError::Connect(error)),
            Opened::Now => backoff.reset(),
            Opened::Before => {}
        }
        if self.opened == Opened::Now {
            self.opened = Opened::Before;
        }
        if error.is_final() {
            return Err(SubscribeError::Refused(error));
        }
        if self.sink.broke(&error).is_break() {
            return Err(SubscribeError::Stopped(error));
        }
        let Some(wait) = backoff.next(&error) else {
            return Err(SubscribeError::Gone(error));
        };
        tokio::time::sleep(wait).await;
        if let Some(next) = next {
            self.subscription.server = next;
            // Those with whom it shared a connection may be on their way to other servers.
            self.subscription.group = Arc::default();
        }
        Ok(())
    }
}
