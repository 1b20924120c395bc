//! The epoch of each topic's next log, without a record of every topic that ever was.
//!
//! An epoch is drawn from the topic's name and from how many lives topics of its kind have had: those
//! whose names fall into one of 4,096 parts. So a topic that nobody published to has an epoch although
//! nothing is kept of it, and one that was evicted comes back with another.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};

use pushoff_model::{Epoch, Topic};

const PARTS: usize = 1 << 12;

/// How many logs of each part have ended.
#[derive(Debug)]
pub(super) struct Lives {
    seed: RandomState,
    ended: Box<[AtomicU32]>,
}

impl Lives {
    /// None yet, with a seed of its own: the next server's epochs are others.
    pub(super) fn new() -> Self {
        Self { seed: RandomState::new(), ended: (0..PARTS).map(|_| AtomicU32::new(0)).collect() }
    }

    /// The epoch of the log that a topic has, or would have.
    pub(super) fn epoch(&self, topic: &Topic) -> Epoch {
        let lives = self.part(topic).load(Ordering::Relaxed);
        #[expect(clippy::cast_possible_truncation, reason = "32 of the 64 bits of a hash are as good as any")]
        let epoch = self.seed.hash_one((topic, lives)) as u32;
        Epoch(epoch)
    }

    /// The log of a topic has ended: cursors on it are of another epoch from now on.
    pub(super) fn ended(&self, topic: &Topic) {
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
        let lives = Lives::new();
        let topics: Vec<Topic> = (0..100).map(|number| format!("t{number}").parse().unwrap()).collect();
        for topic in &topics {
            let before = lives.epoch(topic);
            assert_eq!(lives.epoch(topic), before);
            lives.ended(topic);
            assert_ne!(lives.epoch(topic), before);
        }
        assert_ne!(lives.epoch(&topics[0]), lives.epoch(&topics[1]));
        assert_ne!(lives.epoch(&topics[0]), Lives::new().epoch(&topics[0]));
    }
}
