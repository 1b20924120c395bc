//! Sends one poll. Short and long polling differ in when they poll, the clients in how they send it.

use std::sync::Arc;

use pushoff_model::{Client, RunInstant};

use super::answer::{Answer, Next, answered};
use super::error::ConnectionError;
use super::feed::Feed;
use super::sink::{Polled, Sink};
use super::{lean, library};

pub(crate) enum Poller {
    Library(Arc<library::Requests>),
    Lean(Box<lean::Poller>),
}

impl Poller {
    pub(crate) fn new<S: Sink>(feed: &Feed<'_, S>) -> Result<Self, ConnectionError> {
        match feed.subscription.client {
            Client::Library | Client::Browser => library::Requests::new(&feed.subscription).map(Self::Library),
            Client::Lean => lean::Poller::new(feed).map(|poller| Self::Lean(Box::new(poller))),
        }
    }

    /// Sends the poll that was due at `due`, and hands on its answer.
    pub(crate) async fn poll<S: Sink>(
        &mut self,
        feed: &mut Feed<'_, S>,
        due: RunInstant,
    ) -> Result<Next, ConnectionError> {
        let sent = feed.now();
        // By rounding, a timer's tick may lie ahead of the clock.
        let polled = Some(Polled { due: due.min(sent), sent });
        feed.sink.requested(sent);
        match self {
            Self::Library(requests) => {
                let Answer { status, head, body } = requests.poll(feed).await?;
                answered(feed, status, |name| head.get(name)?.to_str().ok(), &body, polled)
            }
            Self::Lean(poller) => poller.poll(feed, polled).await,
        }
    }
}
