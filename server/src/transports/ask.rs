//! A request to subscribe, as each transport receives it.

use std::cell::Cell;
use std::sync::Arc;

use pushoff_model::Topic;

use super::query::Query;
use crate::http::Head;
use crate::hub::Subscription;
use crate::state::Server;

/// A request to subscribe.
pub(crate) struct Ask<'a> {
    pub(crate) server: &'a Arc<Server>,
    pub(crate) head: &'a Head<'a>,
    pub(crate) query: Query,
    pub(crate) topic: Topic,
    /// The subscriber, where a store outside the process had to be asked first.
    pub(crate) joined: Cell<Option<Subscription>>,
}

impl Ask<'_> {
    /// A subscriber that starts where the request says.
    pub(super) fn subscribe(&self) -> Subscription {
        self.joined.take().unwrap_or_else(|| self.server.hub.subscribe(&self.topic, self.query.start))
    }

    /// Whether the client wants only the head of the response.
    pub(super) fn is_head(&self) -> bool {
        self.head.method == http::Method::HEAD
    }
}
