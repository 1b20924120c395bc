//! One connection as its client sees it, under a paused clock.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{advance, sleep};

use super::*;
use crate::Config;
use crate::state::LOOPBACK;

const GET: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
const POST: &str =
    "POST /topics/t HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n7";

/// The client's end of a connection.
struct Client(DuplexStream);

impl Client {
    fn new(config: Config) -> Self {
        let (ours, theirs) = duplex(1 << 20);
        tokio::spawn(serve(ours, Arc::new(Server::new(config, LOOPBACK))));
        Self(theirs)
    }

    async fn send(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).await.unwrap();
    }

    /// Reads one response, whose length its head says, or to the end of the connection.
    async fn receive(&mut self) -> String {
        let mut read = String::new();
        loop {
            if let Some((head, body)) = read.split_once("\r\n\r\n") {
                let length = head.split_once("content-length: ").map_or("0", |(_, rest)| rest);
                let length: usize = length.lines().next().unwrap().parse().unwrap();
                if body.len() >= length {
                    return read;
                }
            }
            let mut byte = [0];
            match self.0.read(&mut byte).await.unwrap() {
                0 => return read,
                _ => read.push(char::from(byte[0])),
            }
        }
    }

    async fn ask(&mut self, request: &str) -> String {
        self.send(request).await;
        self.receive().await
    }

    async fn is_closed(&mut self) -> bool {
        self.0.read(&mut [0]).await.unwrap() == 0
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_kept_alive_between_any_requests_at_any_pace() {
    let mut client = Client::new(Config::default());
    for pause in [50, 90, 20, 10_001, 74_999, 5, 95, 10, 74_999] {
        for (request, status) in [(GET, "200 OK"), (POST, "201 Created")] {
            let answer = client.ask(request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
            advance(Duration::from_millis(pause)).await;
        }
    }
    client.ask(GET).await;
    let idle_since = Instant::now();
    assert!(client.is_closed().await);
    assert_eq!(idle_since.elapsed().as_secs(), 75);
}

#[tokio::test]
async fn what_was_published_is_acknowledged_though_there_is_no_room_for_what_came_with_it() {
    let server = Arc::new(Server::new(Config::default(), LOOPBACK));
    let (ours, theirs) = duplex(1 << 20);
    tokio::spawn(serve(ours, Arc::clone(&server)));
    let mut client = Client(theirs);
    let taken = server.memory.incoming.lease(Config::default().memory / 8).unwrap();
    let answer = client.ask(&format!("{POST}GET /he")).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(client.receive().await.starts_with("HTTP/1.1 503 "), "of the request that was begun");
    assert!(client.is_closed().await);
    drop(taken);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_a_head_runs_from_its_first_byte() {
    let mut client = Client::new(Config::default());
    client.ask(GET).await;
    advance(Duration::from_secs(70)).await;
    let (begun, rest) = GET.split_at(3);
    client.send(begun).await;
    advance(Duration::from_secs(9)).await;
    assert!(client.ask(rest).await.starts_with("HTTP/1.1 200 "));
    let begun_at = Instant::now();
    let answer = client.ask(begun).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(begun_at.elapsed().as_secs(), 10);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn requests_are_answered_alike_wherever_they_are_cut() {
    let head = GET.replace("GET", "HEAD");
    let delete = "DELETE /topics/other HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let close = GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let requests = [POST, GET, &head, POST, delete, &close].concat();
    for cut in 1..requests.len() {
        let mut client = Client::new(Config::default());
        client.send(&requests[..cut]).await;
        yield_now().await;
        client.send(&requests[cut..]).await;
        let mut answers = String::new();
        client.0.read_to_string(&mut answers).await.unwrap();
        let answers: Vec<_> = answers.split("HTTP/1.1 ").skip(1).collect();
        let statuses: Vec<_> = answers.iter().map(|answer| &answer[..3]).collect();
        assert_eq!(statuses, ["201", "200", "200", "201", "204", "200"], "cut at {cut}");
        assert!(answers[2].contains("\r\ncontent-length: 2\r\n") && answers[2].ends_with("\r\n\r\n"));
        assert!(answers[5].contains("\r\nconnection: close\r\n") && answers[5].ends_with("ok"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_body_is_waited_for_only_by_an_admitted_publish() {
    let announced = POST.replace("Length: 1\r\n\r\n7", "Length: 9\r\n\r\n7");
    let mut client = Client::new(Config::default());
    let asked_at = Instant::now();
    assert!(client.ask(&announced).await.starts_with("HTTP/1.1 408 "));
    assert_eq!(asked_at.elapsed().as_secs(), 30);
    assert!(client.is_closed().await);

    let refused = announced.replace("application/json", "text/plain");
    let mut client = Client::new(Config::default());
    let answer = client.ask(&refused).await;
    assert!(answer.starts_with("HTTP/1.1 415 ") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
    // Input after a refused body is no request.
    client.send(GET).await;
    assert!(client.is_closed().await);
}

fn chunked(body: &str) -> String {
    POST.replace("Content-Length: 1\r\n\r\n7", &format!("Transfer-Encoding: chunked\r\n\r\n{body}"))
}

#[tokio::test]
async fn an_ambiguous_request_is_answered_and_closes_the_connection() {
    let both = chunked("1\r\n7\r\n0\r\n\r\n").replace("Transfer-", "Content-Length: 11\r\nTransfer-");
    let two_lengths = POST.replace("Content-Length: 1\r\n", "Content-Length: 1\r\nContent-Length: 2\r\n");
    let bare = GET.replace("\r\n", "\n");
    let spaced = GET.replace("Host:", "Host :");
    let old = GET.replace("1.1", "1.0");
    let absolute = GET.replace("/healthz", "http://localhost/healthz");
    let coded = chunked("1\r\n7\r\n0\r\n\r\n").replace("chunked", "gzip, chunked");
    for (request, status) in [
        (&both, "201"),
        (&two_lengths, "400"),
        (&bare, "200"),
        (&spaced, "400"),
        (&old, "200"),
        (&absolute, "200"),
        (&coded, "501"),
    ] {
        let mut client = Client::new(Config::default());
        let answer = client.ask(&format!("{request}{GET}")).await;
        assert_eq!(&answer[9..12], status, "{request} {answer}");
        assert!(client.is_closed().await, "{request}");
    }
}

#[tokio::test]
async fn a_chunked_body_and_an_expected_body_keep_the_connection() {
    let expecting = POST.replace("Content-Length", "Expect: 100-continue\r\nContent-Length");
    let (head, body) = expecting.split_at(expecting.len() - 1);
    let mut client = Client::new(Config::default());
    for _ in 0..3 {
        assert!(client.ask(&chunked("1;x=y\r\n7\r\n0\r\nTrailer: t\r\n\r\n")).await.starts_with("HTTP/1.1 201 "));
        client.send(head).await;
        let mut interim = [0; 25];
        client.0.read_exact(&mut interim).await.unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        assert!(client.ask(body).await.starts_with("HTTP/1.1 201 "));
        // A client that does not wait for `100 Continue` does not get it.
        assert!(client.ask(&expecting).await.starts_with("HTTP/1.1 201 "));
    }
    assert!(client.ask(GET).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_malformed_or_too_long_chunked_body_ends_the_connection() {
    let long = format!("{:x}\r\n", Config::default().max_payload + 1);
    for (body, status) in [("x\r\n", "400"), ("1\r\n7", "400"), ("1\r\n77\r\n", "400"), (&long, "413")] {
        let mut client = Client::new(Config::default());
        client.send(&chunked(body)).await;
        client.0.shutdown().await.unwrap();
        let answer = client.receive().await;
        assert_eq!(&answer[9..12], status, "{body:?} {answer}");
        assert!(answer.contains("connection: close"), "{answer}");
        assert!(client.is_closed().await);
    }
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_head_and_body_has_its_timeout() {
    let fields = |count: usize| format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}", "X: y\r\n".repeat(count - 1));
    let expecting = POST.replace("Content-Length: 1\r\n\r\n7", "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n7");
    let heads = [1, 63, 64, 65, 100].map(fields);
    let others =
        ["GET http://localhost/ HTTP/1.0\r\n", "GET / HTTP/1.1\n", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"];
    let heads = heads.iter().map(String::as_str).chain(others).map(|begun| (begun.to_owned(), 10));
    let bodies =
        [chunked(""), chunked("1\r\n"), chunked("1\r\n7\r\n0\r\n"), chunked("1;x"), expecting].map(|begun| (begun, 30));
    for (begun, seconds) in heads.chain(bodies) {
        let mut client = Client::new(Config::default());
        client.send(&begun).await;
        let sent_at = Instant::now();
        let answer = client.receive().await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{begun:?} {answer}");
        assert_eq!(sent_at.elapsed().as_secs(), seconds, "{begun:?}");
        assert!(client.is_closed().await);
    }
    let mut client = Client::new(Config::default());
    assert!(client.ask(&fields(101)).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn a_client_that_closes_its_half_after_a_request_is_answered() {
    let poll = "GET /topics/t/long-polling?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let stream = poll.replace("long-polling?wait=60", "sse");
    let old = POST.replace("HTTP/1.1", "HTTP/1.0");
    let chunked = chunked("1\r\n7\r\n0\r\n\r\n");
    let expecting = POST.replace("Content-Length", "Expect: 100-continue\r\nContent-Length");
    for (request, status, end) in [
        (GET, "200", "ok"),
        (POST, "201", "}"),
        (&old, "201", "}"),
        (&chunked, "201", "}"),
        (&expecting, "201", "}"),
        (poll, "204", "\r\n\r\n"),
        (&stream, "200", "\r\n0\r\n\r\n"),
    ] {
        let mut client = Client::new(Config::default());
        client.send(request).await;
        client.0.shutdown().await.unwrap();
        let mut answer = String::new();
        client.0.read_to_string(&mut answer).await.unwrap();
        assert!(answer[9..].starts_with(status) && answer.ends_with(end), "{request} {answer}");
    }
}

#[tokio::test]
async fn a_request_for_another_host_or_from_another_site_is_refused() {
    for (from, to, status) in [
        ("Host: localhost", "Host: evil.example", "421"),
        ("Host: localhost", "Host: exa mple", "400"),
        ("/healthz", "http://evil.example/healthz", "421"),
        ("Host: localhost", "Host: localhost\r\nSec-Fetch-Site: cross-site", "403"),
        ("/healthz HTTP/1.1\r\nHost: localhost", "/healthz HTTP/1.0\r\nHost: evil.example", "421"),
        ("/healthz HTTP/1.1\r\nHost: localhost", "/healthz HTTP/1.0", "200"),
    ] {
        let answer = Client::new(Config::default()).ask(&GET.replace(from, to)).await;
        assert_eq!(&answer[9..12], status, "{to}: {answer}");
    }
    let allow_hosts = vec!["evil.example".parse().unwrap()];
    let config = Config { allow_hosts, ..Config::default() };
    assert!(Client::new(config).ask(&GET.replace("localhost", "evil.example:1")).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test(start_paused = true)]
async fn the_preface_of_http2_may_be_cut_anywhere() {
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for cut in 1..preface.len() {
        let mut client = Client::new(Config::default());
        client.send(&preface[..cut]).await;
        sleep(Duration::from_secs(1)).await;
        client.send(&preface[cut..]).await;
        let mut head = [0; 9];
        client.0.read_exact(&mut head).await.unwrap();
        assert_eq!(head[3], 4, "SETTINGS, after {cut} bytes: {head:?}");
    }
}

const HANDSHAKE: &str = "GET /topics/t/websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// The code of the close frame, among short frames, with which the server ends its direction.
async fn close_code(client: &mut Client) -> u16 {
    let mut read = Vec::new();
    client.0.read_to_end(&mut read).await.unwrap();
    let mut rest = &read[..];
    while let [first, length, after @ ..] = rest {
        let (payload, after) = after.split_at(usize::from(*length));
        if *first == 0x88 {
            return u16::from_be_bytes([payload[0], payload[1]]);
        }
        rest = after;
    }
    panic!("no close frame in {read:?}");
}

#[tokio::test(start_paused = true)]
async fn a_websocket_message_that_never_ends_is_given_up_whatever_comes_between() {
    let pong = [0x8a, 0x80, 0, 0, 0, 0];
    // The first fragment of a text, and a frame without its end; masked with zeros.
    let (fragment, frame) = ([0x01, 0x81, 0, 0, 0, 0, b'1'], [0x81, 0x82, 0, 0, 0, 0, b'1']);
    for (begun, between) in [(fragment, &pong[..]), (frame, &pong[..0])] {
        let mut client = Client::new(Config::default());
        client.ask(HANDSHAKE).await;
        let begun_at = Instant::now();
        client.0.write_all(&begun).await.unwrap();
        for _ in 0..7 {
            sleep(Duration::from_secs(4)).await;
            client.0.write_all(between).await.unwrap();
        }
        assert_eq!(close_code(&mut client).await, 1008);
        assert_eq!(begun_at.elapsed().as_secs(), 30);
    }
}

#[tokio::test(start_paused = true)]
async fn a_websocket_message_that_is_not_taken_is_refused_before_its_end() {
    for (first, token, code) in
        [(0x82, None, 1003), (0x02, None, 1003), (0x81, Some("secret"), 1008), (0x01, Some("secret"), 1008)]
    {
        let mut client = Client::new(Config { publish_token: token.map(str::to_owned), ..Config::default() });
        client.ask(HANDSHAKE).await;
        let begun_at = Instant::now();
        client.0.write_all(&[first, 0x82, 0, 0, 0, 0, b'1']).await.unwrap();
        assert_eq!(close_code(&mut client).await, code, "{first:#x}");
        // The answer to the close is waited for.
        assert!(begun_at.elapsed().as_secs() <= limits::CLOSE_WAIT.as_secs(), "{first:#x}");
    }
}

#[tokio::test(start_paused = true)]
async fn input_during_a_stream_ends_the_connection() {
    let mut client = Client::new(Config { heartbeat: Duration::from_secs(1), ..Config::default() });
    client.send(&format!("GET /topics/t/http-streaming HTTP/1.0\r\nHost: localhost\r\n\r\n{GET}")).await;
    client.0.shutdown().await.unwrap();
    let mut answer = String::new();
    client.0.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    assert!(!answer.contains("chunked") && answer.contains("connection: close"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_arrives_during_a_poll_is_answered_next() {
    let mut client = Client::new(Config::default());
    let poll = "GET /topics/t/long-polling?wait=5 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client.send(&[poll, GET].concat()).await;
    let asked_at = Instant::now();
    assert!(client.receive().await.starts_with("HTTP/1.1 204 "));
    assert_eq!(asked_at.elapsed().as_secs(), 5);
    assert!(client.receive().await.ends_with("\r\n\r\nok"));
}
