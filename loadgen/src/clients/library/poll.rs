//! A poll by `reqwest`.

use http::header::CONTENT_ENCODING;

use super::requests::Requests;
use crate::clients::answer::{Answer, is_answer};
use crate::clients::error::{ConnectionError, LONGEST_ANSWER};
use crate::clients::feed::Feed;
use crate::clients::http_client::bounded_body;
use crate::clients::sink::Sink;

pub(crate) struct Poller(Requests);

impl Poller {
    pub(crate) fn new<S: Sink>(feed: &Feed<'_, S>) -> Result<Self, ConnectionError> {
        Requests::new(&feed.subscription).map(Self)
    }

    /// Asks for what lies after the last message.
    pub(crate) async fn ask<S: Sink>(&self, feed: &Feed<'_, S>) -> Result<Answer, ConnectionError> {
        let mut response = self.0.ask(feed).await?;
        let (status, head) = (response.status(), std::mem::take(response.headers_mut()));
        is_answer(status, head.get(CONTENT_ENCODING).and_then(|coding| coding.to_str().ok()))?;
        let body = bounded_body(&mut response, LONGEST_ANSWER).await?.ok_or_else(ConnectionError::long_answer)?;
        Ok(Answer { status, head, body })
    }
}
