//! The results schema: what one trial leaves behind. It stands here and nowhere else.
//!
//! A record holds counts, histograms and what the machine did; it holds no percentile and nothing
//! rounded. A trial that could not be measured leaves a record too, with the reason.

mod agents;
mod browser;
mod costs;
mod faults;
mod link;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cell::{self, Conditions};
use crate::client::Client;
use crate::foreign;
use crate::histogram::LatencyHistogram;
use crate::target::OURS;
use crate::transport::Transport;
use crate::workload::{Slo, Workload};

pub use agents::{AgentClock, AgentPart};
pub use browser::{BrowserUse, Heap, MainThread, PageClocks};
pub use costs::{
    Connecting, Contents, Flow, Handshake, Handshakes, Held, KernelMemory, MachineUse, Memory, ProcessMemory,
    ProcessUse, Traffic, Wire,
};
pub use faults::{Fault, FaultKind, Faults, OTHERS};
pub use link::{Link, LinkDirection};

/// The version of the schema that this build writes and reads.
pub const SCHEMA_VERSION: u32 = 2;

/// One trial of one cell (workload × transport × client × server).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema: u32,
    /// Which trial this is, of all that were ever run; absent from builds that gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<TrialId>,
    /// The run that this belongs to: the `run` of an `environment.json`.
    #[serde(deserialize_with = "foreign::line")]
    pub run: String,
    /// What was asked for, whole.
    pub workload: Workload,
    /// How it was carried.
    pub transport: Transport,
    /// Who received.
    pub client: Client,
    /// Who served: the name of a target, [`OURS`] where none was asked for.
    #[serde(default = "ours", deserialize_with = "foreign::line")]
    pub server: String,
    /// What else the trial ran under, by factor; empty where only client and server vary.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "cell::recorded")]
    pub conditions: BTreeMap<String, String>,
    /// Where a search for capacity stood; absent where the workload itself was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// Which trial of its cell, from 1.
    pub trial: u32,
    /// The trial's place in the order of the whole run, from 1.
    pub position: u32,
    /// The seed of the trial's schedule and payloads: the same for all transports of a trial.
    pub seed: u64,
    /// What came of it.
    pub outcome: Outcome,
}

fn ours() -> String {
    OURS.to_owned()
}

impl Record {
    /// What the trial was measured under.
    #[must_use]
    pub fn conditions(&self) -> Conditions {
        Conditions { client: self.client, server: self.server.clone(), others: self.conditions.clone() }
    }

    /// The measurement, where there is one.
    #[must_use]
    pub const fn measurement(&self) -> Option<&Measurement> {
        match &self.outcome {
            Outcome::Measured(measurement) => Some(measurement),
            Outcome::Failed(_) | Outcome::NotRun(_) => None,
        }
    }
}

/// The identity of a trial: a random number, written as 32 hexadecimal digits. Wherever its record is
/// found, and however often, it is the same trial, which counts once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TrialId(pub u128);

impl TryFrom<String> for TrialId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(&text, 16).ok().filter(|_| is_digits);
        number.map(Self).ok_or("the id of a trial is 32 hexadecimal digits")
    }
}

impl From<TrialId> for String {
    fn from(id: TrialId) -> Self {
        format!("{:032x}", id.0)
    }
}

/// One step of a search for capacity: the workload at another load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The load, in what the workload's search grows: messages a second of each publisher, or
    /// subscribers.
    pub load: f64,
    /// What the step was for.
    pub purpose: Purpose,
}

/// What a step of a search is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Twice the load each time, until it is too much.
    Ramp,
    /// Halving what lies between what held and what did not.
    Bisection,
    /// Up by a step where the last held and down where it did not: what the interval comes from.
    Confirmation,
    /// Beyond the capacity, to see what becomes of a transport there.
    Overload,
}

