//! What a run asks of a server: parsed once from TOML, valid ever after.
//!
//! `docs/WORKLOADS.md` describes every key. A file that is wrong is refused with its line, what is
//! wrong and what is allowed.

mod lines;
mod parse;
mod slo;
mod text;
mod windows;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::client::Client;
use crate::file::FileError;
use crate::foreign;
use crate::message::Topic;
use crate::transport::Transport;
use crate::units::{ByteCount, OfferedRate};

pub use parse::{parse, read};
pub use slo::{Decide, Slo};
pub use windows::Windows;

/// The workloads that come with pushoff: name and TOML. The first ones are [`DEFAULT`], the others measure costs.
pub const BUILT_IN: [(&str, &str); 10] = [
    ("progress", include_str!("../../workloads/progress.toml")),
    ("ticker", include_str!("../../workloads/ticker.toml")),
    ("chat", include_str!("../../workloads/chat.toml")),
    ("clients", include_str!("../../workloads/clients.toml")),
    ("idle", include_str!("../../workloads/idle.toml")),
    ("connect", include_str!("../../workloads/connect.toml")),
    ("publish", include_str!("../../workloads/publish.toml")),
    ("trickle", include_str!("../../workloads/trickle.toml")),
    ("capacity", include_str!("../../workloads/capacity.toml")),
    ("crowd", include_str!("../../workloads/crowd.toml")),
];

/// The workloads of a run that names none.
pub const DEFAULT: [&str; 4] = ["progress", "ticker", "chat", "clients"];

/// The built-in workload of that name, if there is one.
///
/// # Errors
/// When the built-in file is wrong, which a test rules out.
#[must_use]
pub fn built_in(name: &str) -> Option<Result<Workload, FileError>> {
    let (name, text) = BUILT_IN.into_iter().find(|(built_in, _)| *built_in == name)?;
    Some(parse(text, &PathBuf::from(format!("workloads/{name}.toml"))))
}

/// A load, who listens to it, and what is good enough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// A short name: letters, digits, `-`, `_`.
    #[serde(deserialize_with = "foreign::line")]
    pub name: String,
    /// The question that it answers, for a newcomer.
    #[serde(deserialize_with = "foreign::line")]
    pub question: String,
    /// What the usual advice says; empty where there is none.
    pub advice: Advice,
    /// How many topics the load is spread over. At least 1.
    #[serde(deserialize_with = "at_least_one")]
    pub topics: u32,
    /// How many subscribers there are in all, dealt evenly to the topics. At least 1.
    #[serde(deserialize_with = "at_least_one")]
    pub subscribers: u32,
    /// How many subscribers share a connection over HTTP/2, and an address in any case: 1 to [`MOST_TABS`].
    #[serde(default = "alone", deserialize_with = "at_least_one", skip_serializing_if = "is_alone")]
    pub tabs: u32,
    /// How much may be under way to a client over HTTP/2.
    #[serde(default, skip_serializing_if = "Windows::is_default")]
    pub windows: Windows,
    /// Who speaks.
    pub direction: Direction,
    /// When messages are due.
    pub load: Load,
    /// Whether the publisher completes its topic after its last message.
    pub completes: bool,
    /// What is in a message.
    pub payload: Payload,
    /// Who receives, unless a run says otherwise.
    pub client: Client,
    /// The clients that are compared with [`Self::client`], unless a run says otherwise. Where there are any, the
    /// workload asks about the clients, not for a transport.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compared: Vec<Client>,
    /// The transports that it is measured on, of those that a run asks for. Empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transports: Vec<Transport>,
    /// How clients poll.
    pub polling: Polling,
    /// What is good enough. Absent where nothing is published: there is nothing to be late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo: Option<Slo>,
    /// What decides between transports that are good enough. Records from before it was asked have the defaults.
    #[serde(default)]
    pub decide: Decide,
    /// How its capacity is searched; absent where it is measured as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// Whether the cost model is not fitted to it but checked by it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub held_out: bool,
    /// How long a trial takes.
    pub phases: Phases,
}

/// The most subscribers that share a connection: the streams that servers take on one (RFC 9113 §6.5.2).
pub const MOST_TABS: u32 = 100;

/// A count that others are divided by.
fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    NonZeroU32::deserialize(deserializer).map(NonZeroU32::get)
}

