//! What is predicted, and what each of it is counted by.

use pushoff_model::Transport;
use serde::{Deserialize, Serialize};

use super::drivers::Driver;
use super::fit::Shape;

/// A cost, of one server process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Quantity {
    /// Processor time of the server, nanoseconds a second.
    Processor,
    /// Processor time of the server until users are connected and have a message, nanoseconds.
    Connecting,
    /// Memory of the server's process, bytes.
    ProcessMemory,
    /// Memory of the server's end of the connections in the kernel, bytes.
    KernelMemory,
    /// Bytes above TCP from the server, a second.
    BytesDown,
    /// Bytes above TCP to the server, a second.
    BytesUp,
    /// Segments from the server, acknowledgements among them, a second.
    SegmentsDown,
    /// Segments to the server, a second.
    SegmentsUp,
    /// Half of the messages are there within, nanoseconds; of short polling after the poll was sent.
    LatencyP50,
    /// 99 % of the messages are there within.
    LatencyP99,
}

/// The cost at which a unit of processor time is given: a server that is busy for a quarter of one
/// processor. Chosen here: amid what is measured, and what servers are run at.
const PIVOT: f64 = 0.25e9;

impl Quantity {
    /// All of them, in the order of the table.
    pub(crate) const ALL: [Self; 10] = [
        Self::Processor,
        Self::Connecting,
        Self::ProcessMemory,
        Self::KernelMemory,
        Self::BytesDown,
        Self::BytesUp,
        Self::SegmentsDown,
        Self::SegmentsUp,
        Self::LatencyP50,
        Self::LatencyP99,
    ];

    /// As a table names it.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Processor => "server CPU",
            Self::Connecting => "server CPU to connect",
            Self::ProcessMemory => "memory, process",
            Self::KernelMemory => "memory, kernel",
            Self::BytesDown => "bytes down",
            Self::BytesUp => "bytes up",
            Self::SegmentsDown => "segments down",
            Self::SegmentsUp => "segments up",
            Self::LatencyP50 => "latency, p50",
            Self::LatencyP99 => "latency, p99",
        }
    }

    /// What it is counted by on a transport: what could cost, of which the fit keeps what does.
    pub(super) const fn shape(self, transport: Transport) -> Shape<'static> {
        use Driver::{
            Answers, Empties, Event, Heartbeats, Kept, KeptKibibytes, Kibibytes, Messages, One, Publishes, Queue, Spoken,
            SpokenKibibytes, Users, Wakes,
        };
        let is_polling = transport.is_polling();
        let drivers: &[Driver] = match self {
            Self::Processor if is_polling => &[Publishes, Messages, Kibibytes, Answers, Empties, Wakes],
            Self::Processor => &[Publishes, Spoken, Messages, Kibibytes, Heartbeats, Wakes],
            Self::Connecting | Self::KernelMemory => &[Users],
            Self::ProcessMemory => &[Users, Kept, KeptKibibytes],
            Self::BytesDown | Self::SegmentsDown | Self::SegmentsUp if is_polling => {
                &[Messages, Kibibytes, Answers, Empties]
            }
            Self::BytesUp if is_polling => &[Answers, Empties],
            Self::BytesDown => &[Messages, Kibibytes, Heartbeats],
            Self::BytesUp => &[Spoken, SpokenKibibytes],
            Self::SegmentsDown | Self::SegmentsUp => &[Spoken, Messages, Kibibytes, Heartbeats],
            Self::LatencyP50 | Self::LatencyP99 => &[One, Event, Queue],
        };
        let scale = match self {
            Self::Processor => Some(PIVOT),
            _ => None,
        };
        Shape { drivers, scale }
    }
}
