//! The hub: every topic's log, and the cursors that subscribers hold on them.
//!
//! A topic is a bounded log; a subscriber is a cursor and a wake-up, not a queue. Publishing
//! appends once and wakes; each subscriber then takes all that lies between its cursor and the head.
//!
//! A topic *counts* once it was published to or completed. One that is only read exists as long as it
//! has subscribers, takes no place and evicts nothing. Where the number of topics or the memory for
//! logs is at its limit, publishing makes room: a topic that nobody has used for a while goes, then
//! the oldest messages of those that were published to longest ago; their readers are told what they missed.

pub(crate) mod cache;
mod lives;
pub(crate) mod payload;
mod subscription;
mod topic;
mod waiters;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;

use pushoff_model::{Cursor, Start, Topic};
use tokio::time::Instant;

use self::lives::Lives;
pub use self::subscription::Subscription;
use self::topic::TopicLog;
pub use self::topic::{Batch, Reading};
use crate::hub::cache::Run;
pub use crate::hub::cache::{Bounds, Complete, Retention};
use crate::hub::payload::Payload;
pub use crate::memory::Memory;
use crate::memory::{self, Lease};

/// What bounds a hub.
#[derive(Clone, Debug)]
pub struct HubLimits {
    /// What each topic keeps.
    pub retention: Retention,
    /// How many topics may count.
    pub topics: usize,
    /// How long a topic that nobody reads or publishes to is safe from making room for another.
    pub idle: Duration,
    /// What all of it may hold.
    pub memory: Memory,
}

/// Every topic of a server.
#[derive(Debug)]
pub struct Hub(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: HubLimits,
    topics: RwLock<Topics>,
    /// The topics that count, the one published to longest ago first, as far as was looked.
    ages: Mutex<Ages>,
    lives: Lives,
    /// What the topics' times of last use count from.
    started: Instant,
}

#[derive(Debug, Default)]
struct Topics {
    logs: HashMap<Topic, Arc<TopicLog>>,
    /// How many of them count.
    settled: usize,
    closing: bool,
}

#[derive(Debug, Default)]
struct Ages {
    queue: BinaryHeap<Reverse<(u64, Topic)>>,
    /// Until when it is known that there is no memory to be had, in milliseconds since the start.
    full_until_ms: u64,
}

/// How long a search for memory that found none is believed. Chosen here: it bounds the time that
/// refused publishers can have the hub spend on searching.
const FULL_MS: u64 = 100;

/// Why messages were not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unpublished {
    /// Nothing can be appended to a complete topic.
    #[error(transparent)]
    Complete(#[from] Complete),
    /// There are as many topics as there may be, and all are in use.
    #[error("there are {limit} topics, as many as this server takes (--max-topics); try again when one has been idle")]
    TooManyTopics {
        /// How many there may be.
        limit: usize,
    },
    /// The logs hold as much as they may, and none can let go of anything.
    #[error("the logs hold as much as they may (half of --memory); try again later")]
    NoRoom,
}

impl Hub {
    /// A hub without topics.
    #[must_use]
    pub fn new(limits: HubLimits) -> Self {
        let ages = Mutex::new(Ages::default());
        let (topics, lives, started) = (RwLock::default(), Lives::new(), Instant::now());
        Self(Arc::new(Shared { limits, topics, ages, lives, started }))
    }

    /// A subscriber of a topic that begins at `start`.
    #[must_use]
    pub fn subscribe(&self, topic: &Topic, start: Start) -> Subscription {
        let (log, position) = self.0.enter(topic, start);
        log.touch(self.0.now_ms(), false);
        Subscription::new(log, position)
    }

    /// Appends messages that no other publisher's stand between. The cursor is that of the last.
    ///
    /// # Errors
    /// When the topic is complete, or there is no room for it or for the messages.
    pub fn publish(&self, topic: &Topic, payloads: Vec<Payload>) -> Result<Cursor, Unpublished> {
        self.publish_run(topic, Run { skipped: 0, newest: payloads })
    }

    /// The same for a run that is longer than a log.
    pub(crate) fn publish_run(&self, topic: &Topic, run: Run) -> Result<Cursor, Unpublished> {
        let lease = self.0.hold(run.weight())?;
        let log = self.0.settled(topic)?;
        Ok(log.append(run, lease)?)
    }

    /// Says that no more will come to a topic, and lets every subscriber know. A topic that nobody has
    /// published to begins complete, so that whoever comes late learns of it too.
    ///
    /// # Errors
    /// When there is no room for the topic.
    pub fn complete(&self, topic: &Topic) -> Result<(), Unpublished> {
        self.0.settled(topic)?.complete();
        Ok(())
    }

