//! Whole trials against a small server that follows pushoff's protocol, or violates it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![expect(clippy::wildcard_enum_match_arm, reason = "most faults are nothing to most of the fake server")]

mod bent;
mod corners;
mod endless;
mod fake_server;
mod fake_transports;
mod foreign;
mod foreign_server;
mod going_wrong;
mod misbehaving;
mod missed;
mod probing;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use pushoff_loadgen::{Relay, Server, Together, Trial, run};
use pushoff_model::record::{Failure, FailureKind, FaultKind, Measurement, Outcome};
use pushoff_model::target::{self, OURS, Target};
use pushoff_model::time::nanos;
use pushoff_model::workload::{Arrival, Direction, Load, built_in};
use pushoff_model::{Client, OfferedRate, Transport, Workload};
use tokio_util::sync::CancellationToken;

use fake_server::{FakeServer, Fault};

/// Two topics with three subscribers each, sixteen messages a publisher, within half a second.
fn workload(direction: Direction) -> Workload {
    let mut workload = built_in("ticker").unwrap().unwrap();
    let ms = Duration::from_millis;
    (workload.topics, workload.subscribers, workload.direction) = (2, 6, direction);
    workload.load = Load::Rate { per_second: OfferedRate::per_second(40.0).unwrap(), arrival: Arrival::Constant };
    workload.polling.interval = ms(20);
    (workload.phases.warm_up, workload.phases.measure, workload.phases.drain) = (ms(100), ms(300), ms(8_000));
    workload
}

fn ours() -> Arc<Target> {
    Arc::new(target::built_in(OURS).unwrap().unwrap())
}

fn target(server: &FakeServer) -> Server {
    Server { raw_tcp: Some(server.raw_tcp), ..Server::at(ours(), server.http) }
}

async fn outcome(workload: Workload, transport: Transport, target: &Server) -> Outcome {
    let trial = Trial::new(Arc::new(workload), transport, ours(), 11);
    run(&trial, target, Together::alone(), &CancellationToken::new()).await
}

async fn with_fault(workload: Workload, transport: Transport, fault: Fault) -> Outcome {
    let server = FakeServer::start(fault).await;
    outcome(workload, transport, &target(&server)).await
}

fn measured(transport: Transport, outcome: Outcome) -> Measurement {
    match outcome {
        Outcome::Measured(measurement) => *measurement,
        other @ (Outcome::Failed(_) | Outcome::NotRun(_)) => panic!("{transport}: {other:?}"),
    }
}

fn failed(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Failed(failure) => failure,
        other @ (Outcome::Measured(_) | Outcome::NotRun(_)) => panic!("{other:?}"),
    }
}