const fn alone() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_alone(tabs: &u32) -> bool {
    *tabs == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
pub(crate) const fn is_false(value: &bool) -> bool {
    !*value
}

impl Workload {
    /// How many publishers the load has: one a topic, every subscriber, or none.
    #[must_use]
    pub const fn publishers(&self) -> u32 {
        match (&self.load, self.direction) {
            (Load::Silence { .. }, _) => 0,
            (Load::Rate { .. } | Load::Trace { .. }, Direction::Down) => self.topics,
            (Load::Rate { .. } | Load::Trace { .. }, Direction::Both) => self.subscribers,
        }
    }

    /// Whether nothing is published: connections are made and held.
    #[must_use]
    pub const fn is_silent(&self) -> bool {
        matches!(self.load, Load::Silence { .. })
    }

    /// The load that a search would grow: messages a second of each publisher, or subscribers.
    #[must_use]
    pub fn offered(&self, growth: Growth) -> f64 {
        match (growth, &self.load) {
            (Growth::Subscribers, _) => f64::from(self.subscribers),
            (Growth::Rate, Load::Rate { per_second, .. }) => per_second.as_per_second(),
            (Growth::Rate, Load::Trace { .. } | Load::Silence { .. }) => 0.0,
        }
    }

    /// The same workload at another load, within what a workload can ask for.
    #[must_use]
    pub fn at(&self, growth: Growth, load: f64) -> Self {
        let mut workload = self.clone();
        match (growth, &mut workload.load) {
            (Growth::Subscribers, _) => {
                let most = f64::from(Search::MOST_SUBSCRIBERS);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "clamped to what fits, from 1 on"
                )]
                let subscribers = load.clamp(1.0, most).round() as u32;
                workload.subscribers = subscribers.max(self.topics);
            }
            (Growth::Rate, Load::Rate { per_second, .. }) => {
                *per_second = OfferedRate::per_second(load.min(OfferedRate::MAX)).unwrap_or(*per_second);
            }
            (Growth::Rate, Load::Trace { .. } | Load::Silence { .. }) => {}
        }
        workload
    }

    /// The same for a few subscribers, of whom each gets what it gets of the whole: whole topics, and where subscribers
    /// speak, everybody in them. More than `subscribers` only where a single topic has more who speak.
    #[must_use]
    pub fn sampled(&self, subscribers: u32) -> Self {
        let all = self.audience(0);
        let audience = if self.direction == Direction::Both { all } else { all.min(subscribers.max(1)) };
        let topics = match self.load {
            // Its topics are those that the trace names.
            Load::Trace { .. } => self.topics,
            Load::Rate { .. } | Load::Silence { .. } => (subscribers / audience.max(1)).clamp(1, self.topics),
        };
        Self { topics, subscribers: topics.saturating_mul(audience).min(self.subscribers), ..self.clone() }
    }

    /// The topic, by number from 0, that subscriber number `subscriber` belongs to.
    #[must_use]
    pub const fn topic_of(&self, subscriber: u32) -> u32 {
        subscriber % self.topics
    }

    /// How much earlier a median delivery must be for it to count, among transports that cost the same: as
    /// [`Decide::freshness`] says, else a tenth of the SLO's time; absent where nothing is published.
    #[must_use]
    pub fn freshness(&self) -> Option<Duration> {
        self.slo.map(|slo| self.decide.freshness.unwrap_or(slo.within / 10))
    }

    /// How many subscribers a topic has, by its number from 0.
    #[must_use]
    pub const fn audience(&self, topic: u32) -> u32 {
        self.subscribers.saturating_sub(topic).div_ceil(self.topics)
    }
}

/// What people are usually told to take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// The transports that the advice names.
    pub transports: Vec<Transport>,
    /// The advice as it is said.
    #[serde(deserialize_with = "foreign::line")]
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
        #[serde(serialize_with = "foreign::written_path")]
        path: PathBuf,
        /// How many messages it holds.
        messages: u64,
        /// The messages, in the order of their offsets. Not kept in records.
        #[serde(skip)]
        events: Arc<[TraceEvent]>,
    },
    /// Nothing is published: connections are made and held.
    Silence {
        /// How long a stream is idle before the server says that it lives. 1 s to 1 h.
        #[serde(with = "text")]
        heartbeat: Duration,
    },
}

/// How the most load that a workload's SLO survives is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// What grows.
    pub grow: Growth,
    /// The load that the search begins with is the workload's own; it goes no further than this.
    pub most: f64,
}

impl Search {
    /// The most subscribers that a workload can have, all agents together. How many one process can have is up to its
    /// descriptors. Chosen here.
    pub const MOST_SUBSCRIBERS: u32 = 1_000_000;
}

/// What a search for capacity makes more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Growth {
    /// Messages a second of each publisher.
    Rate,
    /// Subscribers.
    Subscribers,
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
        #[serde(serialize_with = "foreign::written_path")]
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

#[cfg(test)]
mod tests;
