//! What is predicted, and what each of it is counted by.

use pushoff_model::Transport;
use serde::{Deserialize, Serialize};

use super::regressors::Regressor;

/// A cost, of one server process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
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

impl Quantity {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 10] = [
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
    pub const fn label(self) -> &'static str {
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

    /// Whether it is counted rather than timed or sampled: the same load always gives the same.
    pub(crate) const fn is_exact(self) -> bool {
        matches!(self, Self::BytesDown | Self::BytesUp | Self::SegmentsDown | Self::SegmentsUp)
    }

    /// What it is counted by on a transport: what could cost, of which the fit keeps what does.
    pub(crate) const fn regressors(self, transport: Transport) -> &'static [Regressor] {
        use Regressor::{
            Answers, Cold, Empties, Event, First, Heartbeats, Kept, KeptKibibytes, Kibibytes, Messages, One, Publishes,
            Queue, Spoken, SpokenFrames, Users, Wakes,
        };
        let is_polled = matches!(transport, Transport::ShortPolling);
        let is_polling = transport.is_polling();
        match self {
            Self::Processor if is_polled => &[Publishes, Messages, Kibibytes, Answers, Empties, Wakes],
            Self::Processor if is_polling => &[Publishes, Answers, Cold, First, Kibibytes, Empties, Wakes],
            Self::Processor => &[Publishes, Spoken, Messages, Cold, First, Kibibytes, Heartbeats, Wakes],
            Self::Connecting | Self::KernelMemory => &[Users],
            Self::ProcessMemory => &[Users, Kept, KeptKibibytes],
            Self::BytesDown | Self::SegmentsDown | Self::SegmentsUp if is_polling => {
                &[Messages, Kibibytes, Answers, Empties]
            }
            Self::BytesUp if is_polling => &[Answers, Empties],
            Self::BytesDown => &[Messages, Kibibytes, Heartbeats],
            Self::BytesUp => &[SpokenFrames, Heartbeats],
            Self::SegmentsDown | Self::SegmentsUp => &[Spoken, Messages, Kibibytes, Heartbeats],
            Self::LatencyP50 | Self::LatencyP99 => &[One, Event, Queue],
        }
    }
}
