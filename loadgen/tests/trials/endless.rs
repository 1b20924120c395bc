//! Servers that send without end: every client gives up and blames the server.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;
use pushoff_loadgen::Server;
use pushoff_model::workload::Direction;
use pushoff_model::{Client, Transport, Workload};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::fake_server::{Fault, Logs, listen, read, respond};
use super::{failed, ours, outcome, workload};

/// More than the kernel buffers on both sides of a connection. Chosen here.
const AHEAD: u64 = 16 << 20;

/// A head, and what the server repeats after it forever.
#[derive(Clone, Copy, Debug)]
struct Endless {
    head: &'static str,
    piece: &'static [u8],
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n";
const UNTIL_CLOSED: &str = "HTTP/1.1 200 OK\r\n\r\n";
const FAILED: &str = "HTTP/1.1 500 Internal Server Error\r\n\r\n";
const UPGRADED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n";

/// A running server, and how many bytes its clients accepted.
struct Running {
    server: Server,
    written: Arc<AtomicU64>,
}

async fn start(endless: Endless, publishes: bool) -> Running {
    let (logs, written) = (Logs::new(Fault::None), Arc::new(AtomicU64::new(0)));
    let (for_http, for_raw) = (written.clone(), written.clone());
    let http = listen(move |stream| serve(stream, logs.clone(), endless, publishes, for_http.clone())).await;
    let raw_tcp = listen(move |stream| subscribed(stream, endless, for_raw.clone())).await;
    let server = Server { raw_tcp: Some(raw_tcp), ..Server::at(ours(), http) };
    Running { server, written }
}

async fn serve(
    mut stream: BufReader<TcpStream>,
    logs: Arc<Logs>,
    endless: Endless,
    publishes: bool,
    written: Arc<AtomicU64>,
) -> io::Result<()> {
    while let Some(request) = read(&mut stream).await? {
        if request.method == "POST" && publishes {
            logs.publish(&request.topic, &request.body);
            respond(&mut stream, "201 Created", "", "{}").await?;
            continue;
        }
        stream.write_all(endless.head.replace("ACCEPT", &request.accept()).as_bytes()).await?;
        return repeat(stream, endless.piece, &written).await;
    }
    Ok(())
}

async fn subscribed(mut stream: BufReader<TcpStream>, endless: Endless, written: Arc<AtomicU64>) -> io::Result<()> {
    stream.read_line(&mut String::new()).await?;
    repeat(stream, endless.piece, &written).await
}

async fn repeat(mut stream: BufReader<TcpStream>, piece: &[u8], written: &AtomicU64) -> io::Result<()> {
    let many = piece.repeat(64 * 1024 / piece.len() + 1);
    loop {
        stream.write_all(&many).await?;
        written.fetch_add(many.len() as u64, Ordering::Relaxed);
    }
}

/// The reason that the trial fails with, and how many bytes the server could write.
async fn reason(endless: Endless, publishes: bool, transport: Transport, client: Client) -> (String, u64) {
    let Running { server, written } = start(endless, publishes).await;
    let mut workload = Workload { client, ..workload(Direction::Down) };
    (workload.subscribers, workload.topics) = (1, 1);
    let failure = failed(outcome(workload, transport, &server).await);
    (failure.reason, written.load(Ordering::Relaxed))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_answer_is_given_up_and_named() {
    const MIB: u64 = 1 << 20;
    let cases = [
        (Transport::Sse, CHUNKED, &b" "[..], "an event of more than 1 MiB", 2 * MIB),
        (Transport::Sse, UNTIL_CLOSED, b"data", "an event of more than 1 MiB", MIB),
        (Transport::Sse, UNTIL_CLOSED, b"data: and so on, without end\r\n", "an event of more than 1 MiB", 2 * MIB),
        (Transport::Sse, UNTIL_CLOSED, b": comment", "an event of more than 1 MiB", MIB),
        (Transport::HttpStreaming, CHUNKED, b" ", "a line of more than 1 MiB", 2 * MIB),
        (Transport::HttpStreaming, UNTIL_CLOSED, b" ", "a line of more than 1 MiB", MIB),
        (Transport::LongPolling, CHUNKED, b" ", "an answer to a poll of more than 16 MiB", 20 * MIB),
        (Transport::ShortPolling, UNTIL_CLOSED, b"{", "an answer to a poll of more than 16 MiB", 16 * MIB),
        (Transport::ShortPolling, FAILED, b"no", "status 500", 0),
        (Transport::Sse, FAILED, b"no", "status 500", 0),
        (Transport::WebSocket, UPGRADED, b"\x81\x7f\0\0\0\0\x7f\0\0\0", "a message of more than 1 MiB", 0),
        (Transport::WebSocket, FAILED, b"no", "status 500", 0),
        (Transport::RawTcp, "", b"\x7f\0\0\0", "a message of more than 1 MiB", 0),
        (Transport::LongPolling, "HTTP/1.1 200 OK\r\nX: ", b"x", "", MIB),
        (Transport::Sse, "HTTP/1.1 200 OK\r\nX: ", b"x", "", MIB),
        (Transport::WebSocket, "HTTP/1.1 101 Switching Protocols\r\nX: ", b"x", "its head is too long", MIB),
    ];
    for (transport, head, piece, says, most) in cases {
        let told = Client::OF_THE_PROCESS.map(|client| async move {
            let (reason, written) = reason(Endless { head, piece }, true, transport, client).await;
            let way = format!("{transport} {client} {head:?} {piece:?}: {reason}");
            assert!(reason.contains(says) && reason.contains("subscriber 0"), "{way}");
            assert!(written <= most + AHEAD, "{way}: {written} bytes");
        });
        join_all(told).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_parts_without_an_end_is_too_long() {
    // The first frame begins a message, and the others continue it.
    const BEGUN: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n\u{1}\u{1}a";
    for client in Client::OF_THE_PROCESS {
        let endless = Endless { head: BEGUN, piece: b"\0\x03abc" };
        let (reason, written) = reason(endless, true, Transport::WebSocket, client).await;
        assert!(reason.contains("a message of more than 1 MiB"), "{client}: {reason}");
        assert!(written <= 2 * AHEAD, "{client}: {written} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_publisher_without_an_end_is_given_up_and_named() {
    for (head, says) in [(UNTIL_CLOSED, "an answer to a message of more than 1 MiB"), (FAILED, "500")] {
        let (reason, written) = reason(Endless { head, piece: b"x" }, false, Transport::Sse, Client::Lean).await;
        assert!(reason.contains(says), "{reason}");
        assert!(reason.len() < 1_000 && written <= 2 * AHEAD, "{written} bytes: {reason}");
    }
}
