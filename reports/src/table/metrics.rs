//! Which metrics a table shows, by importance: a terminal has room for the first of them.

use crate::metric::Metric;

/// What a choice turns on: transports compared under one workload.
pub(crate) const DECIDING: [Metric; 8] = [
    Metric::WithinSlo,
    Metric::Cost,
    Metric::CostToCheapest,
    Metric::P50,
    Metric::P99,
    Metric::DeliveryCpu,
    Metric::BytesADelivery,
    Metric::DeliveringServerSide,
];

/// What a choice turns on where nothing is published: what connections cost.
pub(crate) const HOLDING: [Metric; 9] = [
    Metric::IdlePss,
    Metric::IdleKernel,
    Metric::SilenceCpu,
    Metric::Silence,
    Metric::ConnectionCpu,
    Metric::ConnectP50,
    Metric::Connections,
    Metric::Setup,
    Metric::EmptyPoll,
];

/// All that tables show of a cell.
pub(crate) const EVERY: [Metric; 61] = [
    Metric::WithinSlo,
    Metric::Cost,
    Metric::CostToCheapest,
    Metric::CostProcessor,
    Metric::CostMemory,
    Metric::CostTraffic,
    Metric::P50,
    Metric::P99,
    Metric::DeliveryCpu,
    Metric::BytesADelivery,
    Metric::DeliveringServerSide,
    Metric::ConnectP50,
    Metric::TightestSlo,
    Metric::Trials,
    Metric::P90,
    Metric::P999,
    Metric::Max,
    Metric::Deliveries,
    Metric::Lost,
    Metric::Missed,
    Metric::NotPublished,
    Metric::Broken,
    Metric::Duplicated,
    Metric::Reordered,
    Metric::Requests,
    Metric::MessagesAResponse,
    Metric::PollWait,
    Metric::PollQueueing,
    Metric::Transfer,
    Metric::RoundTripP50,
    Metric::RoundTripP99,
    Metric::Down,
    Metric::DownPayload,
    Metric::DownFraming,
    Metric::DownHeads,
    Metric::DownTheory,
    Metric::Up,
    Metric::UpSpoken,
    Metric::UpHeads,
    Metric::BrowserBytes,
    Metric::Segments,
    Metric::MessagesASegment,
    Metric::Setup,
    Metric::EmptyPoll,
    Metric::Silence,
    Metric::IdlePss,
    Metric::IdleKernel,
    Metric::DeliveringPss,
    Metric::DeliveringKernel,
    Metric::DeliveryCpuOverFloor,
    Metric::PublishCpu,
    Metric::PollCpu,
    Metric::ConnectionCpu,
    Metric::SilenceCpu,
    Metric::GeneratorCpu,
    Metric::FirstMessageP50,
    Metric::Connections,
    Metric::ConnectRoundTrips,
    Metric::Resent,
    Metric::ResentNeedlessly,
    Metric::LinkLateness,
];

/// What a search for capacity found.
pub(crate) const SEARCH: [Metric; 7] = [
    Metric::CapacitySubscribers,
    Metric::Capacity,
    Metric::CapacityDelivered,
    Metric::CapacityMessages,
    Metric::BeyondWithin,
    Metric::BeyondP99,
    Metric::BeyondLost,
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

/// What a wire changes, each as a head names it that stands under no label of its scope.
pub(crate) const WIRES: [(Metric, &str); 6] = [
    (Metric::Down, "bytes a delivery"),
    (Metric::DeliveryCpu, "CPU a delivery"),
    (Metric::DeliveringPss, "memory a subscriber"),
    (Metric::ConnectP50, "time to connect, p50"),
    (Metric::ConnectionCpu, "CPU a connection"),
    (Metric::CapacityDelivered, "most deliveries"),
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

/// What a connection costs, of which it is said how it changes with their number.
pub(crate) const GROWTH: [Metric; 4] = [Metric::IdlePss, Metric::IdleKernel, Metric::SecondCpu, Metric::ConnectingTime];

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
