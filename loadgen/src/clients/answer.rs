//! Hands on the messages of an answer to a poll.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode};
use pushoff_model::target::Units;

use super::coding::Decoder;
use super::error::ConnectionError;
use super::feed::Feed;
use super::sink::{Polled, Sink};
use super::units::{Texts, elements, split_line};

/// The next step after a poll.
pub(crate) enum Next {
    GoOn,
    /// The answer held no message.
    Empty,
    Complete,
}

/// The whole answer to a poll.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) head: HeaderMap,
    pub(crate) body: Bytes,
}

/// Refuses an answer whose status or coding makes its body useless; the decoder of its body.
pub(crate) fn is_answer(status: StatusCode, coding: Option<&str>, is_asked: bool) -> Result<Decoder, ConnectionError> {
    match status {
        StatusCode::OK => Decoder::of(coding, is_asked),
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::GONE => Ok(Decoder::Identity),
        status => Err(ConnectionError::Status(status.as_u16())),
    }
}

/// Hands on the messages of a whole answer.
pub(crate) fn answered<'h, S: Sink>(
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
            feed.tally().answer_of(body.len());
            units(body, feed, polled)?
        }
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => {
            feed.opened();
            false
        }
        status => return Err(ConnectionError::Status(status.as_u16())),
    };
    feed.position.answered_with(field);
    if !said {
        feed.tally().empty();
        feed.sink.polled_empty();
        return Ok(Next::Empty);
    }
    Ok(Next::GoOn)
}

/// Hands on the units of a body; whether any of them held a message or a notice.
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
            let (mut texts, mut rest) = (Texts::default(), body);
            while let Some(unit) = texts.next(&mut rest) {
                said |= feed.unit(unit, polled)?;
            }
            if let Some(unit) = texts.rest() {
                said |= feed.unit(unit, polled)?;
            }
        }
        Units::Lines | Units::Events { .. } | Units::Frames => {
            let mut rest = body;
            while let Some(unit) = split_line(&mut rest) {
                said |= feed.unit(unit, polled)?;
            }
            said |= feed.unit(rest, polled)?;
        }
    }
    Ok(said)
}
