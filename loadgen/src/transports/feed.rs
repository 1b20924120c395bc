//! A subscription under way: where it stands, who listens, and what follows a break.

use std::io;
use std::net::SocketAddr;

use http::{HeaderMap, HeaderValue, StatusCode};
use pushoff_model::{Cursor, RunInstant, Transport};

use super::backoff::BackOff;
use super::{ConnectionError, Incoming, LAST_EVENT_ID, Polled, Sink, SubscribeError, Subscription, line};
use crate::taps::{Tally, Tapped};

pub(super) struct Feed<'a, S> {
    pub(super) transport: Transport,
    pub(super) subscription: Subscription,
    pub(super) sink: &'a mut S,
    pub(super) opened: Opened,
}

/// What has become of the subscription's connections so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    Never,
    Before,
    Now,
}

impl<S: Sink> Feed<'_, S> {
    pub(super) fn now(&self) -> RunInstant {
        self.subscription.clock.now()
    }

    pub(super) fn tally(&self) -> &Tally {
        self.subscription.taps.tally()
    }

    /// A tapped connection to the server.
    pub(super) async fn connect(&self, target: SocketAddr) -> io::Result<Tapped> {
        Tapped::connect(&self.subscription.taps, target, self.subscription.source).await
    }

    /// The field that says where to go on.
    pub(super) fn resume(&self, fields: &mut HeaderMap) {
        if let Some(after) = self.subscription.after {
            // A cursor is digits and a dash: always a field value.
            if let Ok(value) = HeaderValue::try_from(after.to_string()) {
                fields.insert(LAST_EVENT_ID, value);
            }
        }
    }

    /// The stream is open; told once a connection.
    pub(super) fn opened(&mut self) {
        if self.opened != Opened::Now {
            self.opened = Opened::Now;
            self.sink.opened(self.now());
        }
    }

    pub(super) fn message(&mut self, cursor: Cursor, payload: &[u8], polled: Option<Polled>) {
        let received = self.now();
        self.subscription.after = Some(cursor);
        // Before the sink knows of it: whoever waits for the last message then reads whole sums.
        self.tally().message(self.transport, cursor, payload);
        self.sink.message(Incoming { cursor, payload, received, polled });
    }

    /// Hands on what a JSON line says.
    pub(super) fn line(&mut self, bytes: &[u8], polled: Option<Polled>) -> Result<(), ConnectionError> {
        let line = line::parse(bytes).map_err(ConnectionError::Line)?;
        self.said(line, polled);
        Ok(())
    }

    /// Hands on what a JSON line says that a server of the wire contract wrote.
    pub(super) fn trusted_line(&mut self, bytes: &[u8], polled: Option<Polled>) -> Result<(), ConnectionError> {
        let line = line::parse_trusted(bytes).map_err(ConnectionError::Line)?;
        self.said(line, polled);
        Ok(())
    }

    fn said(&mut self, line: line::Line<'_>, polled: Option<Polled>) {
        match line {
            line::Line::Message { cursor, payload } => self.message(cursor, payload.as_bytes(), polled),
            line::Line::Missed(count) => self.sink.missed(count),
            line::Line::Open(_) => self.opened(),
            line::Line::Heartbeat => {}
        }
    }

    /// Reads the head of a stream's response; `None` says that the topic is complete.
    pub(super) fn stream_begins(&mut self, status: StatusCode) -> Result<Option<()>, ConnectionError> {
        match status {
            StatusCode::OK => {
                self.opened();
                Ok(Some(()))
            }
            StatusCode::GONE | StatusCode::NO_CONTENT => Ok(None),
            status => Err(ConnectionError::Status(status.as_u16())),
        }
    }

    pub(super) async fn after_a_break(
        &mut self,
        error: ConnectionError,
        backoff: &mut BackOff,
    ) -> Result<(), SubscribeError> {
        match self.opened {
            Opened::Never => return Err(SubscribeError::Connect(error)),
            Opened::Now => backoff.reset(),
            Opened::Before => {}
        }
        self.opened = Opened::Before;
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
        Ok(())
    }
}
