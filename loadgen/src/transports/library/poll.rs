//! A poll by `reqwest`.

use super::requests::Requests;
use crate::transports::poll::Answer;
use crate::transports::{ConnectionError, Feed, Sink};

pub(in crate::transports) struct Poller(Requests);

impl Poller {
    pub(in crate::transports) fn new<S: Sink>(feed: &Feed<'_, S>) -> Result<Self, ConnectionError> {
        Requests::new(&feed.subscription).map(Self)
    }

    /// Asks for what lies after the last message.
    pub(in crate::transports) async fn ask<S: Sink>(&self, feed: &Feed<'_, S>) -> Result<Answer, ConnectionError> {
        let mut response = self.0.ask(feed).await?;
        let (status, head) = (response.status(), std::mem::take(response.headers_mut()));
        Ok(Answer { status, head, body: response.bytes().await? })
    }
}
