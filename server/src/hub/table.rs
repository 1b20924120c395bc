//! The table of topics: found, created, evicted and forgotten here, under one lock.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;

use pushoff_model::{Epoch, Start, Topic};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::cache::{Cache, Position, Retention};
use super::store::MemoryStore;
use super::tail::{Ask, Tail};
use super::topic::{Owner, TopicLog, Turn};
use crate::memory::{Lease, Memory};

/// The bounds of a hub.
#[derive(Clone, Debug)]
pub struct HubLimits {
    /// The bounds of each topic's log.
    pub retention: Retention,
    /// How many topics may count.
    pub topics: usize,
    /// How long a topic without readers and publishes is safe from eviction.
    pub idle: Duration,
    /// The memory of all topics together.
    pub memory: Memory,
}

/// Every topic of a server.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) limits: HubLimits,
    pub(super) store: MemoryStore,
    topics: RwLock<Topics>,
    /// The origin of all times in milliseconds.
    started: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Topics {
    pub(super) logs: HashMap<Topic, Arc<TopicLog>>,
    /// The number of topics that count.
    pub(super) settled: usize,
    /// The last turn to leave that has come; 0 while the server is not shutting down.
    leaving: Turn,
}

impl Table {
    pub(super) fn new(limits: HubLimits) -> Self {
        Self { limits, store: MemoryStore::new(), topics: RwLock::default(), started: Instant::now() }
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Topics> {
        self.topics.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Topics> {
        self.topics.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn idle_ms(&self) -> u64 {
        u64::try_from(self.limits.idle.as_millis()).unwrap_or(u64::MAX)
    }

    /// The log of a topic and the position of a new subscriber, who is counted under the lock of the table, so
    /// that the topic is never taken for one without readers.
    pub(super) fn enter(self: &Arc<Self>, topic: &Topic, start: Start) -> (Arc<TopicLog>, Position) {
        if let Some(log) = self.read().logs.get(topic) {
            return (Arc::clone(log), log.enter(start));
        }
        let mut topics = self.write();
        let log = self.find_or_create(&mut topics, topic);
        let position = log.enter(start);
        drop(topics);
        (log, position)
    }

    /// The log of a topic whose store is outside the process, with one more subscriber. Where the log is new, it has
    /// `unborn` as its epoch, and comes with the end that its follower is asked by.
    pub(super) fn arrive(
        self: &Arc<Self>,
        topic: &Topic,
        unborn: Epoch,
    ) -> (Arc<TopicLog>, Option<mpsc::Receiver<Ask>>) {
        if let Some(log) = self.read().logs.get(topic) {
            log.arrive();
            return (Arc::clone(log), None);
        }
        let mut topics = self.write();
        if let Some(log) = topics.logs.get(topic) {
            log.arrive();
            return (Arc::clone(log), None);
        }
        let (tail, asked) = Tail::new();
        let log = self.create(&mut topics, topic, unborn, Some(tail));
        log.arrive();
        (log, Some(asked))
    }

    fn find_or_create(self: &Arc<Self>, topics: &mut Topics, topic: &Topic) -> Arc<TopicLog> {
        match topics.logs.get(topic) {
            Some(log) => Arc::clone(log),
            None => self.create(topics, topic, self.store.epoch(topic), None),
        }
    }

    fn create(self: &Arc<Self>, topics: &mut Topics, topic: &Topic, epoch: Epoch, tail: Option<Tail>) -> Arc<TopicLog> {
        let owner: Weak<Self> = Arc::downgrade(self);
        let cache = Cache::new(epoch, self.limits.retention);
        let log = Arc::new(TopicLog::new(topic.clone(), owner, cache, &self.limits.memory, tail));
        if topics.leaving > 0 {
            log.close(topics.leaving);
        }
        topics.logs.insert(topic.clone(), Arc::clone(&log));
        log
    }

    /// The log of a topic that counts.
    pub(super) fn settled(&self, topic: &Topic) -> Option<Arc<TopicLog>> {
        self.read().logs.get(topic).filter(|log| log.is_settled()).cloned()
    }

    /// The log of a topic that counts from now on, with the memory of a topic; and whether it did not before.
    pub(super) fn settle(self: &Arc<Self>, topic: &Topic, lease: Lease) -> (Arc<TopicLog>, bool) {
        let mut topics = self.write();
        let log = self.find_or_create(&mut topics, topic);
        let is_new = !log.is_settled();
        if is_new {
            log.settle(lease);
            topics.settled += 1;
        }
        (log, is_new)
    }

    /// Makes a log count that is followed, with the memory of a topic; whether it did not before. A log that
    /// is not its topic's any more stays as it is: another one would have no follower.
    pub(super) fn settle_followed(&self, topic: &Topic, log: &Arc<TopicLog>, lease: Lease) -> bool {
        let mut topics = self.write();
        let is_its = topics.logs.get(topic).is_some_and(|found| Arc::ptr_eq(found, log));
        let is_new = is_its && !log.is_settled();
        if is_new {
            log.settle(lease);
            topics.settled += 1;
        }
        is_new
    }

    /// Whether a topic has had no reader and no publish for the idle time.
    pub(super) fn is_idle(&self, log: &TopicLog, now_ms: u64) -> bool {
        now_ms.saturating_sub(log.used_ms()) >= self.idle_ms() && !log.has_subscribers()
    }

    /// Removes a topic, unless somebody shares it; whether it was removed.
    pub(super) fn evict(&self, topic: &Topic) -> bool {
        let mut topics = self.write();
        // Under the write lock nobody can begin to share a log that only this map holds.
        let is_free = topics.logs.get(topic).is_some_and(|log| Arc::strong_count(log) == 1);
        if is_free {
            topics.logs.remove(topic);
            topics.settled -= 1;
            self.store.dropped(topic);
        }
        is_free
    }

    /// Removes a log whose topic has another one in the store, and ends the streams of its readers, so that they come
    /// back to the other.
    pub(super) fn replaced(&self, topic: &Topic, log: &Arc<TopicLog>) {
        let mut topics = self.write();
        if topics.logs.get(topic).is_some_and(|found| Arc::ptr_eq(found, log)) {
            topics.logs.remove(topic);
            topics.settled -= usize::from(log.is_settled());
        }
        drop(topics);
        log.close(Turn::MAX);
    }

    /// Drops the batches that are kept for further readers.
    pub(super) fn drop_batches(&self) {
        let logs: Vec<_> = self.read().logs.values().cloned().collect();
        logs.iter().for_each(|log| log.drop_recent());
    }

    /// Tells the subscribers up to a turn, present and future, that the server is shutting down.
    pub(super) fn close(&self, up_to: Turn) {
        let mut topics = self.write();
        topics.leaving = up_to;
        topics.logs.values().for_each(|log| log.close(up_to));
    }
}

impl Owner for Table {
    /// Removes the topic, unless it was replaced or is used again.
    fn abandoned(&self, topic: &Topic, log: &Arc<TopicLog>) {
        let mut topics = self.write();
        let is_it = topics.logs.get(topic).is_some_and(|found| Arc::ptr_eq(found, log));
        if is_it && !log.has_subscribers() && !log.is_settled() {
            topics.logs.remove(topic);
        }
    }

    fn time_ms(&self) -> u64 {
        self.now_ms()
    }
}
