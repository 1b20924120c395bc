//! The costs that are predicted, and the regressors of each.

use pushoff_model::Transport;
use serde::{Deserialize, Serialize};

use super::labelled::labelled;
use super::regressors::Regressor;

labelled! {
/// A cost of one server process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// Processor time of the server, nanoseconds a second.
    Processor = "server CPU",
    /// Processor time of the server until users are connected and have a message, nanoseconds.
    Connecting = "server CPU to connect",
    /// Memory of the server's process, bytes.
    ProcessMemory = "memory, process",
    /// Memory of the server's end of the connections in the kernel, bytes.
    KernelMemory = "memory, kernel",
    /// Bytes above TCP from the server, a second.
    BytesDown = "bytes down",
    /// Bytes above TCP to the server, a second.
    BytesUp = "bytes up",
    /// Segments from the server, acknowledgements among them, a second.
    SegmentsDown = "segments down",
    /// Segments to the server, a second.
    SegmentsUp = "segments up",
    /// Half of the messages arrive within, nanoseconds; over short polling after the poll was sent.
    LatencyP50 = "latency, p50",
    /// 99 % of the messages arrive within.
    LatencyP99 = "latency, p99",
}
}

impl Quantity {
    /// Whether it is counted rather than timed or sampled: the same load always gives the same figure.
    pub(crate) const fn is_exact(self) -> bool {
        matches!(self, Self::BytesDown | Self::BytesUp | Self::SegmentsDown | Self::SegmentsUp)
    }

    /// The regressors that it may depend on over a transport; the fit drops those of no effect.
    pub(crate) const fn regressors(self, transport: Transport) -> &'static [Regressor] {
        use Regressor::{
            Answers, Cold, Empties, Event, First, Heartbeats, Kept, KeptKibibytes, Kibibytes, Messages, One, Publishes,
            Queue, Spoken, SpokenFrames, Users, Wakes,
        };
        let is_polled = transport.polls_on_a_timer();
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