/// The same trial by every transport and both clients at once, each with its own server.
async fn by_every_transport(workload: &Workload, fault: Fault) -> Vec<(Transport, Measurement)> {
    let trials = Client::OF_THE_PROCESS.into_iter().flat_map(|client| {
        Transport::ALL.map(|transport| async move {
            let workload = Workload { client, ..workload.clone() };
            (transport, measured(transport, with_fault(workload, transport, fault).await))
        })
    });
    join_all(trials).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_transport_delivers_every_message_once() {
    for (transport, trial) in by_every_transport(&workload(Direction::Down), Fault::None).await {
        let (counts, window) = (trial.counts, trial.window);
        assert_eq!((counts.published, counts.expected, counts.delivered), (32, 96, 96), "{transport}");
        assert_eq!((counts.lost, counts.missed, counts.duplicated, counts.reordered), (0, 0, 0, 0), "{transport}");
        assert_eq!((window.published, window.expected, window.delivered), (24, 72, 72), "{transport}");
        assert_eq!((trial.delivery_latency.count(), trial.latency_from_send.count()), (72, 72), "{transport}");
        assert_eq!((trial.send_lag.count(), trial.series.delivered.iter().sum::<u64>()), (24, 72), "{transport}");
        assert_eq!((trial.connect.count(), trial.first_message.count()), (6, 6), "{transport}");
        assert_eq!((window.due, counts.unsent), (72, 0), "{transport}");
        assert_eq!(trial.spread.map(|spread| spread.count()), Some(24), "{transport}");
        let polled = [&trial.poll_wait, &trial.poll_queueing, &trial.transfer]
            .map(|part| part.as_ref().map(|part| part.count()));
        assert_eq!(polled, [transport.is_polling().then_some(72); 3], "{transport}");
        assert_eq!((trial.connecting.connections, trial.connecting.at_once), (6, 6), "{transport}");
        assert!(trial.connecting.took_ns >= nanos(trial.first_message.max().unwrap()) / 1_001 * 1_000, "{transport}");
        assert_eq!(trial.round_trip, None);
        assert_eq!(counts.requests > 6, transport.is_polling(), "{transport}");
        assert_eq!(counts.empty_polls > 0, transport == Transport::ShortPolling, "{transport}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_load_holds_its_connections_and_counts_what_that_takes() {
    let mut workload = workload(Direction::Down);
    workload.load = Load::Silence { heartbeat: Duration::from_secs(5) };
    workload.slo = None;
    workload.phases.warm_up = Duration::ZERO;
    for (transport, trial) in by_every_transport(&workload, Fault::None).await {
        let (counts, window) = (trial.counts, trial.window);
        assert_eq!((counts.subscribers, counts.published, counts.expected, window.due), (6, 0, 0, 0), "{transport}");
        assert_eq!(trial.first_message.count(), 6, "{transport}");
        assert_eq!(trial.measured_ns, 300_000_000);
        // Each of six polls every 20 ms for 300 ms.
        let polls = if transport == Transport::ShortPolling { 60..=96 } else { 0..=0 };
        assert!(polls.contains(&window.requests), "{transport}: {}", window.requests);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_member_hears_all_and_its_own_message_makes_a_round_trip() {
    for (transport, trial) in by_every_transport(&workload(Direction::Both), Fault::None).await {
        assert_eq!((trial.counts.published, trial.counts.delivered), (96, 288), "{transport}");
        assert_eq!(trial.round_trip.map(|histogram| histogram.count()), Some(72), "{transport}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_subscriber_learns_that_its_topic_is_complete() {
    let workload = Workload { completes: true, ..workload(Direction::Down) };
    for (transport, trial) in by_every_transport(&workload, Fault::None).await {
        assert_eq!((trial.counts.delivered, trial.counts.reconnects), (96, 0), "{transport}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_is_made_again_and_loses_nothing() {
    let cut = |(direction, client), transport| async move {
        let server = FakeServer::start(Fault::None).await;
        let (http, raw_tcp) = (Relay::to(server.http).await.unwrap(), Relay::to(server.raw_tcp).await.unwrap());
        let target = Server { raw_tcp: Some(raw_tcp.address), ..Server::at(ours(), http.address) };
        let mut workload = Workload { client, ..workload(direction) };
        workload.phases.measure = Duration::from_millis(600);
        // Longer than a first back-off. Messages of unknown fate make it last to its end.
        workload.phases.drain = Duration::from_secs(3);
        let cutting = async {
            server.has_taken(12).await;
            http.cut();
            raw_tcp.cut();
        };
        let (outcome, ()) = tokio::join!(outcome(workload, transport, &target), cutting);
        let trial = measured(transport, outcome);
        (transport, trial.counts, trial.faults)
    };
    let kinds = [Direction::Down, Direction::Both]
        .into_iter()
        .flat_map(|direction| Client::OF_THE_PROCESS.map(|client| (direction, client)));
    let cuts = kinds.flat_map(|kind| Transport::ALL.map(|transport| cut(kind, transport)));
    for (transport, counts, faults) in join_all(cuts).await {
        // An HTTP client reconnects silently if the connection breaks between two polls.
        assert!(counts.reconnects >= 6 || transport.is_polling(), "{transport}: {counts:?}");
        assert_eq!((counts.lost, counts.missed, counts.duplicated), (0, 0, 0), "{transport}: {counts:?}");
        assert_eq!(counts.expected, counts.delivered, "{transport}: {counts:?}");
        // Every broken connection is reported with its cause, and equal causes once.
        assert_eq!(faults.count(FaultKind::Broke), counts.reconnects, "{transport}: {faults:?}");
        assert!(faults.of(FaultKind::Broke).all(|it| !it.cause.contains("127.0.0.1")), "{transport}: {faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_a_server_is_counted_as_its_kind() {
    let mut workload = workload(Direction::Down);
    workload.phases.drain = Duration::from_secs(1);
    let counts = async |fault| {
        by_every_transport(&workload, fault).await.into_iter().map(|(transport, trial)| (transport, trial.counts))
    };
    for (transport, counts) in counts(Fault::Loses(5)).await {
        assert_eq!((counts.lost, counts.missed, counts.delivered), (6, 0, 90), "{transport}");
    }
    for (transport, counts) in counts(Fault::Tells(5)).await {
        assert_eq!((counts.lost, counts.missed, counts.delivered), (0, 6, 90), "{transport}");
    }
    for (transport, counts) in counts(Fault::Repeats(5)).await {
        assert_eq!((counts.duplicated, counts.lost, counts.delivered), (6, 0, 96), "{transport}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_nobody_published_fails_the_trial() {
    for transport in Transport::ALL {
        let mut workload = workload(Direction::Down);
        workload.phases.drain = Duration::from_millis(200);
        let failure = failed(with_fault(workload, transport, Fault::Garbles(5)).await);
        assert_eq!(failure.kind, FailureKind::Unbalanced, "{transport}: {failure:?}");
        assert_eq!(failure.counts.map(|counts| counts.published), Some(32), "{transport}: {failure:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_message_fails_the_trial_with_its_answer() {
    let failure = failed(with_fault(workload(Direction::Down), Transport::Sse, Fault::Refuses).await);
    assert_eq!(failure.kind, FailureKind::Server);
    assert!(failure.reason.contains("401") && failure.reason.contains("no token"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_keep_up_is_judged_by_all_that_was_due() {
    let mut workload = workload(Direction::Down);
    workload.phases.drain = Duration::from_millis(200);
    for (transport, trial) in by_every_transport(&workload, Fault::Stalls).await {
        let (counts, window) = (trial.counts, trial.window);
        assert_eq!(counts.published + counts.unpublished + counts.unsent, 32, "{transport}: {counts:?}");
        assert!(counts.unsent > 0 && counts.unpublished > 0, "{transport}: {counts:?}");
        assert_eq!(counts.expected, counts.delivered + counts.lost, "{transport}: {counts:?}");
        assert_eq!(window.due, 72, "{transport}: three readers of each of two times twelve messages");
        assert!(window.expected < window.due && trial.delivery_latency.count() == window.delivered, "{transport}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_server_shows_as_latency_of_every_message_that_was_due_meanwhile() {
    let pause = Duration::from_millis(210);
    let mut workload = workload(Direction::Down);
    workload.phases.warm_up = Duration::ZERO;
    let outcome = with_fault(workload, Transport::HttpStreaming, Fault::Pauses(4, pause)).await;
    let trial = measured(Transport::HttpStreaming, outcome);
    // Eight of twelve messages fall due while the fourth is being sent, for three readers.
    let late = trial.delivery_latency.count() - trial.delivery_latency.count_within(Duration::from_millis(20));
    assert!(late >= 2 * 3 * 7, "{late}");
    assert!(trial.delivery_latency.max() >= Some(pause));
    assert!(trial.send_lag.max() >= Some(Duration::from_millis(150)), "{:?}", trial.send_lag.max());
    assert_eq!((trial.counts.published, trial.counts.lost), (24, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_server_is_its_own_failure_and_a_missing_raw_port_is_named() {
    let server = FakeServer::start(Fault::None).await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = Server::at(ours(), closed);
    let failure = failed(outcome(workload(Direction::Down), Transport::WebSocket, &nobody).await);
    assert_eq!(failure.kind, FailureKind::Server, "{failure:?}");
    let no_raw = Server { raw_tcp: None, ..target(&server) };
    let failure = failed(outcome(workload(Direction::Down), Transport::RawTcp, &no_raw).await);
    assert_eq!(failure.kind, FailureKind::Connect);
    assert!(failure.reason.contains("no raw TCP port"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_a_trial_at_once() {
    let server = FakeServer::start(Fault::None).await;
    let mut workload = workload(Direction::Down);
    workload.phases.measure = Duration::from_hours(1);
    let trial = Trial::new(Arc::new(workload), Transport::Sse, ours(), 1);
    let cancel = CancellationToken::new();
    let canceller = cancel.clone();
    let running = tokio::spawn(async move { run(&trial, &target(&server), Together::alone(), &cancel).await });
    canceller.cancel();
    assert_eq!(failed(running.await.unwrap()).kind, FailureKind::Interrupted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_processes_cannot_be_seen_is_asked_what_it_used() {
    let server = FakeServer::start(Fault::None).await;
    let target = target(&server).unseen().unwrap();
    let trial = measured(Transport::Sse, outcome(workload(Direction::Down), Transport::Sse, &target).await);
    let used = trial.server.unwrap();
    // From one reading to the next, and on processors of which nobody knows the number.
    assert_eq!((used.is_told, used.cpu_ns, used.utilisation()), (true, 250_000_000, 0.0), "{used:?}");
    let held = trial.memory.idle;
    assert_eq!((held.server.unwrap().rss_bytes, held.kernel), (7_000_000, None), "its kernel is another machine's");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_servers_process_ends_the_trial_at_once() {
    let server = FakeServer::start(Fault::None).await;
    let mut process = tokio::process::Command::new("sleep").arg("600").kill_on_drop(true).spawn().unwrap();
    let target = Server { pids: process.id().into_iter().collect(), ..target(&server) };
    let mut workload = workload(Direction::Down);
    workload.phases.measure = Duration::from_hours(1);
    let (outcome, ()) = tokio::join!(outcome(workload, Transport::LongPolling, &target), async {
        process.start_kill().unwrap();
    });
    let failure = failed(outcome);
    assert_eq!(failure.kind, FailureKind::Server);
    assert!(failure.reason.contains("process ended"), "{failure:?}");
}
