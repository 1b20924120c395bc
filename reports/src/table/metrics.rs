//! Which metrics a table shows, by importance: a terminal has room for the first of them.

use crate::metric::Metric;

/// Transports compared under one workload.
pub(crate) const COMPARISON: [Metric; 26] = [
    Metric::WithinSlo,
    Metric::DeliveryCpu,
    Metric::P50,
    Metric::P99,
    Metric::P999,
    Metric::Max,
    Metric::P90,
    Metric::Lost,
    Metric::Missed,
    Metric::P50ToFloor,
    Metric::P99ToFloor,
    Metric::Deliveries,
    Metric::Requests,
    Metric::Duplicated,
    Metric::Reordered,
    Metric::ConnectP50,
    Metric::FirstMessageP50,
    Metric::RoundTripP50,
    Metric::RoundTripP99,
    Metric::FromSendP99,
    Metric::TightestSlo,
    Metric::DeliveryCpuToChoice,
    Metric::P99ToChoice,
    Metric::Trials,
    Metric::NotPublished,
    Metric::Broken,
];

/// What a transport costs.
pub(crate) const COST: [Metric; 51] = [
    Metric::IdlePss,
    Metric::IdleKernel,
    Metric::SilenceCpu,
    Metric::Silence,
    Metric::Down,
    Metric::Up,
    Metric::Setup,
    Metric::EmptyPoll,
    Metric::DeliveryCpu,
    Metric::PublishCpu,
    Metric::PollCpu,
    Metric::ConnectionCpu,
    Metric::ConnectP50,
    Metric::ConnectP99,
    Metric::FirstMessageP50,
    Metric::Connections,
    Metric::MessagesAResponse,
    Metric::MessagesASegment,
    Metric::Segments,
    Metric::DownPayload,
    Metric::DownFraming,
    Metric::DownHeads,
    Metric::DownRest,
    Metric::DownTheory,
    Metric::DownDeviation,
    Metric::UpSpoken,
    Metric::UpHeads,
    Metric::UpRest,
    Metric::UpDeviation,
    Metric::BrowserBytes,
    Metric::SetupBrowser,
    Metric::SetupSegments,
    Metric::EmptyPollDeviation,
    Metric::EmptyPollBrowser,
    Metric::Uncounted,
    Metric::IdleRss,
    Metric::IdleGenerator,
    Metric::DeliveringPss,
    Metric::DeliveringRss,
    Metric::DeliveringKernel,
    Metric::DeliveringGenerator,
    Metric::KernelShare,
    Metric::GeneratorCpu,
    Metric::RoundTrips,
    Metric::PollWait,
    Metric::PollQueueing,
    Metric::Transfer,
    Metric::FanOutP50,
    Metric::FanOutP99,
    Metric::UpTheory,
    Metric::DeliveringServerSide,
];

/// What very many users would need.
pub(crate) const MILLION: [Metric; 4] =
    [Metric::MillionBandwidth, Metric::MillionMemory, Metric::MillionCores, Metric::MillionAboveTcp];

/// What a search for capacity found.
pub(crate) const SEARCH: [Metric; 14] = [
    Metric::Capacity,
    Metric::CapacityDelivered,
    Metric::CapacityToFloor,
    Metric::CapacityMessages,
    Metric::CapacitySubscribers,
    Metric::HeldMessages,
    Metric::HeldSubscribers,
    Metric::BeyondWithin,
    Metric::BeyondOffered,
    Metric::BeyondP99,
    Metric::BeyondMessages,
    Metric::BeyondLost,
    Metric::BeyondMissed,
    Metric::BeyondUnsent,
];

/// The same cell with several clients.
pub(crate) const CLIENTS: [Metric; 9] = [
    Metric::GeneratorCpu,
    Metric::GeneratorCpuToLean,
    Metric::P50,
    Metric::P50ToLibrary,
    Metric::P99,
    Metric::MainThread,
    Metric::Scripts,
    Metric::Heap,
    Metric::HeapLeft,
];

/// Servers side by side. What a delivery weighs is the transport's first, and stands on the sheet of costs.
pub(crate) const SERVERS: [Metric; 9] = [
    Metric::P50,
    Metric::P99,
    Metric::DeliveryCpu,
    Metric::Capacity,
    Metric::CapacityDelivered,
    Metric::IdlePss,
    Metric::Connections,
    Metric::ConnectionCpu,
    Metric::Polls,
];

/// What two runs are compared by.
pub(crate) const DIFF: [Metric; 10] = [
    Metric::P50,
    Metric::P99,
    Metric::DeliveryCpu,
    Metric::BytesADelivery,
    Metric::Capacity,
    Metric::CapacityDelivered,
    Metric::IdlePss,
    Metric::Connections,
    Metric::ConnectionCpu,
    Metric::Polls,
];

/// A cost that is drawn over the number of connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scaled {
    pub(crate) metric: Metric,
    /// How it grows.
    pub(crate) slope: Metric,
    /// As an axis names it.
    pub(crate) axis: &'static str,
    /// Its part of the ids of elements.
    pub(crate) key: &'static str,
}

/// The costs that are drawn over the number of connections.
pub(crate) const SCALING: [Scaled; 4] = [
    Scaled {
        metric: Metric::IdlePss,
        slope: Metric::IdlePssSlope,
        axis: "server memory a connection",
        key: "growth-memory",
    },
    Scaled {
        metric: Metric::IdleKernel,
        slope: Metric::IdleKernelSlope,
        axis: "kernel memory a connection, both ends",
        key: "growth-kernel",
    },
    Scaled {
        metric: Metric::SecondCpu,
        slope: Metric::SecondCpuSlope,
        axis: "server CPU a second of a connection",
        key: "growth-processor",
    },
    Scaled {
        metric: Metric::ConnectingTime,
        slope: Metric::ConnectingTimeSlope,
        axis: "time a connection in the burst",
        key: "growth-connecting",
    },
];

/// What a load would need.
pub(crate) const PLAN: [Metric; 12] = [
    Metric::PlanTraffic,
    Metric::PlanRequests,
    Metric::PlanCores,
    Metric::PlanP99,
    Metric::PlanMoney,
    Metric::PlanMemory,
    Metric::PlanP50,
    Metric::PlanConnections,
    Metric::PlanWakeups,
    Metric::PlanRadio,
    Metric::PlanProcesses,
    Metric::PlanConnectingCpu,
];
