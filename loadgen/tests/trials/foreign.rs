//! Whole trials on a server whose protocol has nothing in common with pushoff's.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use pushoff_loadgen::{Relay, Server, Together, Trial, run};
use pushoff_model::target::Newcomers;
use pushoff_model::workload::Direction;
use pushoff_model::{Client, Transport, Workload};
use tokio_util::sync::CancellationToken;

use super::{foreign_server, measured, workload};

/// The five transports; such a server has no raw TCP.
fn techniques() -> impl Iterator<Item = Transport> {
    Transport::ALL.into_iter().filter(|transport| *transport != Transport::RawTcp)
}

async fn trial(server: &Server, workload: Workload, transport: Transport) -> pushoff_model::record::Measurement {
    let trial = Trial::new(Arc::new(workload), transport, server.target.clone(), 11);
    measured(transport, run(&trial, server, Together::alone(), &CancellationToken::new()).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_server_is_measured_with_both_clients_and_every_ledger_balances() {
    for newcomers in [Newcomers::Kept, Newcomers::Live] {
        let trials = Client::OF_THE_PROCESS.into_iter().flat_map(|client| {
            techniques().map(move |transport| async move {
                let (server, _) = foreign_server::start(newcomers).await;
                // Topics cannot be completed there, so the trial must not ask for it.
                let workload = Workload { client, completes: true, ..workload(Direction::Down) };
                (transport, client, trial(&server, workload, transport).await)
            })
        });
        for (transport, client, trial) in join_all(trials).await {
            let way = format!("{transport} {client} {newcomers:?}");
            let (counts, window) = (trial.counts, trial.window);
            assert_eq!((counts.published, counts.expected, counts.delivered), (32, 96, 96), "{way}");
            assert_eq!((counts.lost, counts.missed, counts.duplicated, counts.reordered), (0, 0, 0, 0), "{way}");
            assert_eq!((window.published, window.expected, window.delivered), (24, 72, 72), "{way}");
            assert_eq!((trial.connect.count(), trial.first_message.count()), (6, 6), "{way}");
            let contents = trial.wire.unwrap().load.contents;
            assert!(contents.messages >= 96 && contents.payload_bytes > 96 * 80, "{way}: {contents:?}");
            assert_eq!(contents.framing_bytes, 0, "{way}: what its framing must weigh is not known");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_speak_by_requests_where_their_socket_takes_no_message() {
    for transport in [Transport::WebSocket, Transport::Sse] {
        let (server, _) = foreign_server::start(Newcomers::Kept).await;
        let trial = trial(&server, workload(Direction::Both), transport).await;
        assert_eq!((trial.counts.published, trial.counts.delivered), (96, 288), "{transport}");
        assert_eq!(trial.round_trip.map(|histogram| histogram.count()), Some(72), "{transport}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_goes_on_after_the_last_id_or_the_last_answers_field() {
    let resuming = techniques().filter(|transport| *transport != Transport::HttpStreaming);
    let cuts = resuming.flat_map(|transport| Client::OF_THE_PROCESS.map(|client| (transport, client))).map(
        |(transport, client)| async move {
            let (server, logs) = foreign_server::start(Newcomers::Live).await;
            let relay = Relay::to(server.http).await.unwrap();
            let through = Server { http: relay.address, ..server.clone() };
            let mut workload = Workload { client, ..workload(Direction::Down) };
            workload.phases.measure = Duration::from_millis(600);
            workload.phases.drain = Duration::from_secs(6);
            workload.polling.interval = Duration::from_millis(50);
            let cutting = async {
                logs.have_taken(12).await;
                relay.cut();
            };
            let (trial, ()) = tokio::join!(trial(&through, workload, transport), cutting);
            (transport, trial.counts)
        },
    );
    for (transport, counts) in join_all(cuts).await {
        assert!(counts.reconnects >= 1 || transport.is_polling(), "{transport}: {counts:?}");
        assert_eq!((counts.lost, counts.missed, counts.duplicated), (0, 0, 0), "{transport}: {counts:?}");
        assert_eq!(counts.expected, counts.delivered, "{transport}: {counts:?}");
    }
}
