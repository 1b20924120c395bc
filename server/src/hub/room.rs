//! Making room at the limits: evicting idle topics, and dropping the oldest messages; or why there is none.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, Weak};

use pushoff_model::Topic;

use super::table::Table;
use super::topic::{TopicLog, lock};
use super::unpublished::Unpublished;
use crate::memory::{self, Lease};

/// How long a search for memory that found none is believed. Chosen here: the time bounds the work that
/// refused publishers can cause.
const FULL_MS: u64 = 100;

/// The topics that count, by the time of their last publish, as far as it was looked up.
#[derive(Debug, Default)]
pub(super) struct Ages {
    oldest_first: BinaryHeap<Reverse<(u64, Topic)>>,
    /// Until when there is known to be no memory, in milliseconds.
    pub(super) full_until_ms: u64,
}

impl Ages {
    /// Notes a topic that counts.
    pub(super) fn add(&mut self, now_ms: u64, topic: Topic) {
        self.oldest_first.push(Reverse((now_ms, topic)));
    }

    /// Forgets a topic that does not count any more.
    fn forget(&mut self, topic: &Topic) {
        self.oldest_first.retain(|Reverse((_, known))| known != topic);
    }

    /// Evicts one idle topic; whether there was one.
    ///
    /// A topic that is not idle is not looked at again before it could have become idle.
    pub(super) fn evict_one(&mut self, table: &Table) -> bool {
        let now = table.now_ms();
        while let Some(Reverse((since, topic))) = self.oldest_first.pop() {
            if now.saturating_sub(since) < table.idle_ms() {
                self.add(since, topic);
                return false;
            }
            let Some(is_idle) = table.read().logs.get(&topic).map(|log| table.is_idle(log, now)) else { continue };
            if is_idle && table.evict(&topic) {
                return true;
            }
            self.add(now, topic);
        }
        false
    }

    /// Leases memory for a log, and makes room for it where there is none. A lease that would fit into no
    /// empty server costs no topic a message.
    pub(super) fn lease(&mut self, table: &Table, bytes: usize) -> Result<Lease, Unpublished> {
        let logs = &table.limits.memory.logs;
        let now = table.now_ms();
        if !logs.could_hold(bytes) || now < self.full_until_ms {
            return Err(Unpublished::NoRoom);
        }
        // Topics that could give nothing: put back at the end of the queue.
        let mut barren = Vec::new();
        let lease = loop {
            if let Some(lease) = logs.lease(bytes) {
                break Some(lease);
            }
            let Some(Reverse((since, topic))) = self.oldest_first.pop() else { break None };
            let Some(log) = table.read().logs.get(&topic).cloned() else { continue };
            if log.published_ms() > since {
                self.add(log.published_ms(), topic);
                continue;
            }
            let (freed, has_more) = log.trim(bytes);
            let is_idle = table.is_idle(&log, now);
            drop(log);
            if freed > 0 && has_more {
                self.add(since, topic);
            } else if !(is_idle && table.evict(&topic)) {
                barren.push(Reverse((now, topic)));
            }
        };
        self.oldest_first.extend(barren);
        if lease.is_none() {
            self.full_until_ms = now.saturating_add(FULL_MS);
        }
        lease.ok_or(Unpublished::NoRoom)
    }
}

/// Leases memory for a log, and makes room for it where there is none.
pub(super) fn lease(table: &Table, ages: &Mutex<Ages>, bytes: usize) -> Result<Lease, Unpublished> {
    match table.limits.memory.logs.lease(bytes) {
        Some(lease) => Ok(lease),
        None => lock(ages).lease(table, bytes),
    }
}

/// The log of a topic that counts from now on, with so many bytes of memory.
pub(super) fn settle(
    table: &Arc<Table>,
    ages: &Mutex<Ages>,
    topic: &Topic,
    bytes: usize,
) -> Result<Arc<TopicLog>, Unpublished> {
    admit(table, ages, topic, bytes, |lease| table.settle(topic, lease))
}

/// Finds the memory of a topic that is to count, and its place among the topics, for what makes it count and says whether it
/// did not before.
fn admit<T>(
    table: &Table,
    ages: &Mutex<Ages>,
    topic: &Topic,
    bytes: usize,
    settle: impl FnOnce(Lease) -> (T, bool),
) -> Result<T, Unpublished> {
    let lease = lease(table, ages, bytes)?;
    let mut ages = lock(ages);
    let limit = table.limits.topics;
    if table.read().settled >= limit && !ages.evict_one(table) {
        return Err(Unpublished::TooManyTopics { limit });
    }
    let (settled, is_new) = settle(lease);
    if is_new {
        ages.add(table.now_ms(), topic.clone());
    }
    Ok(settled)
}

