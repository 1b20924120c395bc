//! Runs over TLS, over HTTP/2 and with compression: what is measured is all accounted for, by every client.

use pushoff_model::overhead::{http2, tls};
use pushoff_model::record::{Handshake, Handshakes, Outcome, Traffic};
use pushoff_model::wire::{COMPRESSION, HTTP, TLS};
use pushoff_model::{Record, Transport};

use crate::command::{Folder, Run};
use crate::server::Server;

/// Twelve readers of one topic, on three connections where connections are shared.
const SMALL: &str = r#"
name = "small"
question = "What does a wire change?"
topics = 1
subscribers = 12
tabs = 4
[publish]
rate = 40.0
arrival = "constant"
[polling]
interval = "100ms"
[phases]
warm_up = "200ms"
measure = "600ms"
drain = "10s"
[slo]
share = 0.5
within = "5s"
"#;

/// Runs every transport over a wire, and gives the records of its trials, all of which must be whole.
fn run(flags: &[&str]) -> Vec<Record> {
    let folder = Folder::new();
    let workload = folder.file("small.toml", SMALL);
    let asked = ["--workload", &workload, "--trials", "1", "--network", "none"];
    let ended = Run::start(&folder, &[&asked[..], flags].concat()).end();
    assert_eq!(ended.code, Some(0), "{flags:?}: {}", ended.stderr);
    let records = ended.records();
    for transport in Transport::ALL.into_iter().filter(|transport| transport.is_ranked()) {
        assert!(records.iter().any(|record| record.transport == transport), "{flags:?}: no {transport}");
    }
    for record in &records {
        let Outcome::Measured(measured) = &record.outcome else { panic!("{flags:?}: {:?}", record.outcome) };
        let counts = &measured.counts;
        let wrong = (counts.lost, counts.duplicated, counts.altered, counts.unpublished, counts.reconnects);
        assert_eq!(wrong, (0, 0, 0, 0, 0), "{flags:?} {}", record.transport);
        assert_eq!(measured.window.delivered, measured.window.due, "{flags:?} {}", record.transport);
    }
    records
}

fn bytes(records: &[Record], transport: Transport) -> &Traffic {
    let record = records.iter().find(|record| record.transport == transport).unwrap();
    let Outcome::Measured(measured) = &record.outcome else { panic!("{:?}", record.outcome) };
    measured.wire.as_ref().unwrap().window.as_ref().unwrap()
}

#[test]
fn what_crosses_tls_and_http2_is_what_their_standards_say_to_the_byte() {
    for flags in [&["--tls"][..], &["--tls", "--http", "2"]] {
        let records = run(flags);
        for record in &records {
            assert_requests_are_counted_once(record, flags);
        }
        for transport in Transport::ALL.into_iter().filter(|transport| transport.is_ranked()) {
            let Traffic { down, up, contents, .. } = bytes(&records, transport);
            let theory = contents.payload_bytes + contents.framing_bytes + contents.response_head_bytes;
            // At the window's ends, a poll's request may be in and its answer out.
            let ends = if transport.is_polling() { theory / 50 } else { 0 };
            // Messages that were sent together share a frame and a record.
            let is_each_alone = down.data_segments == contents.messages;
            let shared = if is_each_alone { 0 } else { (http2::FRAME + tls::RECORD) * contents.messages };
            let within = theory - ends - shared..=theory + ends;
            assert!(within.contains(&down.bytes), "{flags:?} {transport}: {} of {theory} bytes", down.bytes);
            let (asked, ends) = (contents.request_head_bytes, contents.request_head_bytes / 50);
            // Requests of tabs that are sent together share a record, too.
            let shared = if up.data_segments == contents.requests { 0 } else { tls::RECORD * contents.requests };
            let within = asked - ends - shared..=asked + ends;
            assert!(within.contains(&up.bytes), "{flags:?} {transport}: {up:?} {contents:?}");
        }
    }
}

/// The subscribers count as many requests as crossed their connections. At the window's ends, each may have one that
/// only one of both counts has.
fn assert_requests_are_counted_once(record: &Record, flags: &[&str]) {
    let Outcome::Measured(measured) = &record.outcome else { panic!("{flags:?}: {:?}", record.outcome) };
    let Some(window) = measured.wire.as_ref().and_then(|wire| wire.window.as_ref()) else { return };
    let (crossed, counted, each) =
        (window.contents.requests, measured.window.requests, u64::from(record.workload.subscribers));
    assert!(crossed.abs_diff(counted) <= each, "{flags:?} {}: {crossed} {counted}", record.transport);
    if record.transport.is_polling() {
        assert!(counted > 2 * each, "{flags:?} {}: {counted} are too few to tell", record.transport);
    }
}

