//! What a probe reports about correct servers and incorrect ones.

use std::time::Duration;

use futures_util::future::join_all;
use pushoff_loadgen::{Offer, Server, probe};
use pushoff_model::target::Newcomers;
use pushoff_model::{Client, Transport};

use super::fake_server::{FakeServer, Fault};
use super::misbehaving::Manner;
use super::{foreign_server, misbehaving, ours, target};

const TECHNIQUES: [Transport; 5] =
    [Transport::ShortPolling, Transport::LongPolling, Transport::HttpStreaming, Transport::Sse, Transport::WebSocket];

async fn offers(server: &Server, transports: &[Transport], client: Client) -> Vec<(Transport, Offer)> {
    let findings = probe(server, transports, client).await;
    let offer = |verdict: Result<Offer, String>| verdict.unwrap_or_else(|problem| panic!("{client}: {problem}"));
    findings.into_iter().map(|finding| (finding.transport, offer(finding.verdict))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_our_own_contract_offers_all_and_lets_one_go_on() {
    for client in Client::OF_THE_PROCESS {
        let server = FakeServer::start(Fault::None).await;
        let offers = offers(&target(&server), &Transport::ALL, client).await;
        assert!(offers.iter().map(|(transport, _)| *transport).eq(Transport::ALL));
        assert!(offers.iter().all(|(_, offer)| offer.resumes), "{offers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_slow_to_take_the_greeting_is_not_slow_to_connect_to() {
    let pause = Duration::from_secs(2);
    let server = FakeServer::start(Fault::Pauses(0, pause)).await;
    let offers = offers(&target(&server), &[Transport::Sse], Client::Lean).await;
    assert!(offers[0].1.first_message < pause, "{offers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_server_offers_what_its_target_describes() {
    let cases = [Newcomers::Kept, Newcomers::Live]
        .into_iter()
        .flat_map(|kept| Client::OF_THE_PROCESS.map(|client| (kept, client)));
    join_all(cases.map(|(newcomers, client)| async move {
        let (server, _) = foreign_server::start(newcomers).await;
        for (transport, offer) in offers(&server, &TECHNIQUES, client).await {
            // A stream of bare texts has no position.
            assert_eq!(offer.resumes, transport != Transport::HttpStreaming, "{transport} {client} {newcomers:?}");
        }
        let floor = &probe(&server, &[Transport::RawTcp], client).await[0];
        assert!(floor.verdict.as_ref().unwrap_err().contains("no raw TCP port"), "{floor:?}");
    }))
    .await;
}

/// The one sentence about one transport.
async fn problem(server: &Server, transport: Transport, client: Client) -> String {
    let finding = probe(server, &[transport], client).await.swap_remove(0);
    let problem = finding.verdict.unwrap_err();
    assert!(problem.starts_with(transport.name()) && !problem.contains('\n'), "{problem}");
    problem
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_is_told_in_one_sentence_with_what_to_do() {
    const HTML: &str = "<!DOCTYPE html><title>Welcome</title>";
    let html = Manner::Answers("200 OK", "content-type: text/html\r\n", HTML);
    let bare_html = Manner::Answers("200 OK", "", HTML);
    let gzip = Manner::Answers("200 OK", "content-type: text/event-stream\r\ncontent-encoding: gzip\r\n", "\u{1f}zip");
    let moved = Manner::Answers("302 Found", "location: http://elsewhere.test/x\r\n", "");
    let status = |status| Manner::Answers(status, "", "no");
    let cases = [
        (html, Transport::ShortPolling, &["HTML where a line a message", "DOCTYPE", "[short-polling]"][..]),
        (bare_html, Transport::LongPolling, &["HTML where a line a message"]),
        (html, Transport::HttpStreaming, &["HTML where a line a message"]),
        (html, Transport::Sse, &["HTML where an event stream should be"]),
        (html, Transport::WebSocket, &["200 OK to a WebSocket handshake", "Upgrade"]),
        (status("400 Bad Request"), Transport::WebSocket, &["400 Bad Request to a WebSocket handshake"]),
        (status("426 Upgrade Required"), Transport::WebSocket, &["426 Upgrade Required to a WebSocket handshake"]),
        (status("404 Not Found"), Transport::Sse, &["404", "correct `path` in [sse]"]),
        (status("404 Not Found"), Transport::LongPolling, &["404", "correct `path` in [long-polling]"]),
        (status("401 Unauthorized"), Transport::HttpStreaming, &["401", "`headers`", "Authorization"]),
        (status("403 Forbidden"), Transport::WebSocket, &["403", "Authorization"]),
        (status("500 Internal Server Error"), Transport::ShortPolling, &["500", "\"no\""]),
        (gzip, Transport::Sse, &["compressed (gzip)", "switch compression off"]),
        (moved, Transport::ShortPolling, &["302", "http://elsewhere.test/x", "redirects are not followed"]),
        (Manner::Hangs, Transport::HttpStreaming, &["the head of the answer does not come", "proxy_buffering off"]),
        (Manner::Holds(20), Transport::Sse, &["only when more are published", "X-Accel-Buffering: no"]),
        (Manner::Holds(1_000), Transport::HttpStreaming, &["no published message comes", "proxy_buffering off"]),
        (
            Manner::Misplaces,
            Transport::HttpStreaming,
            &["no message is found at /data", "{\\\"id\\\":\\\"0000abcd-", "`payload`"],
        ),
        (Manner::Forgets, Transport::Sse, &["receives messages again", "`resume` in [sse]"]),
        (Manner::Skips, Transport::Sse, &["misses", "`resume` in [sse]"]),
        (Manner::Refuses("401 Unauthorized"), Transport::Sse, &["publishing at", "401", "Authorization"]),
        (Manner::Refuses("404 Not Found"), Transport::Sse, &["publishing at", "404", "`path` in [publish]"]),
    ];
    assert_told(&cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_manner_is_reported_by_its_own_sentence() {
    let cases = [
        (
            Manner::Buffers(8_192),
            Transport::Sse,
            &["held back", "only when more are published", "proxy_buffering off"][..],
        ),
        (Manner::Buffers(8_192), Transport::HttpStreaming, &["held back", "only when more are published"]),
        // Enough for the first messages, but not for the later ones.
        (Manner::Buffers(250), Transport::HttpStreaming, &["held back", "only when more are published"]),
        (Manner::Repeats, Transport::Sse, &["comes twice on one connection"]),
        (Manner::Repeats, Transport::HttpStreaming, &["comes twice on one connection"]),
        (Manner::Drops(2), Transport::HttpStreaming, &["message 2 never comes", "drops it"]),
        (Manner::Delays(2), Transport::Sse, &["in another order", "keep the order"]),
        (Manner::Frames(0x82, false), Transport::WebSocket, &["binary frame", "let it send text frames"]),
        (Manner::Frames(0x81, true), Transport::WebSocket, &["breaks again and again", "a server's frame is masked"]),
        (Manner::Frames(0xc1, false), Transport::WebSocket, &["breaks again and again", "eserved"]),
        (Manner::Hurries, Transport::LongPolling, &["answered at once", "does not wait", "[short-polling]"]),
        (
            Manner::Zips("content-encoding: gzip\r\n"),
            Transport::LongPolling,
            &["compressed (gzip)", "switch compression off"],
        ),
        (
            Manner::Zips("Content-Encoding: br\r\n"),
            Transport::ShortPolling,
            &["compressed (br)", "switch compression off"],
        ),
        (Manner::Zips(""), Transport::ShortPolling, &["compressed (gzip)", "without a Content-Encoding"]),
    ];
    assert_told(&cases).await;
}

/// Checks that both clients report these words for each manner.
async fn assert_told(cases: &[(Manner, Transport, &[&str])]) {
    let told = cases.iter().flat_map(|&(manner, transport, says)| {
        Client::OF_THE_PROCESS.map(|client| async move {
            let server = misbehaving::start(manner).await;
            let problem = problem(&server, transport, client).await;
            assert!(problem.contains(&server.http.to_string()), "{manner:?}: {problem}");
            for text in says {
                assert!(problem.contains(text), "{manner:?} {client}, where is {text}: {problem}");
            }
        })
    });
    join_all(told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_server_is_reported_with_its_address() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for transport in TECHNIQUES {
        let problem = problem(&Server::at(ours(), closed), transport, Client::Lean).await;
        assert!(problem.contains(&format!("nobody listens at {closed}")), "{problem}");
    }
}
