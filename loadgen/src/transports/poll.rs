//! One poll: ask for what lies after the last cursor. Short and long polling differ in when.

use http::StatusCode;
use pushoff_model::{Cursor, Topic};
use reqwest::Url;
use reqwest::header::HeaderName;

use super::line::LineBuffer;
use super::{ConnectionError, Feed, Polled, Sink};
use crate::target::{Target, http_client};

/// Where a client says, and a poll's answer too, which message is the last it has.
pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A client that polls one address.
pub(super) struct Poller {
    client: reqwest::Client,
    url: Url,
}

/// What a poll's answer means for the next.
pub(super) enum Answer {
    GoOn,
    Complete,
}

impl Poller {
    pub(super) fn new(target: &Target, topic: &Topic, path: &str) -> Result<Self, ConnectionError> {
        Ok(Self { client: http_client()?, url: target.subscription(topic, path) })
    }

    /// Asks once and hands on what comes.
    pub(super) async fn poll<S: Sink>(&self, feed: &mut Feed<'_, S>) -> Result<Answer, ConnectionError> {
        let mut request = self.client.get(self.url.clone());
        if let Some(after) = feed.subscription.after {
            request = request.header(LAST_EVENT_ID, after.to_string());
        }
        let sent = feed.now();
        let polled = Polled { due: sent, sent };
        feed.sink.requested(sent);
        let response = request.send().await?;
        let next = cursor(&response);
        match response.status() {
            StatusCode::OK => {
                let mut lines = LineBuffer::default();
                lines.extend(&response.bytes().await?);
                feed.opened();
                while let Some(line) = lines.next_line() {
                    feed.line(&line, Some(polled))?;
                }
            }
            StatusCode::NO_CONTENT => {
                feed.opened();
                feed.sink.polled_empty();
            }
            StatusCode::GONE => return Ok(Answer::Complete),
            status => return Err(ConnectionError::Status(status.as_u16())),
        }
        feed.subscription.after = next.or(feed.subscription.after);
        Ok(Answer::GoOn)
    }
}

/// The cursor for the next poll, from the head of an answer.
pub(crate) fn cursor(response: &reqwest::Response) -> Option<Cursor> {
    response.headers().get(LAST_EVENT_ID)?.to_str().ok()?.parse().ok()
}