/// What came of a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Outcome {
    /// It ran, and every message is accounted for.
    Measured(Box<Measurement>),
    /// It ran and cannot be believed, or it broke off. Listed, never charted.
    Failed(Failure),
    /// It was not begun, because the run was interrupted.
    NotRun(NotRun),
}

/// Why a trial has no measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// One sentence for a person.
    #[serde(deserialize_with = "foreign::line")]
    pub reason: String,
    /// What had been counted when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// What went wrong until then, by cause.
    #[serde(default, skip_serializing_if = "Faults::is_empty")]
    pub faults: Faults,
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The server could not be started, reached, or went away.
    Server,
    /// Subscribers could not be connected.
    Connect,
    /// The counts of a subscriber do not add up.
    Unbalanced,
    /// The trial was broken off by an interrupt.
    Interrupted,
    /// The generator met an error of its own.
    Generator,
    /// The machine had no more to give: ports, descriptors or memory for sockets.
    Machine,
}

/// A trial that was never begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotRun {
    /// One sentence for a person.
    #[serde(deserialize_with = "foreign::line")]
    pub reason: String,
}

/// What a trial measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Length of the warm-up, as it was run; 0 in records that were written before it was noted.
    #[serde(default)]
    pub warm_up_ns: u64,
    /// Length of the measure phase, as it was run: short polling rounds both up to whole intervals.
    pub measured_ns: u64,
    /// Every message, over the whole trial.
    pub counts: Counts,
    /// The messages of the measure phase alone: what rates and shares are computed from.
    pub window: WindowCounts,
    /// Received − intended, of the messages that were due in the measure phase.
    pub delivery_latency: LatencyHistogram,
    /// Received − sent, of the same messages: what a generator that waits for its server would see.
    pub latency_from_send: LatencyHistogram,
    /// Sent − intended, once a message published in the measure phase.
    pub send_lag: LatencyHistogram,
    /// Polling transports: request due − intended, 0 where it already waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_wait: Option<LatencyHistogram>,
    /// Polling transports: request sent − request due: what the client itself was late by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_queueing: Option<LatencyHistogram>,
    /// Polling transports: received − the later of intended and request sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<LatencyHistogram>,
    /// Where subscribers speak: a speaker's own message back at the speaker − intended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip: Option<LatencyHistogram>,
    /// From the start of connecting until the stream is open or the first poll is answered.
    pub connect: LatencyHistogram,
    /// From the start of connecting until the first message is in the client's hands.
    pub first_message: LatencyHistogram,
    /// From the first subscriber that had a message to the last, once a message that all got, where
    /// a topic has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<LatencyHistogram>,
    /// Delivery latency over the measure phase.
    pub series: Series,
    /// Everybody connecting, as fast as the generator's bound on those under way allows.
    pub connecting: Connecting,
    /// What a TLS handshake costs; absent in the clear, over networks, and in records of before 28 November 2026.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshakes: Option<Handshakes>,
    /// What crossed the subscribers' connections; absent where the kernel does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<Wire>,
    /// What the processes and the kernel held.
    pub memory: Memory,
    /// What the server's process used during the measure phase; absent where it is not ours to see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ProcessUse>,
    /// What the generator's process used during the measure phase, the browser's with it.
    pub generator: ProcessUse,
    /// What the machine did meanwhile.
    pub machine: MachineUse,
    /// The network between server and readers, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// How the browser fared, where one received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<BrowserUse>,
    /// The agents that the load was divided among; empty where one process was the generator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentPart>,
    /// What limits the trial's worth. Empty: nothing known.
    pub concerns: Vec<Concern>,
    /// What went wrong, by cause: messages that were not published, connections that broke. Absent in
    /// records that were written before it was noted: there the counts alone tell.
    #[serde(default, skip_serializing_if = "Faults::is_empty")]
    pub faults: Faults,
}