#[test]
fn every_client_accounts_for_every_message_on_every_wire() {
    let records = run(&["--client", "lean,library", "--tls", "--http", "2", "--compress"]);
    let of = |record: &Record| [TLS, HTTP, COMPRESSION].map(|factor| record.conditions.contains_key(factor));
    assert!(records.iter().all(|record| of(record) == [true; 3]));
    // The library's WebSocket has no compression: it is measured without alone.
    let library = run(&["--client", "library", "--tls", "--compress=off,on"]);
    let compressed = library.iter().filter(|it| it.conditions.contains_key(COMPRESSION));
    assert!(compressed.map(|it| it.transport).all(|transport| transport != Transport::WebSocket));
}

#[test]
fn streams_that_came_uncompressed_are_counted_where_they_were_to_be_compressed() {
    // 4 MiB are for compressors, of which zstd keeps 320 KiB: twelve.
    let server = Server::with(&["--compress", "--memory", "16MiB"]);
    let folder = Folder::new();
    let workload = folder.file("small.toml", SMALL);
    let url = format!("http://{}", server.http);
    let asked = ["--workload", &workload, "--subscribers", "20", "--trials", "1", "--transport", "sse", "--compress"];
    let ended = Run::start(&folder, &[&asked[..], &["--target", &url]].concat()).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let records = ended.records();
    let Outcome::Measured(measured) = &records[0].outcome else { panic!("{:?}", records[0].outcome) };
    let said: Vec<_> = measured.concerns.iter().map(|it| &*it.detail).collect();
    assert!(said.iter().any(|it| it.starts_with("8 of 20 streams came uncompressed")), "{said:?}");
}

#[test]
fn compression_sends_fewer_bytes_and_both_wires_are_told_apart() {
    let records = run(&["--compress=off,on"]);
    let (plain, compressed): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|record| !record.conditions.contains_key(COMPRESSION));
    for transport in [Transport::HttpStreaming, Transport::Sse, Transport::WebSocket] {
        let [plain, compressed] = [&plain, &compressed].map(|records| bytes(records, transport).down.bytes);
        assert!(compressed < plain, "{transport}: {compressed} of {plain} bytes");
    }
    assert!(plain.iter().any(|record| record.transport == Transport::RawTcp), "the floor is measured in the clear");
    assert!(compressed.iter().all(|record| record.transport != Transport::RawTcp));
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused_in_one_sentence_and_taken_when_told_to() {
    let server = Server::with(&["--tls", "self-signed", "--tls-listen", "127.0.0.1:0"]);
    let url = format!("https://{}", server.https.unwrap());
    let run = |flags: &[&str]| {
        let folder = Folder::new();
        let workload = folder.file("small.toml", SMALL);
        let asked = ["--workload", &workload, "--trials", "1", "--transport", "sse,websocket", "--target", &url];
        Run::start(&folder, &[&asked[..], flags].concat()).end()
    };
    let refused = run(&["--client", "lean,library"]);
    let sentence = "trust the authority that signed it with --ca FILE, or any certificate with --insecure";
    assert_eq!((refused.code, refused.stderr.matches(sentence).count()), (Some(2), 1), "{}", refused.stderr);
    let taken = run(&["--client", "lean,library", "--insecure"]);
    assert_eq!(taken.code, Some(0), "{}", taken.stderr);
}

#[test]
fn a_run_over_tls_records_what_full_and_resumed_handshakes_cost() {
    let folder = Folder::new();
    let workload = folder.file("small.toml", SMALL);
    let asked = ["--workload", &workload, "--trials", "1", "--transport", "sse", "--tls=off,on", "--network", "none"];
    let ended = Run::start(&folder, &asked).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for record in ended.records() {
        let Outcome::Measured(measured) = &record.outcome else { panic!("{:?}", record.outcome) };
        if !record.conditions.contains_key(TLS) {
            assert_eq!(measured.handshakes, None);
            continue;
        }
        let Handshakes { full, resumed } = measured.handshakes.unwrap();
        let resumed = resumed.unwrap();
        for kind in [full, resumed] {
            assert!(kind.connections > 0, "{kind:?}");
            assert_eq!(kind.round_trips, kind.connections, "TLS 1.3 has one either way (RFC 8446 §2)");
            assert!(kind.server_cpu_ns.unwrap() > 0);
        }
        // A resumed one carries a ticket up and no certificate down, and signs nothing.
        let each = |sum: u64, of: Handshake| sum / of.connections;
        assert!(each(resumed.up_bytes, resumed) > each(full.up_bytes, full), "{full:?} {resumed:?}");
        assert!(each(resumed.down_bytes, resumed) < each(full.down_bytes, full), "{full:?} {resumed:?}");
    }
}
