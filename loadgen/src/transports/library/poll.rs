//! A poll by `reqwest`.

use super::requests::Requests;
use crate::transports::poll::{Answer, next_cursor};
use crate::transports::{ConnectionError, Feed, Sink};

pub(in crate::transports) struct Poller(Requests);

impl Poller {
    pub(in crate::transports) fn new<S: Sink>(feed: &Feed<'_, S>, path: &str) -> Result<Self, ConnectionError> {
        Requests::new(&feed.subscription, path).map(Self)
    }

    /// Asks for what lies after the last cursor.
    pub(in crate::transports) async fn ask<S: Sink>(&self, feed: &Feed<'_, S>) -> Result<Answer, ConnectionError> {
        let response = self.0.ask(feed).await?;
        let (status, next) = (response.status(), next_cursor(response.headers()));
        Ok(Answer { status, next, body: response.bytes().await? })
    }
}
