//! One poll: ask for what lies after the last message. Short and long polling differ in when, the
//! clients in how they ask.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode};
use pushoff_model::foreign::{NAME, shown};
use pushoff_model::target::Units;
use pushoff_model::{Client, RunInstant};

use super::texts::TextBuffer;
use super::unit::elements;
use super::{ConnectionError, Feed, Polled, Sink, lean, library};

/// A client that polls one address.
pub(super) enum Poller {
    Library(library::Poller),
    Lean(Box<lean::Poller>),
}

/// What a poll's answer means for the next.
pub(super) enum Next {
    GoOn,
    /// It brought nothing.
    Empty,
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
            Client::Library | Client::Browser => library::Poller::new(feed).map(Self::Library),
            Client::Lean => lean::Poller::new(feed).map(|poller| Self::Lean(Box::new(poller))),
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
        match self {
            Self::Library(poller) => {
                let Answer { status, head, body } = poller.ask(feed).await?;
                answered(feed, status, |name| head.get(name)?.to_str().ok(), &body, polled)
            }
            Self::Lean(poller) => poller.poll(feed, polled).await,
        }
    }
}

/// Whether an answer's head is one to a poll: its body is worth reading.
pub(super) fn is_answer(status: StatusCode, coding: Option<&str>) -> Result<(), ConnectionError> {
    match status {
        StatusCode::OK => uncoded(coding),
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::GONE => Ok(()),
        status => Err(ConnectionError::Status(status.as_u16())),
    }
}

/// Refuses content that is coded: nobody here asks for that, nor reads it (RFC 9110 §8.4).
pub(super) fn uncoded(coding: Option<&str>) -> Result<(), ConnectionError> {
    match coding.map(str::trim) {
        None | Some("") => Ok(()),
        Some(coding) if coding.eq_ignore_ascii_case("identity") => Ok(()),
        Some(coding) => Err(ConnectionError::Compressed(shown(coding, NAME))),
    }
}

/// Hands on what an answer brings that is there whole.
pub(super) fn answered<'h, S: Sink>(
    feed: &mut Feed<'_, S>,
    status: StatusCode,
    field: impl Fn(&HeaderName) -> Option<&'h str>,
    body: &[u8],
    polled: Option<Polled>,
) -> Result<Next, ConnectionError> {
    if feed.is_complete(status) {
        return Ok(Next::Complete);
    }
    let said = match status {
        StatusCode::OK => {
            feed.opened();
            units(body, feed, polled)?
        }
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => {
            feed.opened();
            false
        }
        status => return Err(ConnectionError::Status(status.as_u16())),
    };
    feed.place.answered_with(field);
    if !said {
        feed.tally().empty();
        feed.sink.polled_empty();
        return Ok(Next::Empty);
    }
    Ok(Next::GoOn)
}

/// Hands on the units of a body; whether any of them said anything.
fn units<S: Sink>(body: &[u8], feed: &mut Feed<'_, S>, polled: Option<Polled>) -> Result<bool, ConnectionError> {
    let mut said = false;
    match &feed.technique.units {
        Units::Whole => said = feed.unit(body, polled)?,
        Units::Array(array) => {
            for unit in elements(body, array).map_err(ConnectionError::Unit)? {
                said |= feed.unit(unit.get().as_bytes(), polled)?;
            }
        }
        Units::Texts => {
            let mut texts = TextBuffer::default();
            texts.extend(body);
            while let Some(unit) = texts.next_text().or_else(|| texts.rest()) {
                said |= feed.unit(&unit, polled)?;
            }
        }
        Units::Lines | Units::Events { .. } | Units::Frames => {
            let mut begin = 0;
            for end in memchr::memchr_iter(b'\n', body).chain([body.len()]) {
                said |= begin < end && feed.unit(&body[begin..end], polled)?;
                begin = end + 1;
            }
        }
    }
    Ok(said)
}
