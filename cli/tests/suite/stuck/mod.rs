//! Readers that read nothing and readers that read a byte at a time, past the knee: what they cost
//! the server, the others and themselves.
//!
//! The load is closed-loop, as fast as the server takes it, so that whoever falls behind by more
//! than the log keeps must be told. Every ledger balances in the end: delivered + missed = published.

mod ledger;
mod load;
mod relay;

use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::time::Duration;

use pushoff_loadgen::clients::{SubscribeError, Subscription, subscribe};
use pushoff_model::workload::Polling;
use pushoff_model::{Client, Cursor, RunClock, Transport};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::client::frames::handshake;
use crate::client::http::{Connection, Request};
use crate::client::subscriber::small_buffered;
use crate::listener::listening;
use crate::server::Server;
use ledger::Ledger;
use load::{Load, PAYLOAD_BYTES};
use relay::slow_relay;

const TOPIC: &str = "t";

/// Readers of each transport: a tenth reads nothing, a tenth a byte at a time.
const HEALTHY: usize = 16;
const SILENT: usize = 2;
const DRIBBLING: usize = 2;

/// What the topic keeps: so little that whoever is slow misses some of it.
const REPLAY: u64 = 128;
/// The log: payloads, and some hundred bytes to hold each.
const LOG_BYTES: u64 = REPLAY * (PAYLOAD_BYTES as u64 + 256);
/// What waits to be written to a stream: a batch of 64 KiB and one message.
const STREAM_BYTES: u64 = (64 << 10) + PAYLOAD_BYTES as u64;
/// What waits to be written to one who polls: an answer, at most 1 MiB and here the whole log, and
/// its head.
const POLL_BYTES: u64 = LOG_BYTES + (1 << 10);
/// The task of a connection, and what its socket has brought.
const CONNECTION_BYTES: u64 = 16 << 10;
/// What the allocator and the publisher's requests hold besides.
const REST_BYTES: u64 = 8 << 20;

/// The most that the server may hold beyond what it held before, as docs/TRANSPORTS.md gives it.
fn bound() -> u64 {
    let readers = (HEALTHY + SILENT + DRIBBLING) as u64;
    let waiting = Transport::ALL.map(|transport| match transport {
        Transport::ShortPolling | Transport::LongPolling => POLL_BYTES,
        Transport::HttpStreaming | Transport::Sse | Transport::WebSocket | Transport::RawTcp => STREAM_BYTES,
    });
    LOG_BYTES + REST_BYTES + waiting.iter().map(|bytes| readers * (bytes + CONNECTION_BYTES)).sum::<u64>()
}

#[test]
fn stuck_readers_are_cut_off_and_cost_the_others_nothing() {
    // Longer than a busy machine keeps a healthy reader from its processor: that one is not to be cut off.
    let server = Server::with(&["--write-timeout", "4s", "--replay", &REPLAY.to_string()]);
    let origin = server.origin(TOPIC);
    let before = server.resident_bytes();
    let mut load = Load::on(&server);
    // There is something to read from the beginning, for those who poll and do not wait.
    load.publish();
    let silent: Vec<_> = Transport::ALL
        .iter()
        .flat_map(|&transport| [transport; SILENT])
        .map(|transport| (transport, read_nothing(&server, transport, origin)))
        .collect();
    let runtime = Runtime::new().unwrap();
    let (hurry, hurried) = watch::channel(false);
    let slow_http = runtime.block_on(slow_relay(server.http, hurried.clone()));
    let slow_raw_tcp = runtime.block_on(slow_relay(server.raw_tcp, hurried));
    let (mut healthy, mut dribbling) = (JoinSet::new(), JoinSet::new());
    for transport in Transport::ALL {
        for seed in 0..HEALTHY {
            healthy.spawn_on(read(transport, (server.http, server.raw_tcp), seed), runtime.handle());
        }
        for seed in 0..DRIBBLING {
            let addresses = (slow_http.address, slow_raw_tcp.address);
            dribbling.spawn_on(read(transport, addresses, seed), runtime.handle());
        }
    }
    let is_held = |reader: &Connection| server.holds(reader.socket().local_addr().unwrap());
    load.publish_until(|| !silent.iter().any(|(_, reader)| is_held(reader)));
    let (published, cut_off, peak) = (load.published, server.cut_off(), server.peak_bytes());
    assert!(cut_off >= silent.len() as u64, "{cut_off}");
    for (transport, reader) in silent {
        assert_ends(transport, reader);
    }
    hurry.send(true).unwrap();
    server.complete(TOPIC);
    let healthy = runtime.block_on(healthy.join_all());
    for (transport, ledger) in &healthy {
        assert_eq!((ledger.delivered + ledger.missed, ledger.breaks), (published, 0), "{transport}: {ledger:?}");
    }
    for (transport, ledger) in runtime.block_on(dribbling.join_all()) {
        assert_eq!(ledger.delivered + ledger.missed, published, "slowly, {transport}: {ledger:?}");
        assert!(ledger.missed > 0, "slowly, {transport}: all of it was delivered, so the reader was not slow");
    }
    let grown = peak.saturating_sub(before);
    assert!(grown <= bound(), "{grown} bytes more than before, and {} are the bound", bound());
    server.assert_healthy();
}

/// Asks for all that there is and will be, and reads nothing of it.
fn read_nothing(server: &Server, transport: Transport, origin: Cursor) -> Connection {
    let mut connection = Connection::over(small_buffered(server, transport), server.http);
    let target = format!("/topics/{TOPIC}/{transport}?after={origin}");
    let asked = match transport {
        Transport::RawTcp => format!("SUBSCRIBE {TOPIC} {origin}\n").into_bytes(),
        Transport::WebSocket => handshake(&target).bytes(server.http),
        Transport::HttpStreaming | Transport::Sse => Request::get(&target).bytes(server.http),
        // Some answers fit into the kernel's buffers.
        Transport::ShortPolling | Transport::LongPolling => Request::get(&target).bytes(server.http).repeat(64),
    };
    connection.send_bytes(&asked).unwrap();
    connection
}

/// Asserts that a reader who reads after all finds an end behind what the kernel had taken for it.
fn assert_ends(transport: Transport, reader: Connection) {
    let (mut rest, mut read) = (reader.into_stream(), Vec::new());
    if let Err(error) = rest.read_to_end(&mut read) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{transport}, after {} bytes", read.len());
    }
}

/// Reads until the topic is complete, as the generator's lean client does.
async fn read(transport: Transport, (http, raw_tcp): (SocketAddr, SocketAddr), seed: usize) -> (Transport, Ledger) {
    let polling = Polling { interval: Duration::from_millis(40), wait: Duration::from_secs(25) };
    let mut ledger = Ledger::default();
    loop {
        let (target, topic) = (listening(http, raw_tcp), TOPIC.parse().unwrap());
        let mut subscription = Subscription::new(target, topic, polling, RunClock::start());
        (subscription.client, subscription.completes, subscription.seed) = (Client::Lean, true, seed as u64);
        match subscribe(transport, subscription, &mut ledger).await {
            Ok(()) => return (transport, ledger),
            // Who is too slow for its very first answer is cut off before it has any, and begins anew.
            Err(SubscribeError::Connect(_)) if ledger.delivered == 0 => {}
            Err(error) => panic!("{transport}: {error:?}"),
        }
    }
}