/// Every message of a trial, summed over subscribers.
///
/// `expected = delivered + missed + lost`, for each subscriber and so in sum: the ledger balances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Subscribers that took part.
    pub subscribers: u64,
    /// Messages that the server accepted.
    pub published: u64,
    /// Messages that the server refused, or whose fate is unknown because the connection broke or
    /// the trial was over.
    pub unpublished: u64,
    /// Messages that were due and never sent: the server had not taken those before them when the
    /// trial was over.
    pub unsent: u64,
    /// Deliveries due: each accepted message once for each subscriber of its topic.
    pub expected: u64,
    /// Deliveries that happened, each message counted once a subscriber.
    pub delivered: u64,
    /// Deliveries that did not happen and that the subscriber was told of.
    pub missed: u64,
    /// Deliveries that did not happen, in silence.
    pub lost: u64,
    /// Deliveries beyond the first of a message.
    pub duplicated: u64,
    /// First deliveries that came after a later message of the same publisher.
    pub reordered: u64,
    /// Deliveries whose content was not what was published. They are not among the delivered, and one
    /// of them fails a trial.
    #[serde(default)]
    pub altered: u64,
    /// HTTP requests and WebSocket handshakes made by subscribers.
    pub requests: u64,
    /// Polls that brought no message.
    pub empty_polls: u64,
    /// Connections that broke and were made again.
    pub reconnects: u64,
}

/// The messages of the measure phase, summed over subscribers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowCounts {
    /// Messages accepted whose intended time lies in the measure phase.
    pub published: u64,
    /// Deliveries of messages whose intended time lies in the measure phase, whatever became of the
    /// message: accepted, refused, of unknown fate, or never sent. What the share within the SLO is of.
    pub due: u64,
    /// Of those, the ones of accepted messages.
    pub expected: u64,
    /// Of those, the ones that happened, whenever that was.
    pub delivered: u64,
    /// Deliveries of any message that happened during the measure phase.
    pub received: u64,
    /// HTTP requests made by subscribers during the measure phase.
    pub requests: u64,
}

/// Delivery latency over time, by the intended time of the message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// Length of one interval.
    pub interval_ns: u64,
    /// The worst latency of each interval from the start of the measure phase; 0 where nothing
    /// was delivered.
    pub worst_ns: Vec<u64>,
    /// Deliveries of each interval.
    pub delivered: Vec<u64>,
}

/// Something that limits what a trial is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concern {
    /// What was the limit.
    pub limit: Limit,
    /// One sentence with the figure.
    #[serde(deserialize_with = "foreign::line")]
    pub detail: String,
}

impl Measurement {
    /// What voids it, by the SLO that it is judged by, if any: the generator or the machine at its limit.
    ///
    /// Where latency is not bounded, or nothing was said, it is counted how much was delivered or how
    /// many polls were answered, and that is the server's own where the server was at its limit: a
    /// generator with more time would not have got more. Latencies without an SLO are latencies still.
    #[must_use]
    pub fn void(&self, slo: Option<&Slo>) -> Option<&Concern> {
        let has_met = |limit| self.concerns.iter().any(|concern| concern.limit == limit);
        let is_how_much = slo.map_or(self.counts.published == 0, |slo| !slo.bounds_latency());
        let is_the_servers = is_how_much && has_met(Limit::Server);
        self.concerns.iter().find(|concern| match concern.limit {
            Limit::Generator => !is_the_servers,
            Limit::Machine => true,
            Limit::Server => false,
        })
    }
}

/// What can limit a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// The generator was too slow: the figures are the generator's. Voids the trial.
    Generator,
    /// The machine was: time stolen, segments sent again. Voids the trial.
    Machine,
    /// The server was at its limit: a result, and said.
    Server,
}

impl Limit {
    /// Whether a trial with this limit may stand in a ranking.
    #[must_use]
    pub const fn voids(self) -> bool {
        match self {
            Self::Generator | Self::Machine => true,
            Self::Server => false,
        }
    }

    /// The verdict as prose writes it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Generator => "generator-limited",
            Self::Machine => "machine-limited",
            Self::Server => "server-limited",
        }
    }
}
