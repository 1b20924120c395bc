//! One HTTP/2 connection as its client sees it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex, split};
use tokio::time::{sleep, timeout};

use super::*;
use crate::Config;
use crate::http::Problem;
use crate::hub::Payload;
use crate::memory::{Buffer, Memory};
use crate::net::Progress;
use crate::state::LOOPBACK;
use crate::transports::answer::Joining;

const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

/// A frame (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The client's part of the beginning, which opens all windows wide.
fn beginning() -> Vec<u8> {
    let initial_window = [&4_u16.to_be_bytes()[..], &0x7fff_ffff_u32.to_be_bytes()].concat();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    [preface, frame(SETTINGS, 0, 0, &initial_window), frame(WINDOW_UPDATE, 0, 0, &(1_u32 << 30).to_be_bytes())].concat()
}

/// A `GET` in HPACK, without an index but for names.
fn get(stream: u32, path: &str) -> Vec<u8> {
    let mut block = vec![0x82, 0x86];
    for (name, value) in [(0x04, path), (0x01, "localhost")] {
        block.extend([name, u8::try_from(value.len()).unwrap()]);
        block.extend_from_slice(value.as_bytes());
    }
    frame(1, 5, stream, &block)
}

/// The kinds and payloads of the frames that a server sent.
fn frames(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    while let [high, middle, low, kind, _, _, _, _, _, rest @ ..] = bytes {
        let (payload, after) = rest.split_at(u32::from_be_bytes([0, *high, *middle, *low]) as usize);
        found.push((*kind, payload));
        bytes = after;
    }
    found
}

fn server() -> Arc<Server> {
    Arc::new(Server::new(Config::default(), LOOPBACK))
}

#[tokio::test]
async fn others_have_their_turn_among_many_requests_of_a_connection() {
    const REQUESTS: usize = 90;
    let server = server();
    let (ours, mut theirs) = duplex(1 << 20);
    let streams = (0..).map(|number| 2 * number + 1).take(REQUESTS);
    let requests: Vec<_> = streams.map(|stream| get(stream, "/topics/t/short-polling")).collect();
    theirs.write_all(&[beginning(), requests.concat()].concat()).await.unwrap();
    let answered = || {
        let metrics = server.stats.text(0, 0, 0).unwrap();
        let counter = "pushoff_subscriptions_total{transport=\"short-polling\"} ";
        metrics.lines().find_map(|line| line.strip_prefix(counter)?.parse::<usize>().ok()).unwrap()
    };
    let others = async {
        let (mut before, mut most) = (0, 0);
        while before < REQUESTS {
            yield_now().await;
            let now = answered();
            (before, most) = (now, most.max(now - before));
        }
        most
    };
    tokio::select! {
        biased;
        () = serve(ours, &server) => panic!("the connection ended"),
        most = others => assert!(most <= limits::TURNS, "{most} requests without a pause"),
    }
}

/// A connection whose client receives a byte a second until a given time, while others are under way.
struct Slow {
    io: DuplexStream,
    start: Instant,
    until: Duration,
}

impl Io for Slow {
    fn progress(&self) -> Option<Progress> {
        Some(Progress { acknowledged: self.start.elapsed().min(self.until).as_secs(), under_way: 1 })
    }
}

