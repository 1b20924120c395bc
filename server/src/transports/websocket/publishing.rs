//! Publishing from a WebSocket to a store outside the process: in the order of the frames, without waiting in between.
//!
//! The messages of the frames that arrive while others are on their way to the store are the next to go there, together.
//! A client that sends faster than the store takes is not read from for a while.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pushoff_model::Topic;

use crate::hub::{Payload, Run, Unpublished};
use crate::memory::{self, Lease, OutOfMemory};
use crate::state::Server;
use crate::stats::Via;

/// How many bytes wait before the client is not read from. Chosen here: a window of messages of a kilobyte.
const FULL: usize = 256 << 10;

/// How many messages the store is given together.
const TOGETHER: usize = 256;

type UnderWay = Pin<Box<dyn Future<Output = Result<(), Unpublished>> + Send>>;

/// The messages of one connection on their way to the store.
pub(super) struct Publishing {
    server: Arc<Server>,
    topic: Topic,
    waiting: Vec<Payload>,
    /// The memory of the waiting messages.
    room: Lease,
    under_way: Option<UnderWay>,
}

impl Publishing {
    pub(super) fn new(server: Arc<Server>, topic: Topic) -> Self {
        let room = server.memory.incoming.none();
        Self { server, topic, waiting: Vec::new(), room, under_way: None }
    }

    /// Adds a message to those that wait.
    pub(super) fn add(&mut self, payload: Payload) -> Result<(), OutOfMemory> {
        if !self.room.grow(payload.as_bytes().len() + memory::MESSAGE) {
            return Err(OutOfMemory);
        }
        self.waiting.push(payload);
        Ok(())
    }

    /// Whether so much waits that no more should be read.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= TOGETHER || self.room.bytes() >= FULL
    }

    /// Goes on publishing; ready once no message is left, or with the reason why one was not published.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Unpublished>> {
        loop {
            if let Some(under_way) = &mut self.under_way {
                let published = ready!(under_way.as_mut().poll(cx));
                self.under_way = None;
                published?;
            }
            if self.waiting.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let room = self.room.split();
            let newest = std::mem::take(&mut self.waiting);
            let (server, topic) = (Arc::clone(&self.server), self.topic.clone());
            self.under_way = Some(Box::pin(async move {
                let (new, published) = server.hub.publish_and_wait(&topic, Run { skipped: 0, newest }, None).await;
                server.stats.published(Via::WebSocket, new);
                drop(room);
                published.map(drop)
            }));
        }
    }
}
