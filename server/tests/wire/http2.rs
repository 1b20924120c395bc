//! HTTP/2: the transports over it, siblings on one connection, and clients that abuse it.

use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use h2::ext::Protocol;
use h2::{Reason, RecvStream, SendStream};
use http::{Method, Request, StatusCode};
use pushoff_server::Config;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::{PATIENCE, Running};

/// A client on one connection of its own.
pub(crate) struct Client {
    send: SendRequest<Bytes>,
    /// Resolves once the connection has ended.
    ended: tokio::task::JoinHandle<Result<(), h2::Error>>,
}

impl Client {
    async fn connect(server: &Running, builder: &Builder) -> Self {
        Self::over(TcpStream::connect(server.http).await.unwrap(), builder).await
    }

    pub(crate) async fn over(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, builder: &Builder) -> Self {
        let (send, connection) = builder.handshake(io).await.unwrap();
        let ended = tokio::spawn(connection);
        Self { send, ended }
    }

    /// Asks for a path; a body is sent with its end.
    async fn ask(&self, method: Method, path: &str, body: Option<&str>) -> (StatusCode, RecvStream) {
        let request = Request::builder().method(method).uri(format!("http://localhost{path}"));
        let request = request.header("content-type", "application/json").body(()).unwrap();
        let mut send = self.send.clone().ready().await.unwrap();
        let (response, mut stream) = send.send_request(request, body.is_none()).unwrap();
        if let Some(body) = body {
            stream.send_data(Bytes::copy_from_slice(body.as_bytes()), true).unwrap();
        }
        let response = timeout(PATIENCE, response).await.unwrap().unwrap();
        (response.status(), response.into_body())
    }

    pub(crate) async fn get(&self, path: &str) -> RecvStream {
        let (status, body) = self.ask(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        body
    }

    pub(crate) async fn publish(&self, topic: &str, payload: &str) {
        let (status, _) = self.ask(Method::POST, &format!("/topics/{topic}"), Some(payload)).await;
        assert_eq!(status, StatusCode::CREATED);
    }

    /// Asks for a WebSocket by extended CONNECT.
    async fn websocket(&self, path: &str) -> (SendStream<Bytes>, RecvStream) {
        let request = Request::builder().method(Method::CONNECT).uri(format!("http://localhost{path}"));
        let request = request.extension(Protocol::from("websocket")).header("sec-websocket-version", "13");
        let mut send = self.send.clone().ready().await.unwrap();
        // The server's settings came with the answer to an earlier request.
        assert!(send.is_extended_connect_protocol_enabled());
        let (response, stream) = send.send_request(request.body(()).unwrap(), false).unwrap();
        let response = timeout(PATIENCE, response).await.unwrap().unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        (stream, response.into_body())
    }
}

/// Reads a body until `end` or its own end.
pub(crate) async fn until(body: &mut RecvStream, end: &str) -> String {
    let mut read = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&read).contains(end) {
            let Some(data) = body.data().await else { break };
            let data = data.unwrap();
            body.flow_control().release_capacity(data.len()).unwrap();
            read.extend_from_slice(&data);
        }
    };
    assert!(timeout(PATIENCE, reading).await.is_ok(), "waited for {end:?}");
    String::from_utf8_lossy(&read).into_owned()
}

async fn plain(server: &Running) -> Client {
    Client::connect(server, &Builder::new()).await
}

