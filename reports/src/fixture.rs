//! A made-up run with the shapes of a real one: seeded, so that every test sees the same figures.
//!
//! Shared by the tests and by `examples/fixture.rs`. Push latencies are lognormal around a
//! millisecond; polls add a wait that is uniform over their interval.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "made-up figures within small ranges"
)]

#[path = "fixture/costs.rs"]
mod costs;
#[path = "fixture/networks.rs"]
pub(crate) mod networks;
#[path = "fixture/pages.rs"]
mod pages;
#[path = "fixture/peers.rs"]
mod peers;
#[path = "fixture/whole.rs"]
mod whole;
#[path = "fixture/wires.rs"]
pub(crate) mod wires;

use std::sync::LazyLock;
use std::time::Duration;

use pushoff_model::environment::{Named, Noise, Pinning};
use pushoff_model::record::{
    Concern, Counts, Failure, FailureKind, Faults, Limit, MachineUse, Measurement, Outcome, ProcessUse, Series,
    WindowCounts,
};
use pushoff_model::workload::{Direction, built_in};
use pushoff_model::{Environment, LatencyHistogram, Record, SCHEMA_VERSION, Transport, Workload};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, LogNormal};

/// Trials a cell.
const TRIALS: u32 = 3;
/// Intervals of a series.
const INTERVALS: usize = 15;

/// Three workloads, six transports, three trials: 54 records of which one failed and one is void.
/// Made once.
pub(crate) fn run() -> crate::Run {
    static RUN: LazyLock<crate::Run> = LazyLock::new(make);
    RUN.clone()
}

/// The same run, of which every trial counts.
#[cfg(test)]
pub(crate) fn valid() -> crate::Run {
    let mut run = run();
    for record in &mut run.records {
        if let Outcome::Measured(measurement) = &mut record.outcome {
            measurement.concerns.clear();
        }
    }
    run
}

/// The same run with what looks for cost: silence at three sizes, publishing, both clients, a search.
pub(crate) fn whole() -> crate::Run {
    static RUN: LazyLock<crate::Run> = LazyLock::new(|| {
        let mut run = make();
        whole::add(&mut run.records);
        run
    });
    RUN.clone()
}

/// The ticker received by the libraries and by a browser.
pub(crate) fn in_pages() -> crate::Run {
    static RUN: LazyLock<crate::Run> = LazyLock::new(pages::run);
    RUN.clone()
}

/// The same run over networks as well.
pub(crate) fn over_networks() -> crate::Run {
    static RUN: LazyLock<crate::Run> = LazyLock::new(networks::run);
    RUN.clone()
}

/// Two workloads on four wires.
pub(crate) fn on_wires() -> crate::Run {
    static RUN: LazyLock<crate::Run> = LazyLock::new(wires::run);
    RUN.clone()
}

/// Three servers on the same workloads.
pub(crate) fn servers() -> crate::Run {
    static RUN: LazyLock<crate::Run> = LazyLock::new(peers::run);
    RUN.clone()
}

/// A server of somebody else's alone, on another machine.
pub(crate) fn remote() -> crate::Run {
    static RUN: LazyLock<crate::Run> = LazyLock::new(peers::remote);
    RUN.clone()
}

/// A made-up cost model: five transports with round costs.
#[cfg(test)]
pub(crate) fn model() -> pushoff_planner::costs::CostModel {
    pushoff_planner::costs::CostModel::parse(include_str!("../../planner/src/fixture.json")).unwrap()
}

fn make() -> crate::Run {
    let mut records = Vec::new();
    for name in ["progress", "ticker", "chat"] {
        let workload = asked(name);
        for trial in 1..=TRIALS {
            for transport in Transport::ALL {
                let position = u32::try_from(records.len() + 1).unwrap();
                let outcome = Outcome::Measured(Box::new(measurement(&workload, transport, trial)));
                records.push(record(workload.clone(), transport, trial, position, outcome));
            }
        }
    }
    let broken = records.len() - 2;
    records[broken].outcome = Outcome::Failed(Failure {
        kind: FailureKind::Connect,
        reason: "12 of 200 subscribers were not connected within 10 s".into(),
        counts: None,
        faults: Faults::default(),
    });
    if let Outcome::Measured(measurement) = &mut records[19].outcome {
        measurement.concerns.push(Concern {
            limit: Limit::Generator,
            detail: "the generator sent 4.1 ms late at the 99th percentile".into(),
        });
    }
    crate::Run { environments: vec![environment()], records }
}

