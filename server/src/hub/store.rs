//! The store of all topics: numbers messages, and gives each topic's log its epoch.
//!
//! This is the store in memory, where the topic's cache is the log itself. The one outside the process is
//! [`JetStream`](super::jetstream), where a follower hands the messages to [`TopicLog::append`]: readers are the same.
//!
//! An epoch is drawn from the topic's name and from the number of logs that have ended in the name's part: one
//! of 4,096. So a topic without messages has an epoch although nothing is kept of it, and a topic that was
//! evicted comes back with another epoch.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};

use pushoff_model::{Cursor, Epoch, Topic};

use super::cache::{Complete, Run};
use super::topic::TopicLog;
use crate::memory::Lease;

const PARTS: usize = 1 << 12;

/// The store in memory.
#[derive(Debug)]
pub(super) struct MemoryStore {
    seed: RandomState,
    /// The number of logs of each part that have ended.
    ended: Box<[AtomicU32]>,
}

impl MemoryStore {
    /// An empty store with a random seed: the epochs of another server, or after a restart, are different.
    pub(super) fn new() -> Self {
        Self { seed: RandomState::new(), ended: (0..PARTS).map(|_| AtomicU32::new(0)).collect() }
    }

    /// The epoch of a topic's log, whether or not the log exists.
    pub(super) fn epoch(&self, topic: &Topic) -> Epoch {
        let ended = self.part(topic).load(Ordering::Relaxed);
        #[expect(clippy::cast_possible_truncation, reason = "32 of the 64 bits of a hash are as good as any")]
        let epoch = self.seed.hash_one((topic, ended)) as u32;
        Epoch(epoch)
    }

    /// Appends a run, for which `lease` holds the memory. Gives the cursor of the last message.
    #[expect(clippy::unused_self, reason = "the log is the store")]
    pub(super) fn append(&self, log: &TopicLog, run: Run, lease: Lease) -> Result<Cursor, Complete> {
        log.append(run, lease)
    }

    /// Ends a topic.
    #[expect(clippy::unused_self, reason = "the log is the store")]
    pub(super) fn complete(&self, log: &TopicLog) {
        log.complete();
    }

    /// Notes that a topic's log was dropped: its cursors are of another epoch from now on.
    pub(super) fn dropped(&self, topic: &Topic) {
        self.part(topic).fetch_add(1, Ordering::Relaxed);
    }

    fn part(&self, topic: &Topic) -> &AtomicU32 {
        let hash = self.seed.hash_one(topic);
        #[expect(clippy::cast_possible_truncation, reason = "the lowest bits choose the part")]
        let part = hash as usize % PARTS;
        &self.ended[part]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_keeps_its_epoch_until_its_log_has_ended() {
        let store = MemoryStore::new();
        let topics: Vec<Topic> = (0..100).map(|number| format!("t{number}").parse().unwrap()).collect();
        for topic in &topics {
            let before = store.epoch(topic);
            assert_eq!(store.epoch(topic), before);
            store.dropped(topic);
            assert_ne!(store.epoch(topic), before);
        }
        assert_ne!(store.epoch(&topics[0]), store.epoch(&topics[1]));
        assert_ne!(store.epoch(&topics[0]), MemoryStore::new().epoch(&topics[0]));
    }
}
