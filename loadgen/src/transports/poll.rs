//! One poll: ask for what lies after the last message. Short and long polling differ in when, the
//! clients in how they ask.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use pushoff_model::target::Units;
use pushoff_model::{Client, RunInstant};

use super::unit::elements;
use super::units::UnitBuffer;
use super::{ConnectionError, Feed, Polled, Sink, lean, library};

/// A client that polls one address.
pub(super) enum Poller {
    Library(library::Poller),
    Lean(lean::Poller),
}

/// What a poll's answer means for the next.
pub(super) enum Next {
    GoOn,
    Complete,
}

/// A poll's answer, whole.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) head: HeaderMap,
    pub(super) body: Bytes,
}

impl Poller {
    pub(super) fn new<S: Sink>(feed: &Feed<'_, S>) -> Result<Self, ConnectionError> {
        match feed.subscription.client {
            Client::Library => library::Poller::new(feed).map(Self::Library),
            Client::Lean => Ok(Self::Lean(lean::Poller::new())),
        }
    }

    /// Asks once, which was to be done at `due`, and hands on what comes.
    pub(super) async fn poll<S: Sink>(
        &mut self,
        feed: &mut Feed<'_, S>,
        due: RunInstant,
    ) -> Result<Next, ConnectionError> {
        let sent = feed.now();
        // A timer's beat may lie a rounding ahead of the clock.
        let polled = Some(Polled { due: due.min(sent), sent });
        feed.sink.requested(sent);
        let answer = match self {
            Self::Library(poller) => poller.ask(feed).await?,
            Self::Lean(poller) => poller.ask(feed).await?,
        };
        if feed.is_complete(answer.status) {
            return Ok(Next::Complete);
        }
        let said = match answer.status {
            StatusCode::OK => {
                feed.opened();
                units(&answer.body, feed, polled)?
            }
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => {
                feed.opened();
                false
            }
            status => return Err(ConnectionError::Status(status.as_u16())),
        };
        feed.place.answered(&answer.head);
        if !said {
            feed.tally().empty();
            feed.sink.polled_empty();
        }
        Ok(Next::GoOn)
    }
}

/// Hands on the units of a body; whether any of them said anything.
fn units<S: Sink>(body: &Bytes, feed: &mut Feed<'_, S>, polled: Option<Polled>) -> Result<bool, ConnectionError> {
    let mut said = false;
    match &feed.technique.units {
        Units::Whole => said = feed.unit(body, polled)?,
        Units::Array(array) => {
            for unit in elements(body, array).map_err(ConnectionError::Unit)? {
                said |= feed.unit(unit.get().as_bytes(), polled)?;
            }
        }
        units @ (Units::Lines | Units::Texts | Units::Events { .. } | Units::Frames) => {
            let mut buffer = UnitBuffer::new(units);
            buffer.extend(body);
            while let Some(unit) = buffer.next_unit().or_else(|| buffer.rest()) {
                said |= feed.unit(&unit, polled)?;
            }
        }
    }
    Ok(said)
}