    /// What a log keeps.
    pub(crate) fn retention(&self) -> Retention {
        self.0.limits.retention
    }

    /// How many topics count.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.0.read().settled
    }

    /// Lets go of the batches that are kept for readers who have not asked yet.
    pub(crate) fn drop_batches(&self) {
        let logs: Vec<_> = self.0.read().logs.values().cloned().collect();
        logs.iter().for_each(|log| log.drop_recent());
    }

    /// Tells every subscriber, and all who are yet to come, that the server is going away.
    pub fn close(&self) {
        let mut topics = self.0.write();
        topics.closing = true;
        topics.logs.values().for_each(|log| log.close());
    }
}

impl Shared {
    fn read(&self) -> RwLockReadGuard<'_, Topics> {
        self.topics.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Topics> {
        self.topics.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn idle_ms(&self) -> u64 {
        u64::try_from(self.limits.idle.as_millis()).unwrap_or(u64::MAX)
    }

    /// The log of a topic and where a subscriber stands in it. It is counted in under the lock, so that
    /// the log cannot be taken for one that nobody reads.
    fn enter(self: &Arc<Self>, topic: &Topic, start: Start) -> (Arc<TopicLog>, cache::Position) {
        if let Some(log) = self.read().logs.get(topic) {
            return (Arc::clone(log), log.enter(start));
        }
        let log = self.log_in(&mut self.write(), topic);
        let position = log.enter(start);
        (log, position)
    }

    /// The log of a topic, which begins to exist where it did not.
    fn log_in(self: &Arc<Self>, topics: &mut Topics, topic: &Topic) -> Arc<TopicLog> {
        if let Some(log) = topics.logs.get(topic) {
            return Arc::clone(log);
        }
        let batches = Arc::clone(&self.limits.memory.batches);
        let origin = Origin { topic: topic.clone(), hub: Arc::downgrade(self) };
        let log = Arc::new(TopicLog::new(origin, self.lives.epoch(topic), self.limits.retention, batches));
        if topics.closing {
            log.close();
        }
        topics.logs.insert(topic.clone(), Arc::clone(&log));
        log
    }

    /// The log of a topic that counts, or does from now on.
    fn settled(self: &Arc<Self>, topic: &Topic) -> Result<Arc<TopicLog>, Unpublished> {
        let existing = self.read().logs.get(topic).filter(|log| log.is_settled()).cloned();
        let log = match existing {
            Some(log) => log,
            None => self.settle(topic)?,
        };
        log.touch(self.now_ms(), true);
        Ok(log)
    }

    fn settle(self: &Arc<Self>, topic: &Topic) -> Result<Arc<TopicLog>, Unpublished> {
        let place = self.hold(memory::TOPIC)?;
        let mut ages = lock(&self.ages);
        let limit = self.limits.topics;
        if self.read().settled >= limit && !self.evict_one(&mut ages) {
            return Err(Unpublished::TooManyTopics { limit });
        }
        let mut topics = self.write();
        let log = self.log_in(&mut topics, topic);
        if !log.is_settled() {
            log.settle(place);
            topics.settled += 1;
            ages.queue.push(Reverse((self.now_ms(), topic.clone())));
        }
        Ok(log)
    }

    /// Evicts the first topic that nobody has used for a while; whether there was one.
    ///
    /// Each that is looked at in vain is not looked at again before it could have become idle.
    fn evict_one(&self, ages: &mut Ages) -> bool {
        let now = self.now_ms();
        while let Some(Reverse((since, topic))) = ages.queue.pop() {
            if now.saturating_sub(since) < self.idle_ms() {
                ages.queue.push(Reverse((since, topic)));
                return false;
            }
            let Some(is_idle) = self.read().logs.get(&topic).map(|log| self.is_idle(log, now)) else { continue };
            if is_idle && self.evict(&topic) {
                return true;
            }
            ages.queue.push(Reverse((now, topic)));
        }
        false
    }

    fn is_idle(&self, log: &TopicLog, now: u64) -> bool {
        now.saturating_sub(log.used_ms()) >= self.idle_ms() && !log.has_subscribers()
    }

    /// Takes a topic out of the table, unless somebody has come to share it.
    fn evict(&self, topic: &Topic) -> bool {
        let mut topics = self.write();
        // Under the write lock nobody can come to share a log that only this map holds.
        let is_free = topics.logs.get(topic).is_some_and(|log| Arc::strong_count(log) == 1);
        if is_free {
            topics.logs.remove(topic);
            topics.settled -= 1;
            self.lives.ended(topic);
        }
        is_free
    }

    /// Holds so many bytes for a log, and makes room for them where there is none.
    fn hold(&self, bytes: usize) -> Result<Lease, Unpublished> {
        let logs = &self.limits.memory.logs;
        if let Some(lease) = logs.lease(bytes) {
            return Ok(lease);
        }
        // Nobody loses anything for what would not fit all the same.
        if !logs.could_hold(bytes) {
            return Err(Unpublished::NoRoom);
        }
        let mut ages = lock(&self.ages);
        let now = self.now_ms();
        if now < ages.full_until_ms {
            return Err(Unpublished::NoRoom);
        }
        // Those that have nothing to give are put back at the end of the queue.
        let mut barren = Vec::new();
        let lease = loop {
            if let Some(lease) = logs.lease(bytes) {
                break Some(lease);
            }
            let Some(Reverse((since, topic))) = ages.queue.pop() else { break None };
            let Some(log) = self.read().logs.get(&topic).cloned() else { continue };
            if log.published_ms() > since {
                ages.queue.push(Reverse((log.published_ms(), topic)));
                continue;
            }
            let (freed, has_more) = log.trim(bytes);
            let is_idle = self.is_idle(&log, now);
            drop(log);
            if freed > 0 && has_more {
                ages.queue.push(Reverse((since, topic)));
            } else if !(is_idle && self.evict(&topic)) {
                barren.push(Reverse((now, topic)));
            }
        };
        ages.queue.extend(barren);
        if lease.is_none() {
            ages.full_until_ms = now.saturating_add(FULL_MS);
        }
        lease.ok_or(Unpublished::NoRoom)
    }

    /// Forgets a topic that does not count and that nobody reads any more.
    fn forget(&self, topic: &Topic, log: &Arc<TopicLog>) {
        let mut topics = self.write();
        let is_it = topics.logs.get(topic).is_some_and(|found| Arc::ptr_eq(found, log));
        if is_it && !log.has_subscribers() && !log.is_settled() {
            topics.logs.remove(topic);
        }
    }
}

/// Where a log belongs.
#[derive(Debug)]
struct Origin {
    topic: Topic,
    hub: Weak<Shared>,
}

impl Origin {
    /// Says that nobody reads the log any more.
    fn left(&self, log: &Arc<TopicLog>) {
        if let Some(hub) = self.hub.upgrade() {
            hub.forget(&self.topic, log);
        }
    }
}

/// What a lock guards is whole between two statements, whatever became of the thread that held it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::Framing;