#[tokio::test]
async fn all_five_are_siblings_on_one_connection() {
    let server = Running::start(Config::default()).await;
    let client = plain(&server).await;
    let (status, _) = client.ask(Method::GET, "/topics/t/short-polling", None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let mut ndjson = client.get("/topics/t/http-streaming").await;
    let mut events = client.get("/topics/t/sse").await;
    let (mut speaks, mut frames) = client.websocket("/topics/t/websocket").await;
    assert!(until(&mut ndjson, "\n").await.starts_with("{\"open\":"));
    assert!(until(&mut events, "\n\n").await.starts_with("retry: 1000\nid: "));
    assert!(until(&mut frames, "}").await.contains("{\"open\":"));
    let (polled, ()) = tokio::join!(client.get("/topics/t/long-polling"), client.publish("t", "7"));
    for (mut body, end) in [(polled, "\"data\":7}\n"), (ndjson, "\"data\":7}\n"), (events, "data: 7\n\n")] {
        let read = until(&mut body, end).await;
        assert!(read.ends_with(end), "{read:?}");
    }
    assert!(until(&mut frames, "7}").await.ends_with("\"data\":7}"));
    // A masked text frame with the payload 8, and then a close.
    speaks.send_data(Bytes::from_static(&[0x81, 0x81, 1, 2, 3, 4, b'8' ^ 1]), false).unwrap();
    assert!(until(&mut frames, "8}").await.ends_with("\"data\":8}"));
    speaks.send_data(Bytes::from_static(&[0x88, 0x80, 1, 2, 3, 4]), true).unwrap();
    assert!(until(&mut frames, "never").await.ends_with('\0'), "a close without a code is answered with one");
}

#[tokio::test]
async fn a_stream_ends_with_its_topic_and_a_complete_topic_is_told() {
    let server = Running::start(Config::default()).await;
    let client = plain(&server).await;
    let mut events = client.get("/topics/t/sse").await;
    client.publish("t", "1").await;
    assert_eq!(client.ask(Method::DELETE, "/topics/t", None).await.0, StatusCode::NO_CONTENT);
    assert!(until(&mut events, "never").await.ends_with("data: 1\n\n"));
    let (status, mut problem) = client.ask(Method::GET, "/topics/t/short-polling", None).await;
    assert_eq!(status, StatusCode::GONE);
    assert!(until(&mut problem, "never").await.contains("the topic is complete"));
}

#[tokio::test]
async fn what_is_refused_over_http11_is_refused_over_http2() {
    let server = Running::start(Config { max_payload: 10, ..Config::default() }).await;
    let client = plain(&server).await;
    for (method, path, body, status) in [
        (Method::GET, "/nothing", None, StatusCode::NOT_FOUND),
        (Method::GET, "/topics/t", None, StatusCode::METHOD_NOT_ALLOWED),
        (Method::GET, "/topics/t/sse?afer=1", None, StatusCode::BAD_REQUEST),
        (Method::GET, "/topics/t/websocket", None, StatusCode::UPGRADE_REQUIRED),
        (Method::POST, "/topics/t", Some("\"longer than ten\""), StatusCode::PAYLOAD_TOO_LARGE),
        (Method::POST, "/topics/t", Some("{"), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(client.ask(method, path, body).await.0, status, "{path}");
    }
    let elsewhere = Request::get("http://elsewhere.example/topics/t/sse").body(()).unwrap();
    let (response, _) = client.send.clone().ready().await.unwrap().send_request(elsewhere, true).unwrap();
    assert_eq!(response.await.unwrap().status(), StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn a_reader_that_takes_nothing_holds_up_no_sibling_and_is_cut_off() {
    let config = Config { write_timeout: Duration::from_millis(300), ..Config::default() };
    let server = Running::start(config).await;
    // Room for all on the connection, and for little on a stream.
    let client = Client::connect(&server, Builder::new().initial_connection_window_size(1 << 24)).await;
    let mut stuck = client.get("/topics/t/http-streaming").await;
    let mut quick = client.get("/topics/t/http-streaming").await;
    let long = format!("\"{}\"", "x".repeat(40_000));
    for round in 0..10 {
        client.publish("t", &long).await;
        assert!(until(&mut quick, "x\"}\n").await.len() > 40_000, "round {round}");
    }
    // The stuck one gets what its window held, and then a reset.
    let cut = async {
        loop {
            if let Err(error) = stuck.data().await.unwrap() {
                return error.reason();
            }
        }
    };
    assert_eq!(timeout(PATIENCE, cut).await.unwrap(), Some(Reason::CANCEL));
    client.publish("t", "1").await;
    assert!(until(&mut quick, "1}\n").await.ends_with("\"data\":1}\n"));
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_cut_off_as_a_stream_is() {
    let config = Config { write_timeout: Duration::from_millis(300), ..Config::default() };
    let server = Running::start(config).await;
    let client = Client::connect(&server, Builder::new().initial_window_size(0)).await;
    client.publish("t", "1").await;
    let mut poll = client.get("/topics/t/short-polling?after=start").await;
    let cut = timeout(PATIENCE, poll.data()).await.unwrap().unwrap();
    assert_eq!(cut.unwrap_err().reason(), Some(Reason::CANCEL));
}

#[tokio::test]
async fn a_body_that_nobody_reads_stops_no_sibling() {
    let server = Running::start(Config::default()).await;
    let client = plain(&server).await;
    for path in ["/topics/t/long-polling", "/topics/t/http-streaming", "/nothing"] {
        let request = Request::get(format!("http://localhost{path}")).body(()).unwrap();
        let mut send = client.send.clone().ready().await.unwrap();
        let (_response, mut body) = send.send_request(request, false).unwrap();
        // As much as the window of the connection takes.
        body.send_data(Bytes::from(vec![b'x'; 65_535]), false).unwrap();
        client.publish("t", "1").await;
    }
}

#[tokio::test]
async fn a_shutdown_ends_streams_and_then_the_connection() {
    let server = Running::start(Config::default()).await;
    let client = plain(&server).await;
    let mut events = client.get("/topics/t/sse").await;
    let (_speaks, mut frames) = client.websocket("/topics/t/websocket").await;
    let ended = server.stop();
    assert!(until(&mut events, "never").await.starts_with("retry"));
    // 1001, "going away".
    assert!(until(&mut frames, "going away").await.contains("going away"));
    drop((events, frames, _speaks));
    timeout(PATIENCE, client.ended).await.unwrap().unwrap().unwrap();
    timeout(PATIENCE, ended).await.unwrap().unwrap().unwrap();
}

/// The client's part of the beginning: the preface and empty settings.
const BEGINNING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

/// A frame (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
const END_STREAM: u8 = 1;

/// `GET http://localhost/topics/t/sse` in HPACK, without an index but for names.
fn get() -> Vec<u8> {
    let mut block = vec![0x82, 0x86];
    for (name, value) in [(0x04, "/topics/t/sse"), (0x01, "localhost")] {
        block.push(name);
        block.push(u8::try_from(value.len()).unwrap());
        block.extend_from_slice(value.as_bytes());
    }
    block
}

/// Sends this to a server, and gives the stream and the payload of the first frame of that kind in its answer; `None`
/// where the connection ends without one.
async fn first(
    kind: u8,
    server: &Running,
    parts: impl Iterator<Item = Vec<u8>> + Send + 'static,
) -> Option<(u32, Vec<u8>)> {
    let (mut read, mut write) = TcpStream::connect(server.http).await.unwrap().into_split();
    let writing = tokio::spawn(async move {
        write.write_all(BEGINNING).await?;
        for part in parts {
            write.write_all(&part).await?;
        }
        // The connection stays open on this side, so that only the server can end it.
        std::future::pending::<()>().await;
        std::io::Result::Ok(())
    });
    let reading = async {
        loop {
            let mut head = [0; 9];
            // A reset is an end, too.
            read.read_exact(&mut head).await.ok()?;
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            read.read_exact(&mut payload).await.ok()?;
            if head[3] == kind {
                return Some((u32::from_be_bytes(head[5..].try_into().unwrap()), payload));
            }
        }
    };
    let found = timeout(PATIENCE, reading).await.unwrap();
    writing.abort();
    found
}

/// Sends this to a server until the server closes, and gives the error code of its GOAWAY, if it sent one.
async fn closed_by(server: &Running, parts: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Option<u32> {
    let (_, payload) = first(GOAWAY, server, parts).await?;
    Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()))
}

#[tokio::test]
async fn a_client_that_resets_its_streams_as_it_opens_them_is_disconnected() {
    let server = Running::start(Config::default()).await;
    let streams = (0..20_000).map(|number| 2 * number + 1);
    let resets = streams.map(|stream| {
        let begun = frame(HEADERS, END_HEADERS | END_STREAM, stream, &get());
        [begun, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
    });
    // CVE-2023-44487.
    let resets: Vec<_> = resets.collect();
    let enhance_your_calm = Some(11);
    assert_eq!(closed_by(&server, vec![resets.concat()].into_iter()).await, enhance_your_calm);
    until(&mut plain(&server).await.get("/healthz").await, "ok").await;
}

#[tokio::test]
async fn a_head_that_goes_on_for_ever_ends_the_connection() {
    let server = Running::start(Config::default()).await;
    let first = frame(HEADERS, END_STREAM, 1, &get());
    let more = (0..100_000).map(|_| frame(CONTINUATION, 0, 1, &[]));
    // CVE-2024-27316.
    let code = closed_by(&server, std::iter::once(first).chain(more)).await;
    assert!(code.is_some_and(|code| code != 0), "{code:?}");
    // A head beyond the limit is refused as a request, or ends the connection.
    let client = plain(&server).await;
    let request = Request::get("http://localhost/healthz").header("x-long", "y".repeat(20_000)).body(()).unwrap();
    let (response, _) = client.send.clone().ready().await.unwrap().send_request(request, true).unwrap();
    match timeout(PATIENCE, response).await.unwrap() {
        Ok(response) => assert_eq!(response.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        Err(error) => assert!(error.is_reset() || error.is_go_away(), "{error}"),
    }
}

#[tokio::test]
async fn the_stream_beyond_the_last_that_is_taken_is_refused_alone() {
    let server = Running::start(Config::default()).await;
    let streams = (0..101).map(|number| frame(HEADERS, END_HEADERS | END_STREAM, 2 * number + 1, &get()));
    let refused = (201, 7_u32.to_be_bytes().to_vec());
    assert_eq!(first(RST_STREAM, &server, streams).await, Some(refused), "REFUSED_STREAM");
}

#[tokio::test]
async fn a_client_that_is_silent_or_answers_no_ping_is_disconnected() {
    let config = Config {
        head_timeout: Duration::from_millis(100),
        write_timeout: Duration::from_millis(100),
        keep_alive: Duration::from_millis(100),
        ..Config::default()
    };
    let server = Running::start(config).await;
    let began = Instant::now();
    // It subscribes and reads, but answers no ping: pings are answered by whoever parses frames.
    let subscribes = frame(HEADERS, END_HEADERS | END_STREAM, 1, &get());
    assert_eq!(closed_by(&server, std::iter::once(subscribes)).await, None);
    // It asks for nothing: a GOAWAY without an error ends it.
    assert_eq!(closed_by(&server, std::iter::empty()).await, Some(0));
    // It sends half a preface.
    let mut half = TcpStream::connect(server.http).await.unwrap();
    half.write_all(&BEGINNING[..16]).await.unwrap();
    timeout(PATIENCE, half.read_to_end(&mut Vec::new())).await.unwrap().unwrap_or_default();
    assert!(began.elapsed() < PATIENCE);
}
