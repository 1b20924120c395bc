//! What a model is checked by, and how far it was off.

use pushoff_model::Transport;
use serde::{Deserialize, Serialize};

use super::labelled::labelled;
use super::quantity::Quantity;

labelled! {
/// What is checked: costs as a planner adds them up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Processor time of the server, nanoseconds a second.
    Processor = "server CPU",
    /// Memory of the server's process and of its ends in the kernel, bytes.
    Memory = "memory",
    /// Bytes of both directions above TCP, of what was counted.
    Bytes = "bytes",
    /// Segments of both directions, of what was counted.
    Segments = "segments",
    /// Requests a second.
    Requests = "requests",
    /// Processor time of the server until all are connected, nanoseconds.
    Connecting = "CPU to connect",
    /// Half of the messages are there within, nanoseconds.
    LatencyP50 = "latency, p50",
    /// 99 % of them.
    LatencyP99 = "latency, p99",
}
}

impl Check {
    /// The most that the median error may be; none where nothing is promised.
    #[must_use]
    pub const fn goal(self) -> Option<f64> {
        match self {
            Self::Processor | Self::Memory => Some(0.10),
            Self::Bytes => Some(0.01),
            Self::Requests | Self::Segments | Self::LatencyP50 | Self::LatencyP99 | Self::Connecting => None,
        }
    }

    /// The quantities that it adds up.
    pub(super) const fn parts(self) -> &'static [Quantity] {
        match self {
            Self::Processor => &[Quantity::Processor],
            Self::Memory => &[Quantity::ProcessMemory, Quantity::KernelMemory],
            Self::Bytes => &[Quantity::BytesDown, Quantity::BytesUp],
            Self::Segments => &[Quantity::SegmentsDown, Quantity::SegmentsUp],
            Self::LatencyP50 => &[Quantity::LatencyP50],
            Self::LatencyP99 => &[Quantity::LatencyP99],
            Self::Connecting => &[Quantity::Connecting],
            Self::Requests => &[],
        }
    }
}

/// How far a model was off on the cells of a transport that were held out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Error {
    /// The transport.
    pub transport: Transport,
    /// Which figure.
    pub check: Check,
    /// The largest error, as |ln(predicted ÷ measured)|: about its share of the figure.
    pub worst: f64,
}