impl AsyncRead for Slow {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Slow {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Publishes messages of 60,000 bytes.
fn publish(server: &Server, messages: usize) {
    let payload = format!("\"{}\"", "x".repeat(60_000));
    for _ in 0..messages {
        let payload = Payload::parse(payload.as_bytes(), usize::MAX).unwrap();
        server.hub.publish(&"t".parse().unwrap(), vec![payload]).unwrap();
    }
}

/// Serves a client that does not read, with or without messages to be read, and receives until `until`: for how many
/// seconds, and how many cut-offs were counted.
async fn unread(messages: usize, until: Duration) -> (u64, u64) {
    let server = server();
    publish(&server, messages);
    let (ours, mut theirs) = duplex(1 << 10);
    let start = Instant::now();
    theirs.write_all(&[beginning(), get(1, "/topics/t/http-streaming?after=start")].concat()).await.unwrap();
    serve(Slow { io: ours, start, until }, &server).await;
    (start.elapsed().as_secs(), server.stall_limit.cut_off.get())
}

#[tokio::test(start_paused = true)]
async fn a_stuck_stream_ends_while_its_sibling_keeps_the_connection_full() {
    let server = server();
    publish(&server, 60);
    let (ours, mut theirs) = duplex(1 << 10);
    let start = Instant::now();
    let client = async {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        let wide = (1_u32 << 30).to_be_bytes();
        let path = "/topics/t/http-streaming?after=start";
        // The window of the connection and that of the second stream are wide; the first keeps its 64 KiB.
        let settings = [preface, frame(SETTINGS, 0, 0, &[]), frame(WINDOW_UPDATE, 0, 0, &wide)].concat();
        let requests = [get(1, path), get(3, path), frame(WINDOW_UPDATE, 0, 3, &wide)].concat();
        theirs.write_all(&[settings, requests].concat()).await.unwrap();
        // 3.6 MB take six minutes at 10,000 bytes a second. The client answers no ping, because it still receives.
        while server.stall_limit.cut_off.get() == 0 {
            theirs.read_exact(&mut [0; 10_000]).await.unwrap();
            sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        () = serve(Slow { io: ours, start, until: Duration::MAX }, &server) => panic!("the connection ended"),
        ended = timeout(Duration::from_mins(2), client) => ended.expect("the stuck stream ends"),
    }
    assert!(start.elapsed() >= server.config.write_timeout);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_still_receives_is_neither_stalled_nor_gone() {
    // Looked at every 30 s: at 120 s it had received more than before, at 150 s it had not.
    for messages in [0, 20] {
        let (lasted, cut_off) = unread(messages, Duration::from_secs(100)).await;
        assert!(lasted >= 150 && cut_off > 0, "{messages} messages: {lasted} s, {cut_off} cut off");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_receives_nothing_is_gone_after_a_ping_and_counted() {
    assert_eq!(unread(0, Duration::ZERO).await, (60, 1));
}

#[tokio::test(start_paused = true)]
async fn a_client_without_a_request_is_told_to_go_and_then_cut_off() {
    let server = server();
    let (ours, mut theirs) = duplex(1 << 16);
    theirs.write_all(&beginning()).await.unwrap();
    let start = Instant::now();
    serve(ours, &server).await;
    let config = &server.config;
    assert_eq!(start.elapsed().as_secs(), (config.head_timeout + config.write_timeout).as_secs());
    assert_eq!(server.stall_limit.cut_off.get(), 1);
    let mut read = Vec::new();
    theirs.read_to_end(&mut read).await.unwrap();
    assert!(frames(&read).iter().any(|(kind, _)| *kind == GOAWAY), "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_behind_the_goaway_is_answered_for_as_long_as_it_takes() {
    let (ours, theirs) = duplex(1 << 16);
    let client = async {
        let (mut read, mut write) = split(theirs);
        write.write_all(&beginning()).await.unwrap();
        sleep(Config::default().head_timeout + Duration::from_secs(1)).await;
        write.write_all(&get(1, "/topics/t/sse")).await.unwrap();
        // From here on it answers every ping.
        loop {
            let mut head = [0; 9];
            read.read_exact(&mut head).await.unwrap();
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            read.read_exact(&mut payload).await.unwrap();
            if (head[3], head[4]) == (PING, 0) {
                write.write_all(&frame(PING, 1, 0, &payload)).await.unwrap();
            }
        }
    };
    let server = server();
    tokio::select! {
        () = serve(ours, &server) => panic!("the connection ended"),
        () = client => {}
        () = sleep(Duration::from_mins(10)) => {}
    }
}

/// What the body of a CONNECT leaves `ahead` with so much memory, and whether its client got window back for it.
async fn sent_while_joining(memory: usize) -> (Option<usize>, bool) {
    let (ours, mut theirs) = duplex(1 << 20);
    let mut post = get(1, "/");
    // Neither the end of the stream nor a body in the same frame.
    post[4] = 4;
    let data = frame(0, 0, 1, &[b'x'; 16_000]).repeat(3);
    theirs.write_all(&[beginning(), post, data].concat()).await.unwrap();
    let mut connection = h2::server::handshake(ours).await.unwrap();
    let (request, _respond) = connection.accept().await.unwrap().unwrap();
    let mut ahead = Buffer::new(&Memory::new(memory).incoming);
    let joining: Joining = Box::pin(async {
        sleep(Duration::from_secs(5)).await;
        Box::new(Err(Problem::not_found()))
    });
    let mut body = request.into_body();
    let joined = tokio::select! {
        _ = connection.accept() => panic!("the connection ended"),
        joined = exchange::join(joining, Some(&mut body), &mut ahead) => joined.map(|_| ahead.len()),
    };
    drop((body, connection));
    let mut read = Vec::new();
    theirs.read_to_end(&mut read).await.unwrap();
    (joined, frames(&read).iter().any(|(kind, _)| *kind == WINDOW_UPDATE))
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_while_a_subscriber_is_waited_for_takes_no_window_from_others() {
    assert_eq!(sent_while_joining(1 << 20).await, (Some(3 * 16_000), true));
    // Without memory for the body, nobody waits for the subscriber.
    assert_eq!(sent_while_joining(1 << 10).await, (None, false));
}

#[tokio::test(start_paused = true)]
async fn without_memory_for_a_connection_its_client_is_told_so() {
    let server = server();
    let _all = server.memory.connections.lease(server.config.memory / 8).unwrap();
    let (ours, mut theirs) = duplex(1 << 16);
    serve(ours, &server).await;
    let mut read = Vec::new();
    timeout(limits::LINGER, theirs.read_to_end(&mut read)).await.unwrap().unwrap();
    let enhance_your_calm: &[u8] = &[0, 0, 0, 0, 0, 0, 0, 11];
    assert_eq!(frames(&read), [(SETTINGS, &[][..]), (GOAWAY, enhance_your_calm)]);
}
