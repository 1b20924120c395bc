//! Making room at the limits: evicting idle topics, and dropping the oldest messages; or why there is none.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use pushoff_model::Topic;

use super::cache::Complete;
use super::table::Table;
use crate::memory::Lease;

/// Why messages were not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unpublished {
    /// Nothing can be appended to a complete topic.
    #[error(transparent)]
    Complete(#[from] Complete),
    /// The number of topics is at its limit, and all are in use.
    #[error("there are {limit} topics, as many as this server takes (--max-topics); try again when one has been idle")]
    TooManyTopics {
        /// The limit.
        limit: usize,
    },
    /// The logs are at their limit of memory, and none can drop a message.
    #[error("the logs hold as much as they may (half of --memory); try again later")]
    NoRoom,
}

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
