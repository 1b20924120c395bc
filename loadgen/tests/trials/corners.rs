//! Corners of the standards that servers use: both clients read what is allowed and refuse what is not.

use std::time::Duration;

use futures_util::future::join_all;
use pushoff_model::workload::Direction;
use pushoff_model::{Client, Transport, Workload};

use super::bent::{self, Bend};
use super::fake_server::{FakeServer, Fault};
use super::misbehaving::{self, Manner};
use super::{failed, measured, outcome, target, workload};

const TECHNIQUES: [Transport; 5] =
    [Transport::ShortPolling, Transport::LongPolling, Transport::HttpStreaming, Transport::Sse, Transport::WebSocket];

#[tokio::test(flavor = "multi_thread")]
async fn both_clients_read_all_that_the_standards_allow() {
    let bends: [(&str, Bend); 4] = [
        ("interim responses", bent::interim),
        ("lists over several lines", bent::listed),
        ("folded fields", bent::folded),
        ("extensions and trailers of chunks", bent::chunked),
    ];
    let trials = bends.into_iter().flat_map(|(name, bend)| {
        Client::OF_THE_PROCESS.into_iter().flat_map(move |client| {
            TECHNIQUES.map(|transport| async move {
                let server = FakeServer::start(Fault::None).await;
                let (bent, _relay) = bent::server(&target(&server), bend).await;
                let workload = Workload { client, completes: true, ..workload(Direction::Down) };
                let counts = measured(transport, outcome(workload, transport, &bent).await).counts;
                assert_eq!(
                    (counts.delivered, counts.lost, counts.reconnects),
                    (96, 0, 0),
                    "{name} {client} {transport}"
                );
            })
        })
    });
    join_all(trials).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_that_was_not_asked_for_fails_the_handshake_of_both_clients() {
    let bends: [(Bend, &str); 2] = [(bent::extended, "\"permessage-deflate\""), (bent::subprotocol, "\"chat\"")];
    for ((bend, name), client) in bends.into_iter().flat_map(|bend| Client::OF_THE_PROCESS.map(|client| (bend, client)))
    {
        let server = FakeServer::start(Fault::None).await;
        let (bent, _relay) = bent::server(&target(&server), bend).await;
        let workload = Workload { client, ..workload(Direction::Down) };
        let failure = failed(outcome(workload, Transport::WebSocket, &bent).await);
        assert!(failure.reason.contains(name) && failure.reason.contains("RFC 6455"), "{client}: {failure:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unusable_answer_fails_the_trial_by_its_name() {
    let cases = [
        (Manner::Hurries, Transport::LongPolling, "the server does not wait"),
        (Manner::Zips("content-encoding: gzip\r\n"), Transport::LongPolling, "compressed (gzip)"),
        (Manner::Zips("content-encoding: br\r\n"), Transport::ShortPolling, "compressed (br)"),
        (Manner::Frames(0x82, false), Transport::WebSocket, "binary frame"),
    ];
    let told = cases.into_iter().flat_map(|(manner, transport, says)| {
        Client::OF_THE_PROCESS.map(|client| async move {
            let server = misbehaving::start(manner).await;
            let mut workload = Workload { client, ..workload(Direction::Down) };
            // The trial ends when the first subscriber gives up.
            workload.phases.measure = Duration::from_secs(20);
            let failure = failed(outcome(workload, transport, &server).await);
            assert!(failure.reason.contains(says) && failure.reason.contains("subscriber"), "{client}: {failure:?}");
            assert!(!failure.reason.contains("again after a break"), "nothing broke: {failure:?}");
        })
    });
    join_all(told).await;
}
