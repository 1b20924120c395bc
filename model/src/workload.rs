//! What a run asks of a server: parsed once from TOML, valid ever after.
//!
//! `docs/WORKLOADS.md` describes every key. A file that is wrong is refused with its line, what is
//! wrong and what is allowed.

mod parse;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::message::Topic;
use crate::transport::Transport;
use crate::units::{ByteCount, OfferedRate, Share};

pub use parse::{WorkloadError, parse, read};

/// The workloads that come with pushoff: name and TOML.
pub const BUILT_IN: [(&str, &str); 3] = [
    ("progress", include_str!("../../workloads/progress.toml")),
    ("ticker", include_str!("../../workloads/ticker.toml")),
    ("chat", include_str!("../../workloads/chat.toml")),
];

/// The built-in workload of that name, if there is one.
///
/// # Errors
/// When the built-in file is wrong, which a test rules out.
#[must_use]
pub fn built_in(name: &str) -> Option<Result<Workload, WorkloadError>> {
    let (name, text) = BUILT_IN.into_iter().find(|(built_in, _)| *built_in == name)?;
    Some(parse(text, &PathBuf::from(format!("workloads/{name}.toml"))))
}

/// A load, who listens to it, and what is good enough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// A short name: letters, digits, `-`, `_`.
    pub name: String,
    /// The question that it answers, for a newcomer.
    pub question: String,
    /// What the usual advice says; empty where there is none.
    pub advice: Advice,
    /// How many topics the load is spread over. At least 1.
    pub topics: u32,
    /// How many subscribers there are in all, dealt evenly to the topics. At least 1.
    pub subscribers: u32,
    /// Who speaks.
    pub direction: Direction,
    /// When messages are due.
    pub load: Load,
    /// Whether the publisher completes its topic after its last message.
    pub completes: bool,
    /// What is in a message.
    pub payload: Payload,
    /// How clients poll.
    pub polling: Polling,
    /// What is good enough.
    pub slo: Slo,
    /// How long a trial takes.
    pub phases: Phases,
}

impl Workload {
    /// How many publishers the load has: one a topic, or every subscriber.
    #[must_use]
    pub const fn publishers(&self) -> u32 {
        match self.direction {
            Direction::Down => self.topics,
            Direction::Both => self.subscribers,
        }
    }

    /// The topic, by number from 0, that subscriber number `subscriber` belongs to.
    #[must_use]
    pub const fn topic_of(&self, subscriber: u32) -> u32 {
        subscriber % self.topics
    }
}

/// What people are usually told to take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// The transports that the advice names.
    pub transports: Vec<Transport>,
    /// The advice as it is said.
    pub says: String,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// One publisher a topic, on the server's side.
    Down,
    /// Every subscriber also publishes: on its own connection where the transport can, by `POST`
    /// beside it where not.
    Both,
}

/// When messages are due. Open loop: never a function of how the server is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Load {
    /// At a rate, each publisher for itself.
    Rate {
        /// Messages a second of one publisher.
        per_second: OfferedRate,
        /// How they are spaced.
        arrival: Arrival,
    },
    /// As a trace says.
    Trace {
        /// Where the trace stands.
        path: PathBuf,
        /// How many messages it holds.
        messages: u64,
        /// The messages, in the order of their offsets. Not kept in records.
        #[serde(skip)]
        events: Arc<[TraceEvent]>,
    },
}

/// How the messages of one publisher are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrival {
    /// Evenly, each publisher with a phase of its own.
    Constant,
    /// As independent events: exponential gaps.
    Poisson,
}

/// One message of a trace.
#[derive(Clone, Debug)]
pub struct TraceEvent {
    /// When it is due, from the start of the load.
    pub offset: Duration,
    /// The number of its topic, from 0, in the order in which the trace first names them.
    pub topic: u32,
    /// What it carries.
    pub payload: Arc<RawValue>,
}

impl PartialEq for TraceEvent {
    fn eq(&self, other: &Self) -> bool {
        (self.offset, self.topic, self.payload.get()) == (other.offset, other.topic, other.payload.get())
    }
}

/// What is in a message, inside the generator's envelope of stamps.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Payload {
    /// A JSON text of that many bytes in all, envelope included.
    Bytes {
        /// The size of a published message.
        bytes: ByteCount,
    },
    /// The lines of a file, in turn.
    File {
        /// Where the file stands.
        path: PathBuf,
        /// The payloads. Not kept in records.
        #[serde(skip)]
        lines: Arc<[Arc<RawValue>]>,
    },
    /// A quote of one symbol: seeded random walk of bid, ask and last, about 150 bytes.
    Quote,
    /// A job's state: percent done, stage and counts, about 110 bytes.
    Progress,
    /// A line of talk of 20 to 200 characters with who said it.
    ChatLine,
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bytes { bytes: one }, Self::Bytes { bytes: two }) => one == two,
            (Self::File { path: one, .. }, Self::File { path: two, .. }) => one == two,
            (Self::Quote, Self::Quote) | (Self::Progress, Self::Progress) | (Self::ChatLine, Self::ChatLine) => true,
            (Self::Bytes { .. } | Self::File { .. } | Self::Quote | Self::Progress | Self::ChatLine, _) => false,
        }
    }
}

/// How clients poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Polling {
    /// Short polling: from one request to the next, as `setInterval` keeps it. 1 ms to 1 h.
    #[serde(with = "text")]
    pub interval: Duration,
    /// Long polling: how long a request may wait for a message. 1 s to 120 s.
    #[serde(with = "text")]
    pub wait: Duration,
}

/// What is good enough.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slo {
    /// The share of all deliveries that are due …
    pub share: Share,
    /// … that must arrive within this time of when their message was due.
    #[serde(with = "text")]
    pub within: Duration,
    /// Whether a message that the subscriber is told it missed is forgiven. Silent loss never is.
    pub may_skip: bool,
}

/// How long the parts of a trial take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// Load that is not measured: caches fill, connections warm.
    #[serde(with = "text")]
    pub warm_up: Duration,
    /// Load that is measured.
    #[serde(with = "text")]
    pub measure: Duration,
    /// After the load: how long at most the last messages may take. Ends early when all arrived.
    #[serde(with = "text")]
    pub drain: Duration,
}

/// Names the topics of one trial, so that none is met twice on one server.
///
/// # Panics
/// Never: the name is made of allowed characters and short enough.
#[must_use]
#[expect(clippy::expect_used, reason = "the parts are checked when a workload is parsed")]
pub fn topic_name(workload: &Workload, trial: u32, number: u32) -> Topic {
    format!("{}.{trial}.{number}", workload.name).parse().expect("a workload's name makes a topic")
}

/// Durations as people write them: `250ms`, `1s 500ms`.
mod text {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(*duration))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_duration(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_workload_is_valid_and_named_as_its_file() {
        for (name, _) in BUILT_IN {
            assert_eq!(built_in(name).unwrap().unwrap().name, name);
        }
        assert!(built_in("nonsense").is_none());
    }

    #[test]
    fn a_workload_survives_its_record() {
        for (name, _) in BUILT_IN {
            let workload = built_in(name).unwrap().unwrap();
            let text = serde_json::to_string(&workload).unwrap();
            assert_eq!(serde_json::from_str::<Workload>(&text).unwrap(), workload, "{text}");
        }
    }

    #[test]
    fn subscribers_are_dealt_evenly() {
        let chat = built_in("chat").unwrap().unwrap();
        let in_first = (0..chat.subscribers).filter(|&number| chat.topic_of(number) == 0).count();
        assert_eq!(in_first, 10);
    }
}