fn asked(name: &str) -> Workload {
    built_in(name).unwrap().unwrap()
}

/// A record of the fixture's run.
pub(crate) fn record(workload: Workload, transport: Transport, trial: u32, position: u32, outcome: Outcome) -> Record {
    Record {
        schema: SCHEMA_VERSION,
        id: None,
        run: "20261123T020000Z".into(),
        workload,
        transport,
        client: pushoff_model::Client::Library,
        server: pushoff_model::target::OURS.into(),
        conditions: std::collections::BTreeMap::new(),
        step: None,
        trial,
        position,
        seed: u64::from(trial),
        outcome,
    }
}

/// Median transfer in µs, its spread, and the server's processor time a delivery in ns.
fn character(transport: Transport) -> (f64, f64, f64) {
    match transport {
        Transport::ShortPolling => (900.0, 0.5, 41_000.0),
        Transport::LongPolling => (1_450.0, 0.6, 27_000.0),
        Transport::HttpStreaming => (1_020.0, 0.5, 12_600.0),
        Transport::Sse => (1_060.0, 0.5, 12_100.0),
        Transport::WebSocket => (1_100.0, 0.48, 15_900.0),
        Transport::RawTcp => (640.0, 0.45, 6_300.0),
    }
}

/// One trial as the transport would have it.
pub(crate) fn measurement(workload: &Workload, transport: Transport, trial: u32) -> Measurement {
    let seed = u64::from(trial) * 1_000 + workload.name.len() as u64 * 10 + transport as u64;
    let mut random = StdRng::seed_from_u64(seed);
    let (median, spread, cpu) = character(transport);
    let drift = 1.0 + 0.06 * f64::from(random.random_range(-10..=10)) / 10.0;
    let transfer = LogNormal::new((median * drift * 1e3_f64).ln(), spread).unwrap();
    let listeners = u64::from(workload.subscribers / workload.topics);
    let published = (1.5 * f64::from(workload.publishers()) * rate(workload)).round() as u64;
    let deliveries = published * listeners;
    let mut sample = Sample::default();
    for number in 0..deliveries {
        let wait = poll_wait(workload, transport, &mut random);
        sample.take(Duration::from_nanos(transfer.sample(&mut random) as u64), wait, number, deliveries, &mut random);
    }
    let requests = requests(workload, transport, deliveries);
    let counts = Counts {
        subscribers: workload.subscribers.into(),
        published: published + published / 5,
        expected: deliveries + deliveries / 5,
        delivered: deliveries + deliveries / 5,
        requests: requests + u64::from(workload.subscribers),
        ..Counts::default()
    };
    let polls = transport.is_polling();
    let cpu_ns = (deliveries as f64 * cpu * drift) as u64;
    let mut measurement = Measurement {
        handshakes: None,
        measured_ns: 1_500_000_000,
        warm_up_ns: 250_000_000,
        counts,
        window: WindowCounts {
            published,
            due: deliveries,
            expected: deliveries,
            delivered: deliveries,
            received: deliveries,
            requests,
        },
        round_trip: (workload.direction == Direction::Both).then(|| sample.delivery.clone()),
        delivery_latency: sample.delivery,
        latency_from_send: sample.from_send,
        send_lag: sample.lag,
        poll_wait: polls.then_some(sample.wait),
        transfer: polls.then_some(sample.transfer),
        connect: lognormal(&mut random, 900.0, 0.4, workload.subscribers),
        first_message: lognormal(&mut random, 42_000.0, 0.5, workload.subscribers),
        series: sample.series,
        server: Some(ProcessUse { cpu_ns, wall_ns: 1_500_000_000, cpus: 1.0, ..ProcessUse::default() }),
        generator: ProcessUse { cpu_ns: 410_000_000, wall_ns: 1_500_000_000, cpus: 1.0, ..ProcessUse::default() },
        machine: MachineUse { steal: 0.002, ..MachineUse::default() },
        ..Measurement::default()
    };
    costs::fill(&mut measurement, workload, transport, drift);
    measurement
}

