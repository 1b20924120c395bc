//! The hub: every topic's log, and the cursors that subscribers hold on them.
//!
//! A topic is a bounded log; a subscriber is a cursor and a wake-up, not a queue. Publishing
//! appends once and wakes; each subscriber then takes all that lies between its cursor and the
//! head. Memory is bounded by the number of topics times what a topic keeps: where the limit is
//! reached, a topic that nobody has touched for a while makes room, and its readers, should they
//! return, are told that they missed an unknown number.

mod subscription;
mod topic_log;
mod waiters;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use pushoff_model::{Epoch, Topic};
use tokio::time::Instant;

pub use self::subscription::Subscription;
pub use self::topic_log::{Batch, Reading, TopicLog};
pub use crate::log::{Bounds, Complete, Retention};

/// What bounds the memory of a hub.
#[derive(Clone, Copy, Debug)]
pub struct HubLimits {
    /// What each topic keeps.
    pub retention: Retention,
    /// How many topics there may be.
    pub topics: usize,
    /// How long a topic that nobody reads or publishes to is safe from making room for another.
    pub idle: Duration,
}

/// Every topic of a server.
#[derive(Debug)]
pub struct Hub {
    limits: HubLimits,
    topics: RwLock<Topics>,
    /// What the topics' times of last use count from.
    started: Instant,
}

#[derive(Debug, Default)]
struct Topics {
    logs: HashMap<Topic, Arc<TopicLog>>,
    closing: bool,
}

/// There are as many topics as there may be, and all are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are {limit} topics, as many as this server takes; try again when one has been idle for a while")]
pub struct TooManyTopics {
    /// How many there may be.
    pub limit: usize,
}

impl Hub {
    /// A hub without topics.
    #[must_use]
    pub fn new(limits: HubLimits) -> Self {
        Self { limits, topics: RwLock::default(), started: Instant::now() }
    }

    /// The log of a topic, which begins to exist with this call if it did not.
    ///
    /// # Errors
    /// When there are too many topics and none can make room.
    pub fn topic(&self, name: &Topic) -> Result<Arc<TopicLog>, TooManyTopics> {
        let now = self.started.elapsed();
        let existing = self.topics.read().unwrap_or_else(PoisonError::into_inner).logs.get(name).cloned();
        let log = match existing {
            Some(log) => log,
            None => self.create(name, now)?,
        };
        log.touch(now);
        Ok(log)
    }

    fn create(&self, name: &Topic, now: Duration) -> Result<Arc<TopicLog>, TooManyTopics> {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(log) = topics.logs.get(name) {
            return Ok(Arc::clone(log));
        }
        if topics.logs.len() >= self.limits.topics {
            // Under the write lock nobody can come to share a log that only this map holds.
            let (idle, limit) = (self.limits.idle, self.limits.topics);
            topics.logs.retain(|_, log| Arc::strong_count(log) > 1 || now.saturating_sub(log.touched()) < idle);
            if topics.logs.len() >= limit {
                return Err(TooManyTopics { limit });
            }
        }
        let log = Arc::new(TopicLog::new(Epoch(rand::random()), self.limits.retention));
        if topics.closing {
            log.close();
        }
        topics.logs.insert(name.clone(), Arc::clone(&log));
        Ok(log)
    }

    /// How many topics there are.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.topics.read().unwrap_or_else(PoisonError::into_inner).logs.len()
    }

    /// Tells every subscriber, and all who are yet to come, that the server is going away.
    pub fn close(&self) {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        topics.closing = true;
        topics.logs.values().for_each(|log| log.close());
    }
}

/// What a lock guards is whole between two statements, whatever became of the thread that held it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use pushoff_model::Start;

    use super::*;
    use crate::payload::Payload;

    fn hub(topics: usize) -> Hub {
        let retention = Retention { messages: 10, bytes: 1000 };
        Hub::new(HubLimits { retention, topics, idle: Duration::from_mins(1) })
    }

    fn name(name: &str) -> Topic {
        name.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_topic_makes_room_and_one_in_use_does_not() {
        let hub = hub(2);
        let _reader = hub.topic(&name("read")).unwrap().subscribe(Start::Now);
        hub.topic(&name("idle")).unwrap();
        assert_eq!(hub.topic(&name("third")).unwrap_err(), TooManyTopics { limit: 2 });
        tokio::time::advance(Duration::from_secs(61)).await;
        hub.topic(&name("third")).unwrap();
        assert_eq!(hub.topic_count(), 2);
        assert!(hub.topic(&name("read")).is_ok());
        assert_eq!(hub.topic(&name("fourth")).unwrap_err(), TooManyTopics { limit: 2 });
    }

    #[tokio::test]
    async fn a_topic_that_was_dropped_comes_back_with_another_epoch() {
        let hub = hub(1);
        let payload = Payload::parse(b"1", 10).unwrap();
        let before = hub.topic(&name("one")).unwrap().append(payload).unwrap();
        hub.topics.write().unwrap().logs.clear();
        let after = hub.topic(&name("one")).unwrap().subscribe(Start::Now).cursor();
        assert_ne!(before.epoch, after.epoch);
    }

    #[tokio::test]
    async fn one_who_subscribes_while_the_server_goes_away_is_told() {
        let hub = hub(2);
        let mut early = hub.topic(&name("early")).unwrap().subscribe(Start::Now);
        hub.close();
        let mut late = hub.topic(&name("late")).unwrap().subscribe(Start::Now);
        let bounds = Bounds { messages: 1, bytes: 1 };
        for subscription in [&mut early, &mut late] {
            let reading = subscription.next(crate::framing::Framing::Ndjson, bounds).await;
            assert!(matches!(reading, Reading::Closing), "{reading:?}");
        }
    }
}
