//! The hub: every topic's log, and the cursors of the subscribers.
//!
//! A topic is a bounded log; a subscriber is a cursor and a wake-up, not a queue. Publishing appends once and
//! wakes the waiting subscribers; each of them then takes all messages between its cursor and the head.
//!
//! A topic *counts* from its first publish or its completion. A topic that is only read exists as long as it
//! has subscribers, takes no place and evicts nothing. At the limit of topics or memory, publishing makes
//! room: first by evicting an idle topic, then by dropping the oldest messages of the topics that were
//! published to longest ago. The readers of dropped messages get a missed notice.

mod batch;
mod cache;
mod payload;
mod room;
mod store;
mod subscription;
mod table;
#[cfg(test)]
mod tests;
mod topic;
mod waiters;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pushoff_model::{Cursor, Start, Topic};
use tokio::time::sleep;

pub use self::batch::{Batch, Reading};
pub(crate) use self::cache::Run;
pub use self::cache::{Bounds, Complete, Retention};
pub use self::payload::{Payload, PayloadError};
use self::room::Ages;
pub use self::room::Unpublished;
pub use self::subscription::Subscription;
pub use self::table::HubLimits;
use self::table::Table;
use self::topic::{TopicLog, Turn, lock};
pub use crate::memory::Memory;
use crate::memory::{self, Lease};

/// In how many steps the subscribers leave a server that drains. Each wakes all that still wait. Chosen here.
const LEAVING_STEPS: Turn = 100;

/// Every topic of a server.
#[derive(Debug)]
pub struct Hub {
    table: Arc<Table>,
    ages: Mutex<Ages>,
}

impl Hub {
    /// A hub without topics.
    #[must_use]
    pub fn new(limits: HubLimits) -> Self {
        Self { table: Arc::new(Table::new(limits)), ages: Mutex::default() }
    }

    /// A subscriber of a topic that begins at `start`.
    #[must_use]
    pub fn subscribe(&self, topic: &Topic, start: Start) -> Subscription {
        let (log, position) = self.table.enter(topic, start);
        log.touch(self.table.now_ms(), false);
        Subscription::new(log, position)
    }

    /// Appends messages; no other publisher's message comes between. Gives the cursor of the last.
    ///
    /// # Errors
    /// When the topic is complete, or there is no room for the topic or the messages.
    pub fn publish(&self, topic: &Topic, payloads: Vec<Payload>) -> Result<Cursor, Unpublished> {
        self.publish_run(topic, Run { skipped: 0, newest: payloads })
    }

    /// Appends a run, which may be longer than a log.
    pub(crate) fn publish_run(&self, topic: &Topic, run: Run) -> Result<Cursor, Unpublished> {
        let lease = self.lease(run.weight())?;
        let log = self.settled(topic)?;
        Ok(self.table.store.append(&log, run, lease)?)
    }

    /// Ends a topic and tells every subscriber. A topic without messages begins complete, so that late
    /// subscribers learn of the end too.
    ///
    /// # Errors
    /// When there is no room for the topic.
    pub fn complete(&self, topic: &Topic) -> Result<(), Unpublished> {
        let log = self.settled(topic)?;
        self.table.store.complete(&log);
        Ok(())
    }

    /// The bounds of a topic's log.
    pub(crate) fn retention(&self) -> Retention {
        self.table.limits.retention
    }

    /// How many topics count.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.table.read().settled
    }

    /// Drops the batches that are kept for further readers.
    pub(crate) fn drop_batches(&self) {
        self.table.drop_batches();
    }

    /// Tells every subscriber, present and future, that the server is shutting down: spread evenly over a time, in
    /// an order of chance, so that they do not come back to the other servers all at once.
    pub async fn close(&self, over: Duration) {
        if !over.is_zero() {
            for step in 1..LEAVING_STEPS {
                sleep(over / u32::from(LEAVING_STEPS)).await;
                self.table.close(Turn::MAX / LEAVING_STEPS * step);
            }
            sleep(over / u32::from(LEAVING_STEPS)).await;
        }
        self.table.close(Turn::MAX);
    }

    /// The log of a topic that counts, or counts from now on.
    fn settled(&self, topic: &Topic) -> Result<Arc<TopicLog>, Unpublished> {
        let log = match self.table.settled(topic) {
            Some(log) => log,
            None => self.settle(topic)?,
        };
        log.touch(self.table.now_ms(), true);
        Ok(log)
    }

    fn settle(&self, topic: &Topic) -> Result<Arc<TopicLog>, Unpublished> {
        let lease = self.lease(memory::TOPIC)?;
        let mut ages = lock(&self.ages);
        let limit = self.table.limits.topics;
        if self.topic_count() >= limit && !ages.evict_one(&self.table) {
            return Err(Unpublished::TooManyTopics { limit });
        }
        let (log, is_new) = self.table.settle(topic, lease);
        if is_new {
            ages.add(self.table.now_ms(), topic.clone());
        }
        Ok(log)
    }

    /// Leases memory for a log, and makes room for it where there is none.
    fn lease(&self, bytes: usize) -> Result<Lease, Unpublished> {
        match self.table.limits.memory.logs.lease(bytes) {
            Some(lease) => Ok(lease),
            None => lock(&self.ages).lease(&self.table, bytes),
        }
    }
}
