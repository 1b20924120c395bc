//! One poll: ask for what lies after the last cursor. Short and long polling differ in when, the
//! clients in how they ask.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use pushoff_model::{Client, Cursor, RunInstant};

use super::line::LineBuffer;
use super::{ConnectionError, Feed, LAST_EVENT_ID, Polled, Sink, lean, library};

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
    /// The cursor for the next poll.
    pub(super) next: Option<Cursor>,
    pub(super) body: Bytes,
}

impl Poller {
    pub(super) fn new<S: Sink>(feed: &Feed<'_, S>, path: &str) -> Result<Self, ConnectionError> {
        match feed.subscription.client {
            Client::Library => library::Poller::new(feed, path).map(Self::Library),
            Client::Lean => lean::Poller::new(feed, path).map(Self::Lean),
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
        match answer.status {
            StatusCode::OK => {
                feed.opened();
                let mut lines = LineBuffer::default();
                lines.extend(&answer.body);
                while let Some(line) = lines.next_line() {
                    match self {
                        Self::Library(_) => feed.line(&line, polled)?,
                        Self::Lean(_) => feed.trusted_line(&line, polled)?,
                    }
                }
            }
            StatusCode::NO_CONTENT => {
                feed.opened();
                feed.tally().empty();
                feed.sink.polled_empty();
            }
            StatusCode::GONE => return Ok(Next::Complete),
            status => return Err(ConnectionError::Status(status.as_u16())),
        }
        feed.subscription.after = answer.next.or(feed.subscription.after);
        Ok(Next::GoOn)
    }
}

/// The cursor for the next poll, from the head of an answer.
pub(super) fn next_cursor(fields: &HeaderMap) -> Option<Cursor> {
    fields.get(LAST_EVENT_ID)?.to_str().ok()?.parse().ok()
}