fn rate(workload: &Workload) -> f64 {
    match &workload.load {
        pushoff_model::workload::Load::Rate { per_second, .. } => per_second.as_per_second(),
        pushoff_model::workload::Load::Trace { .. } | pushoff_model::workload::Load::Silence { .. } => 1.0,
    }
}

fn poll_wait(workload: &Workload, transport: Transport, random: &mut StdRng) -> Duration {
    match transport {
        Transport::ShortPolling => workload.polling.interval.mul_f64(random.random_range(0.0..1.0)),
        Transport::LongPolling if random.random_bool(0.02) => Duration::from_micros(random.random_range(50..900)),
        Transport::LongPolling
        | Transport::HttpStreaming
        | Transport::Sse
        | Transport::WebSocket
        | Transport::RawTcp => Duration::ZERO,
    }
}

fn requests(workload: &Workload, transport: Transport, deliveries: u64) -> u64 {
    match transport {
        Transport::ShortPolling => {
            u64::from(workload.subscribers) * 1_500 / u64::try_from(workload.polling.interval.as_millis()).unwrap()
        }
        Transport::LongPolling if workload.is_silent() => u64::from(workload.subscribers) / 3,
        Transport::LongPolling => deliveries,
        Transport::HttpStreaming | Transport::Sse | Transport::WebSocket | Transport::RawTcp => 0,
    }
}

#[derive(Default)]
struct Sample {
    delivery: LatencyHistogram,
    from_send: LatencyHistogram,
    lag: LatencyHistogram,
    wait: LatencyHistogram,
    transfer: LatencyHistogram,
    series: Series,
}

impl Sample {
    fn take(&mut self, transfer: Duration, wait: Duration, number: u64, of: u64, random: &mut StdRng) {
        let lag = Duration::from_nanos(random.random_range(20_000..90_000));
        let latency = transfer + wait;
        self.delivery.record(latency);
        self.from_send.record(latency.saturating_sub(lag));
        self.lag.record(lag);
        self.wait.record(wait);
        self.transfer.record(transfer);
        self.series.interval_ns = 100_000_000;
        self.series.worst_ns.resize(INTERVALS, 0);
        self.series.delivered.resize(INTERVALS, 0);
        let interval = (number * INTERVALS as u64 / of) as usize;
        let worst = &mut self.series.worst_ns[interval];
        *worst = (*worst).max(latency.as_nanos() as u64);
        self.series.delivered[interval] += 1;
    }
}

fn lognormal(random: &mut StdRng, median_us: f64, spread: f64, count: u32) -> LatencyHistogram {
    let distribution = LogNormal::new((median_us * 1e3).ln(), spread).unwrap();
    let mut histogram = LatencyHistogram::new();
    for _ in 0..count {
        histogram.record(Duration::from_nanos(distribution.sample(random) as u64));
    }
    histogram
}

/// The fixture's machine.
pub(crate) fn environment() -> Environment {
    Environment {
        schema: SCHEMA_VERSION,
        run: "20261123T020000Z".into(),
        started: "2026-11-23T02:00:00Z".into(),
        command: "pushoff run --trials 3 --seed 1".into(),
        seed: 1,
        version: "0.1.0".into(),
        revision: "0123456789ab".into(),
        rustc: "rustc 1.95.0 (59807616e 2026-04-14)".into(),
        profile: "release".into(),
        crates: vec![Named::new("reqwest", "0.13.1"), Named::new("tokio-tungstenite", "0.30.0")],
        cpu: "A made-up processor".into(),
        cpus: 2,
        memory_bytes: 24 << 30,
        kernel: "Linux 6.12.0".into(),
        sysctls: vec![Named::new("net.core.somaxconn", "4096")],
        pinning: Pinning::Split { server: vec![0], generator: vec![1] },
        servers: Vec::new(),
        knobs: vec![Named::new("TCP_NODELAY", "on, both sides"), Named::new("compression", "off")],
        descriptor_limit: 20_000,
        noise: Noise {
            clock_resolution_ns: 21,
            timer_lateness_p50_ns: 61_000,
            timer_lateness_p99_ns: 104_000,
            timer_lateness_max_ns: 390_000,
            round_trip_p50_ns: 13_400,
            round_trip_p99_ns: 31_000,
            repeat_ns: 1_900,
        },
        agents: Vec::new(),
        browser: None,
        shortages: vec!["the descriptor limit is 20,000: at most 19,900 connections".into()],
    }
}