/// The room that followers of a store outside the process take for their logs, for as long as the hub exists.
#[derive(Clone, Debug)]
pub(super) struct Room {
    pub(super) table: Weak<Table>,
    pub(super) ages: Weak<Mutex<Ages>>,
}

impl Room {
    /// Leases memory for messages, if there is any.
    pub(super) fn lease(&self, bytes: usize) -> Option<Lease> {
        lease(&*self.table.upgrade()?, &*self.ages.upgrade()?, bytes).ok()
    }

    /// Makes a followed topic count, with the memory of a topic.
    pub(super) fn settle(&self, topic: &Topic, log: &Arc<TopicLog>) -> Result<(), Unpublished> {
        let (Some(table), Some(ages)) = (self.table.upgrade(), self.ages.upgrade()) else { return Ok(()) };
        if log.is_settled() {
            return Ok(());
        }
        admit(&table, &ages, topic, memory::TOPIC, |lease| ((), table.settle_followed(topic, log, lease)))
    }

    /// How many topics are followed.
    pub(super) fn topics(&self) -> u32 {
        self.table.upgrade().map_or(0, |table| u32::try_from(table.read().logs.len()).unwrap_or(u32::MAX))
    }

    /// Notes that messages came for a log.
    pub(super) fn published(&self, log: &TopicLog) {
        if let Some(table) = self.table.upgrade() {
            log.touch_published(table.now_ms());
        }
    }

    /// Whether a log that counts had no reader for the idle time.
    pub(super) fn is_idle(&self, log: &TopicLog) -> bool {
        let Some(table) = self.table.upgrade() else { return true };
        let now = table.now_ms();
        if log.has_subscribers() {
            log.touch(now, false);
        }
        log.is_settled() && table.is_idle(log, now)
    }

    /// Drops the log of an idle topic, unless somebody shares it.
    pub(super) fn forget(&self, topic: &Topic) {
        let (Some(table), Some(ages)) = (self.table.upgrade(), self.ages.upgrade()) else { return };
        if table.evict(topic) {
            lock(&ages).forget(topic);
        }
    }

    /// Removes a log that the store has another one for.
    pub(super) fn replaced(&self, topic: &Topic, log: &Arc<TopicLog>) {
        let (Some(table), Some(ages)) = (self.table.upgrade(), self.ages.upgrade()) else { return };
        table.replaced(topic, log);
        lock(&ages).forget(topic);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use crate::hub::topic::Waiting;
    use crate::hub::{Hub, HubLimits, Memory, Retention, UNBORN};

    #[tokio::test(start_paused = true)]
    async fn a_followed_topic_is_let_go_once_it_had_no_reader_for_the_idle_time() {
        let (retention, memory) = (Retention { messages: 1, bytes: 1 }, Memory::new(1 << 20));
        let idle = Duration::from_mins(1);
        let hub = Hub::new(HubLimits { retention, topics: 1, idle, memory: memory.clone() });
        let (room, topic) = (hub.room(), "t".parse().unwrap());
        let (log, asks) = hub.table.arrive(&topic, UNBORN);
        room.settle(&topic, &log).unwrap();
        let another = "another".parse().unwrap();
        let (gone, _asks) = hub.table.arrive(&another, UNBORN);
        assert!(room.settle(&another, &gone).is_err(), "one topic has room");
        gone.leave(&mut Waiting::new());
        advance(2 * idle).await;
        assert!(!room.is_idle(&log), "a topic with a reader is not idle");
        log.leave(&mut Waiting::new());
        advance(idle / 2).await;
        assert!(!room.is_idle(&log), "a poll may come back");
        advance(idle / 2).await;
        assert!(room.is_idle(&log));
        drop(log);
        room.forget(&topic);
        assert_eq!((hub.topic_count(), memory.held()), (0, 0));
        assert!(asks.unwrap().recv().await.is_none(), "the follower learns of it");
        // What a follower found of a log that was let go meanwhile makes no log without one.
        room.settle(&another, &gone).unwrap();
        assert_eq!((hub.topic_count(), hub.table.read().logs.len(), memory.held()), (0, 0, 0));
    }
}
