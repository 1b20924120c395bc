//! How a trial is divided among agents: each subscriber, publisher and topic belongs to exactly one part.
//!
//! Numbers, seeds and schedules are those of the whole trial, so the union of all parts is the trial. Where there are as
//! many topics as parts, a topic stays whole with its publishers, and no message is timed by two clocks.

use pushoff_model::Workload;
use pushoff_model::workload::Direction;
use serde::{Deserialize, Serialize};

/// One part of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Its number, from 0.
    pub(crate) number: u32,
    /// How many there are, at least 1.
    pub(crate) of: u32,
}

impl Part {
    /// All of a trial.
    pub(crate) const WHOLE: Self = Self { number: 0, of: 1 };

    /// Whether every topic is within one part. Subscribers that share a connection stay together instead: they have
    /// different topics.
    pub(crate) const fn keeps_topics_whole(self, workload: &Workload) -> bool {
        self.of == 1 || (workload.topics >= self.of && workload.tabs == 1)
    }

    pub(crate) const fn has_subscriber(self, workload: &Workload, number: u32) -> bool {
        if self.keeps_topics_whole(workload) {
            self.has_topic(workload.topic_of(number))
        } else {
            (number / workload.tabs) % self.of == self.number
        }
    }

    pub(crate) const fn has_publisher(self, workload: &Workload, number: u32) -> bool {
        match workload.direction {
            Direction::Down => self.has_topic(number),
            Direction::Both => self.has_subscriber(workload, number),
        }
    }

    /// Whether it opens and greets the topic.
    pub(crate) const fn has_topic(self, topic: u32) -> bool {
        topic % self.of == self.number
    }

    /// The numbers of its subscribers, in rising order.
    pub(crate) fn subscribers(self, workload: &Workload) -> impl Iterator<Item = u32> {
        (0..workload.subscribers).filter(move |&number| self.has_subscriber(workload, number))
    }

    /// The numbers of its publishers, in rising order.
    pub(crate) fn publishers(self, workload: &Workload) -> impl Iterator<Item = u32> {
        (0..workload.publishers()).filter(move |&number| self.has_publisher(workload, number))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pushoff_model::workload::built_in;

    use super::*;

    proptest! {
        #[test]
        fn every_subscriber_publisher_and_topic_is_in_exactly_one_part(
            (topics, more, tabs, of) in (1_u32..40, 0_u32..200, 1_u32..7, 1_u32..12),
            speaks: bool,
        ) {
            let mut workload = built_in("ticker").unwrap().unwrap();
            (workload.topics, workload.subscribers, workload.tabs) = (topics, topics + more, tabs);
            workload.direction = if speaks { Direction::Both } else { Direction::Down };
            let parts = || (0..of).map(|number| Part { number, of });
            let all = |one: &dyn Fn(Part) -> Vec<u32>| {
                let mut all: Vec<_> = parts().flat_map(one).collect();
                all.sort_unstable();
                all
            };
            prop_assert!(all(&|part| part.subscribers(&workload).collect()).into_iter().eq(0..workload.subscribers));
            prop_assert!(all(&|part| part.publishers(&workload).collect()).into_iter().eq(0..workload.publishers()));
            prop_assert!(all(&|part| (0..topics).filter(|&it| part.has_topic(it)).collect()).into_iter().eq(0..topics));
            for part in parts().filter(|part| part.keeps_topics_whole(&workload)) {
                let own = |number| part.has_topic(workload.topic_of(number));
                prop_assert!(part.subscribers(&workload).chain(part.publishers(&workload)).all(own));
            }
        }

        #[test]
        fn those_that_share_a_connection_are_in_one_part(tabs in 2_u32..7, of in 1_u32..5) {
            let mut workload = built_in("chat").unwrap().unwrap();
            workload.tabs = tabs;
            for part in (0..of).map(|number| Part { number, of }) {
                for number in part.subscribers(&workload).filter(|number| number % tabs > 0) {
                    prop_assert!(part.has_subscriber(&workload, number - 1));
                }
            }
        }
    }
}
