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
mod jetstream;
mod payload;
mod room;
mod store;
mod subscription;
mod table;
mod tail;
#[cfg(test)]
mod tests;
mod topic;
mod unpublished;
mod waiters;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pushoff_model::{Cursor, Start, Topic};
use tokio::time::{sleep, timeout};

pub use self::batch::{Batch, Reading};
use self::cache::Position;
pub(crate) use self::cache::Run;
pub use self::cache::{Bounds, Complete, Retention};
use self::jetstream::{Failed, Follower, JetStream, PATIENCE, Why};
pub use self::jetstream::{Keeping, Store, UnusableStore};
pub use self::payload::{Payload, PayloadError};
use self::room::{Ages, Room};
pub use self::subscription::Subscription;
pub use self::table::HubLimits;
use self::table::Table;
use self::tail::{Behind, UNBORN};
#[cfg(test)]
use self::topic::lock;
use self::topic::{TopicLog, Turn};
pub use self::unpublished::{StoreError, Unpublished};
pub use crate::memory::Memory;
use crate::memory::{self, Lease};

/// In how many steps the subscribers leave a server that drains. Each wakes all that still wait. Chosen here.
const LEAVING_STEPS: Turn = 100;

/// Every topic of a server.
#[derive(Debug)]
pub struct Hub {
    table: Arc<Table>,
    ages: Arc<Mutex<Ages>>,
    /// The store, where it is outside the process.
    outside: Option<JetStream>,
}

impl Hub {
    /// A hub without topics.
    #[must_use]
    pub fn new(limits: HubLimits) -> Self {
        Self { table: Arc::new(Table::new(limits)), ages: Arc::default(), outside: None }
    }

    /// A hub whose topics are kept in a store outside the process. Runs within Tokio.
    #[must_use]
    pub fn over(store: Store, limits: HubLimits) -> Self {
        let outside = JetStream::new(store, limits.retention, limits.topics);
        Self { outside: Some(outside), ..Self::new(limits) }
    }

    /// Whether the store outside the process is connected; `None` where there is none.
    pub(crate) fn is_connected(&self) -> Option<bool> {
        self.outside.as_ref().map(JetStream::is_connected)
    }

    /// Whether the store is outside the process: subscribing, publishing and completing then wait for it.
    pub(crate) const fn is_outside(&self) -> bool {
        self.outside.is_some()
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

    /// The same as [`Self::subscribe`], and waits for a store outside the process.
    pub(crate) async fn join(&self, topic: &Topic, start: Start) -> Result<Subscription, Unpublished> {
        match &self.outside {
            None => Ok(self.subscribe(topic, start)),
            Some(store) => {
                let joined = timeout(PATIENCE, self.follow(store, topic, start)).await;
                joined.unwrap_or(Err(Unpublished::Store(StoreError::Unreachable)))
            }
        }
    }

    /// A subscriber of a topic's log, which a follower keeps as far as the store.
    async fn follow(&self, store: &JetStream, topic: &Topic, start: Start) -> Result<Subscription, Unpublished> {
        loop {
            let (log, asks) = self.table.arrive(topic, UNBORN);
            log.touch(self.table.now_ms(), false);
            if let Some(asks) = asks {
                let (store, weak, room) = (store.clone(), Arc::downgrade(&log), self.room());
                let follower = Follower { topic: topic.clone(), store, log: weak, room, asks };
                match self.lease(memory::FOLLOWER) {
                    Ok(lease) => drop(tokio::spawn(follower.run(lease))),
                    // The log goes with its follower, and whoever else came to it comes back.
                    Err(why) => {
                        log.depart();
                        return Err(why);
                    }
                }
            }
            let mut subscription = Subscription::new(log, Position { sequence: 0, is_foreign: false });
            match subscription.begin(start).await {
                Ok(()) => return Ok(subscription),
                Err(Behind::Replaced) => {}
                Err(Behind::For(why)) => return Err(why),
            }
        }
    }

    /// What followers need of the hub.
    fn room(&self) -> Room {
        Room { table: Arc::downgrade(&self.table), ages: Arc::downgrade(&self.ages) }
    }

    /// The same as [`Self::publish_run`], and waits until a store outside the process has acknowledged: gives the number
    /// of messages that are new to it as well. Messages with a `key` that the store remembers are not stored again.
    /// Others' messages may come between those of a batch.
    pub(crate) async fn publish_and_wait(
        &self,
        topic: &Topic,
        run: Run,
        key: Option<&str>,
    ) -> (u64, Result<Cursor, Unpublished>) {
        let Some(store) = &self.outside else {
            let (count, published) = (run.count(), self.publish_run(topic, run));
            return (if published.is_ok() { count } else { 0 }, published);
        };
        let _lease = match self.lease(run.weight()) {
            Ok(lease) => lease,
            Err(why) => return (0, Err(why)),
        };
        let count = run.newest.len();
        let (new, published) = store.append(topic, &run.newest, key).await;
        let published = published.map_err(|Failed { stored, why }| match why {
            Why::Complete => Unpublished::Complete(Complete),
            Why::Reused => Unpublished::Reused,
            Why::Store(why) if stored == 0 => Unpublished::Store(why),
            Why::Store(why) => Unpublished::Partly { stored, count, why },
        });
        if let Ok(cursor) = published
            && let Some(log) = self.table.read().logs.get(topic)
        {
            log.acknowledge(cursor);
        }
        (new, published)
    }

    /// The same as [`Self::complete`], and waits for a store outside the process.
    pub(crate) async fn complete_and_wait(&self, topic: &Topic) -> Result<(), Unpublished> {
        match &self.outside {
            None => self.complete(topic),
            Some(store) => timeout(PATIENCE, store.complete(topic))
                .await
                .unwrap_or(Err(StoreError::Unreachable))
                .map_err(Unpublished::from),
        }
    }

    /// Which messages of a publish have to be kept: a store outside the process gets them all.
    pub(crate) fn retention(&self) -> Retention {
        match &self.outside {
            None => self.table.limits.retention,
            Some(_) => Retention { messages: usize::MAX, ..self.table.limits.retention },
        }
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
        room::settle(&self.table, &self.ages, topic, memory::TOPIC)
    }

    fn lease(&self, bytes: usize) -> Result<Lease, Unpublished> {
        room::lease(&self.table, &self.ages, bytes)
    }
}
