//! Fan-out skew: the time between a topic's first and last subscriber receiving the same message.
//!
//! A publisher's indices are dense, so each message of the measure phase has a slot in a vector. A slot is complete
//! when the last subscriber has the message; incomplete slots do not count. Memory is bounded: of a long load, only
//! the first part is watched.

use std::time::Duration;

use pushoff_model::{LatencyHistogram, RunInstant, Workload};
use serde::{Deserialize, Serialize};

/// The most messages that are watched in one trial: 24 MiB of slots. Chosen here.
const MOST_WATCHED: usize = 1 << 20;

/// The skew of every message that all subscribers received.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Skew {
    streams: Vec<Stream>,
    histogram: LatencyHistogram,
}

/// The messages of one publisher.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Stream {
    /// The first index that is due in the measure phase.
    first: u64,
    /// How many subscribers its topic has.
    audience: u32,
    /// How many of its messages are watched.
    most: usize,
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Slot {
    first: RunInstant,
    last: RunInstant,
    heard: u32,
}

impl Skew {
    /// Watches the messages of each publisher from index `first` on; `None` where no topic has a second subscriber.
    pub(crate) fn of(workload: &Workload, first: impl Fn(u32) -> u64) -> Option<Self> {
        let publishers = workload.publishers();
        if publishers == 0 || workload.subscribers <= workload.topics {
            return None;
        }
        let most = MOST_WATCHED / publishers as usize;
        let streams = (0..publishers)
            .map(|publisher| {
                let audience = workload.audience(workload.topic_of(publisher));
                let most = if audience > 1 { most } else { 0 };
                Stream { first: first(publisher), audience, most, slots: Vec::new() }
            })
            .collect();
        Some(Self { streams, histogram: LatencyHistogram::new() })
    }

    /// Records the first delivery of a message to one subscriber.
    pub(crate) fn enter(&mut self, publisher: u32, index: u64, received: RunInstant) {
        let Some(stream) = self.streams.get_mut(publisher as usize) else { return };
        let Some(place) = index.checked_sub(stream.first).and_then(|place| usize::try_from(place).ok()) else { return };
        if place >= stream.most {
            return;
        }
        if let Some(skew) = stream.add(place, Slot { first: received, last: received, heard: 1 }) {
            self.histogram.record(skew);
        }
    }

    /// Adds what subscribers of another agent received: a message may be complete with both.
    pub(crate) fn merge(&mut self, other: Self) {
        self.histogram.merge(&other.histogram);
        for (mine, its) in self.streams.iter_mut().zip(other.streams) {
            for (place, slot) in its.slots.into_iter().enumerate().filter(|(_, slot)| slot.heard > 0) {
                // A message that is complete in either is in its histogram.
                let is_new = slot.heard < mine.audience;
                if let Some(skew) = mine.add(place, slot).filter(|_| is_new) {
                    self.histogram.record(skew);
                }
            }
        }
    }

    pub(crate) fn into_histogram(self) -> LatencyHistogram {
        self.histogram
    }
}

impl Stream {
    /// Adds deliveries of one message; its skew, where they complete it.
    fn add(&mut self, place: usize, heard: Slot) -> Option<Duration> {
        if place >= self.slots.len() {
            let unheard = Slot { first: RunInstant::from_nanos(u64::MAX), last: RunInstant::default(), heard: 0 };
            self.slots.resize(place + 1, unheard);
        }
        let slot = &mut self.slots[place];
        (slot.first, slot.last) = (slot.first.min(heard.first), slot.last.max(heard.last));
        slot.heard += heard.heard;
        (slot.heard == self.audience).then(|| slot.last.since(slot.first))
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::workload::built_in;

    use super::*;

    fn at(milliseconds: u64) -> RunInstant {
        RunInstant::from_nanos(milliseconds * 1_000_000)
    }

    /// Two topics with three and two subscribers, measured from their third message on.
    fn spread() -> Skew {
        let mut workload = built_in("ticker").unwrap().unwrap();
        (workload.topics, workload.subscribers) = (2, 5);
        Skew::of(&workload, |_| 2).unwrap()
    }

    #[test]
    fn a_message_is_complete_when_the_last_subscriber_of_its_topic_has_it() {
        let mut spread = spread();
        for received in [130, 120, 150] {
            spread.enter(0, 2, at(received));
        }
        for received in [131, 133] {
            spread.enter(1, 2, at(received));
        }
        let histogram = spread.into_histogram();
        assert_eq!(histogram.count(), 2);
        assert_eq!(histogram.max().unwrap().as_millis(), 30);
        assert_eq!(histogram.count_within(Duration::from_millis(3)), 1);
    }

    #[test]
    fn incomplete_and_unwatched_messages_do_not_count() {
        let mut spread = spread();
        spread.enter(0, 2, at(130));
        spread.enter(0, 2, at(131));
        for subscriber in 0..3 {
            spread.enter(0, 1, at(120 + subscriber));
            spread.enter(0, u64::MAX, at(120 + subscriber));
            spread.enter(9, 2, at(120 + subscriber));
        }
        assert_eq!(spread.streams[0].slots.len(), 1);
        assert_eq!(spread.into_histogram().count(), 0);
    }

    #[test]
    fn topics_with_one_reader_each_have_no_spread() {
        let workload = built_in("progress").unwrap().unwrap();
        assert!(Skew::of(&workload, |_| 0).is_none());
    }
}