    const RETENTION: Retention = Retention { messages: 10, bytes: 10_000 };
    const BOUNDS: Bounds = Bounds { messages: 100, bytes: 1 << 16 };

    fn hub(topics: usize) -> Hub {
        hub_within(topics, 1 << 20)
    }

    fn hub_within(topics: usize, bytes: usize) -> Hub {
        let memory = Memory::new(bytes);
        Hub::new(HubLimits { retention: RETENTION, topics, idle: Duration::from_mins(1), memory })
    }

    fn name(name: &str) -> Topic {
        name.parse().unwrap()
    }

    fn publish(hub: &Hub, topic: &str, length: usize) -> Result<Cursor, Unpublished> {
        hub.publish(&name(topic), vec![Payload::parse("1".repeat(length).as_bytes(), 10_000).unwrap()])
    }

    fn read(hub: &Hub, topic: &str, start: Start) -> String {
        match hub.subscribe(&name(topic), start).read(Framing::Ndjson, BOUNDS) {
            Reading::Batch(batch) => String::from_utf8(batch.bytes.to_vec()).unwrap(),
            other @ (Reading::CaughtUp | Reading::Complete | Reading::Closing | Reading::NoRoom) => {
                format!("{other:?}")
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_topic_makes_room_and_one_in_use_does_not() {
        let hub = hub(2);
        publish(&hub, "read", 1).unwrap();
        let _reader = hub.subscribe(&name("read"), Start::Now);
        publish(&hub, "idle", 1).unwrap();
        assert_eq!(publish(&hub, "third", 1), Err(Unpublished::TooManyTopics { limit: 2 }));
        tokio::time::advance(Duration::from_secs(61)).await;
        publish(&hub, "third", 1).unwrap();
        assert_eq!(hub.topic_count(), 2);
        assert!(publish(&hub, "read", 1).is_ok());
        assert_eq!(publish(&hub, "fourth", 1), Err(Unpublished::TooManyTopics { limit: 2 }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_topic_that_nobody_published_to_takes_no_place_and_evicts_nothing() {
        let hub = hub(1);
        publish(&hub, "kept", 1).unwrap();
        tokio::time::advance(Duration::from_hours(1)).await;
        let held = hub.0.limits.memory.held();
        for number in 0..1000 {
            assert_eq!(read(&hub, &format!("unknown{number}"), Start::Oldest), "CaughtUp");
        }
        let readers: Vec<_> = (0..100).map(|n| hub.subscribe(&name(&format!("waiting{n}")), Start::Now)).collect();
        assert_eq!((hub.topic_count(), hub.0.limits.memory.held()), (1, held));
        drop(readers);
        assert_eq!(hub.0.read().logs.len(), 1);
        assert!(read(&hub, "kept", Start::Oldest).ends_with("\"data\":1}\n"));
    }

    #[tokio::test]
    async fn one_who_waits_for_a_topic_that_nobody_published_to_gets_its_first_message() {
        let hub = hub(2);
        let mut early = hub.subscribe(&name("t"), Start::Now);
        // A poll that found nothing is told a cursor that holds when it comes back.
        let polled = hub.subscribe(&name("t"), Start::Now).cursor();
        let later = hub.subscribe(&name("other"), Start::Now).cursor();
        let id = publish(&hub, "t", 1).unwrap();
        publish(&hub, "other", 1).unwrap();
        assert!(matches!(early.read(Framing::Ndjson, BOUNDS), Reading::Batch(_)));
        assert_eq!(read(&hub, "t", Start::After(polled)), format!("{{\"id\":\"{id}\",\"data\":1}}\n"));
        assert!(read(&hub, "other", Start::After(later)).starts_with("{\"id\""));
    }

    #[tokio::test(start_paused = true)]
    async fn a_topic_that_was_evicted_comes_back_with_another_epoch() {
        let hub = hub(1);
        let before = publish(&hub, "one", 1).unwrap();
        tokio::time::advance(Duration::from_secs(61)).await;
        publish(&hub, "two", 1).unwrap();
        let after = hub.subscribe(&name("one"), Start::Now).cursor();
        assert_ne!(before.epoch, after.epoch);
        assert_eq!(read(&hub, "one", Start::After(before)), format!("{{\"missed\":null,\"id\":\"{after}\"}}\n"));
    }

    #[tokio::test(start_paused = true)]
    async fn at_the_bound_the_oldest_messages_of_the_topic_published_to_longest_ago_go_first() {
        let weight = 1000 + memory::MESSAGE;
        let hub = hub_within(10, 2 * (2 * memory::TOPIC + 4 * weight));
        for topic in ["old", "old", "old", "new"] {
            publish(&hub, topic, 1000).unwrap();
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        let kept = |topic| read(&hub, topic, Start::Oldest).lines().count();
        assert_eq!((kept("old"), kept("new")), (3, 1));
        publish(&hub, "new", 1000).unwrap();
        publish(&hub, "new", 1000).unwrap();
        assert_eq!((kept("old"), kept("new")), (1, 3));
        // With nothing else to give, a topic loses its own.
        publish(&hub, "new", 1000).unwrap();
        assert_eq!((kept("old"), kept("new")), (1, 3));
        assert!(
            read(&hub, "old", Start::After(Cursor { sequence: 0, ..publish(&hub, "old", 1).unwrap() }))
                .starts_with("{\"missed\":")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn where_nothing_can_go_publishing_is_refused_and_nothing_is_walked_for_a_while() {
        let hub = hub_within(100, 2 * 4 * (memory::TOPIC + memory::MESSAGE + 1000));
        let published = (0..100).take_while(|n| publish(&hub, &format!("t{n}"), 1000).is_ok()).count();
        assert_eq!(published, 4);
        let topics = hub.topic_count();
        assert_eq!(publish(&hub, "more", 1000), Err(Unpublished::NoRoom));
        assert!(lock(&hub.0.ages).full_until_ms > 0);
        assert_eq!(hub.topic_count(), topics);
        tokio::time::advance(Duration::from_secs(61)).await;
        publish(&hub, "more", 1000).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_never_fit_costs_no_log_a_message() {
        let hub = hub_within(10, 2 * (2 * memory::TOPIC + 4 * (1000 + memory::MESSAGE)));
        for _ in 0..3 {
            publish(&hub, "kept", 1000).unwrap();
        }
        assert_eq!(publish(&hub, "large", 9000), Err(Unpublished::NoRoom));
        assert_eq!(read(&hub, "kept", Start::Oldest).lines().count(), 3);
    }

    #[tokio::test]
    async fn one_who_subscribes_while_the_server_goes_away_is_told() {
        let hub = hub(2);
        let mut early = hub.subscribe(&name("early"), Start::Now);
        hub.close();
        let mut late = hub.subscribe(&name("late"), Start::Now);
        for subscription in [&mut early, &mut late] {
            let reading = subscription.next(Framing::Ndjson, BOUNDS).await;
            assert!(matches!(reading, Reading::Closing), "{reading:?}");
        }
    }
}
