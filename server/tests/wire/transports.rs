//! The core path of each transport: its start, a message, its end.

use futures_util::SinkExt;
use pushoff_server::Config;
use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::{Running, chunks_until, close_code, header, next, next_text};

#[tokio::test]
async fn a_poll_is_answered_at_once_with_the_next_cursor() {
    let server = Running::start(Config::default()).await;
    let empty = server.get("/topics/t/short-polling").await;
    assert_eq!(empty.status(), StatusCode::NO_CONTENT);
    let start = header(&empty, "last-event-id").to_owned();
    let id = server.publish("t", "{\n\"a\":1}").await;
    let full = server.get(&format!("/topics/t/short-polling?after={start}")).await;
    assert_eq!(full.status(), StatusCode::OK);
    assert_eq!(header(&full, "last-event-id"), id);
    assert_eq!(header(&full, "cache-control"), "no-store");
    assert_eq!(full.text().await.unwrap(), format!("{{\"id\":\"{id}\",\"data\":{{ \"a\":1}}}}\n"));
    server.complete("t").await;
    let ended = server.get(&format!("/topics/t/short-polling?after={id}")).await;
    assert_eq!(ended.status(), StatusCode::GONE);
}

#[tokio::test]
async fn a_long_poll_is_answered_by_the_next_message() {
    let server = Running::start(Config::default()).await;
    let start = server.get("/topics/t/long-polling?wait=0").await;
    let path = format!("/topics/t/long-polling?after={}", header(&start, "last-event-id"));
    let (answer, id) = tokio::join!(server.get(&path), server.publish("t", "7"));
    assert_eq!(answer.text().await.unwrap(), format!("{{\"id\":\"{id}\",\"data\":7}}\n"));
}

#[tokio::test]
async fn a_poll_for_the_head_alone_delivers_nothing() {
    let server = Running::start(Config::default()).await;
    server.publish("t", "1").await;
    for transport in ["short-polling", "long-polling"] {
        let path = format!("/topics/t/{transport}?after=start");
        assert_eq!(server.request(Method::HEAD, &path, &[], "").await.status(), StatusCode::OK);
        let metrics = server.get("/metrics").await.text().await.unwrap();
        for counter in ["deliveries", "subscriptions", "bytes"] {
            let line = format!("pushoff_{counter}_total{{transport=\"{transport}\"}} 0");
            assert!(metrics.lines().any(|it| it == line), "{line} in {metrics}");
        }
    }
}

#[tokio::test]
async fn a_stream_opens_with_its_cursor_and_ends_with_its_topic() {
    let server = Running::start(Config::default()).await;
    let mut stream = server.get("/topics/t/http-streaming").await;
    assert_eq!(header(&stream, "x-accel-buffering"), "no");
    assert!(chunks_until(&mut stream, "\n").await.starts_with("{\"open\":\""));
    let id = server.publish("t", "7").await;
    assert_eq!(chunks_until(&mut stream, "\n").await, format!("{{\"id\":\"{id}\",\"data\":7}}\n"));
    server.complete("t").await;
    assert_eq!(chunks_until(&mut stream, "never").await, "");
}

#[tokio::test]
async fn an_event_stream_is_resumed_after_its_last_id_and_stopped_at_the_end() {
    let server = Running::start(Config::default()).await;
    let mut stream = server.get("/topics/t/sse").await;
    assert_eq!(header(&stream, "content-type"), "text/event-stream");
    assert!(chunks_until(&mut stream, "\n\n").await.starts_with("retry: 1000\nid: "));
    let first = server.publish("t", "[1,\n2]").await;
    assert_eq!(chunks_until(&mut stream, "\n\n").await, format!("id: {first}\ndata: [1,\ndata: 2]\n\n"));
    drop(stream);
    let second = server.publish("t", "3").await;
    server.complete("t").await;
    let rest = server.request(Method::GET, "/topics/t/sse", &[("last-event-id", &first)], "").await;
    let rest = rest.text().await.unwrap();
    assert_eq!(rest, format!("retry: 1000\nid: {first}\n\nid: {second}\ndata: 3\n\n"));
    let end = server.request(Method::GET, "/topics/t/sse", &[("last-event-id", &second)], "").await;
    assert_eq!(end.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn an_event_stream_can_end_as_a_poll_does() {
    let server = Running::start(Config::default()).await;
    let id = server.publish("t", "7").await;
    for mode in ["short-polling", "long-polling"] {
        let poll = server.get(&format!("/topics/t/sse?mode={mode}&interval=250&after=start")).await;
        let events = poll.text().await.unwrap();
        assert!(events.starts_with("retry: 250\nid: "), "{events}");
        assert!(events.ends_with(&format!("\n\nid: {id}\ndata: 7\n\n")), "{events}");
    }
}

#[tokio::test]
async fn a_websocket_publisher_gets_its_message_back_like_any_subscriber() {
    let server = Running::start(Config::default()).await;
    let mut socket = server.websocket("/topics/t/websocket").await;
    assert!(next_text(&mut socket).await.starts_with("{\"open\":\""));
    socket.send(Message::text("{\"a\":1}")).await.unwrap();
    assert!(next_text(&mut socket).await.ends_with("-1\",\"data\":{\"a\":1}}"));
    socket.send(Message::Ping("sign".into())).await.unwrap();
    assert_eq!(next(&mut socket).await.unwrap().unwrap(), Message::Pong("sign".into()));
    server.complete("t").await;
    assert_eq!(close_code(&mut socket).await, 1000);
}

#[tokio::test]
async fn a_close_is_echoed_and_the_connection_ended() {
    let server = Running::start(Config::default()).await;
    let mut socket = server.websocket("/topics/t/websocket?subscribe=false").await;
    let farewell = CloseFrame { code: CloseCode::Library(4001), reason: "bye".into() };
    socket.close(Some(farewell.clone())).await.unwrap();
    assert_eq!(next(&mut socket).await.unwrap().unwrap(), Message::Close(Some(farewell)));
    assert!(next(&mut socket).await.is_none());
}

#[tokio::test]
async fn a_refused_frame_closes_with_its_code_and_publishes_nothing() {
    let server = Running::start(Config { max_payload: 100, ..Config::default() }).await;
    let too_long = "1".repeat(101);
    for (frame, code) in
        [(Message::binary(b"1".as_slice()), 1003), (Message::text("{"), 1007), (Message::text(too_long), 1009)]
    {
        let mut socket = server.websocket("/topics/t/websocket").await;
        socket.send(frame).await.unwrap();
        assert_eq!(close_code(&mut socket).await, code);
        assert!(next(&mut socket).await.is_none());
    }
    assert_eq!(server.get("/topics/t/short-polling?after=start").await.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_client_that_sends_before_it_reads_does_not_lock_up() {
    const MESSAGES: usize = 20_000;
    let server = Running::start(Config::default()).await;
    let mut socket = server.websocket("/topics/t/websocket").await;
    next_text(&mut socket).await;
    let payload = format!("\"{}\"", "x".repeat(500));
    for _ in 0..MESSAGES {
        socket.feed(Message::text(payload.clone())).await.unwrap();
    }
    socket.flush().await.unwrap();
    let (mut received, mut missed) = (0, 0);
    while received + missed < MESSAGES {
        let message: serde_json::Value = serde_json::from_str(&next_text(&mut socket).await).unwrap();
        match message["missed"].as_u64() {
            Some(count) => missed += usize::try_from(count).unwrap(),
            None => received += 1,
        }
    }
    assert_eq!(received + missed, MESSAGES);
}

#[tokio::test]
async fn the_floor_sends_lengths_and_messages() {
    let server = Running::start(Config::default()).await;
    let id = server.publish("t", "7").await;
    server.complete("t").await;
    let mut socket = TcpStream::connect(server.raw_tcp).await.unwrap();
    socket.write_all(b"SUBSCRIBE t start\n").await.unwrap();
    let mut read = Vec::new();
    socket.read_to_end(&mut read).await.unwrap();
    let message = format!("{{\"id\":\"{id}\",\"data\":7}}");
    assert_eq!(read, [&u32::try_from(message.len()).unwrap().to_be_bytes(), message.as_bytes()].concat());
}

#[tokio::test]
async fn a_client_that_resumes_too_late_gets_a_missed_notice() {
    let server = Running::start(Config { replay: 3, ..Config::default() }).await;
    let first = server.publish("t", "1").await;
    for number in 2..=9 {
        server.publish("t", &number.to_string()).await;
    }
    let poll = server.get(&format!("/topics/t/short-polling?after={first}&limit=2")).await.text().await.unwrap();
    let lines: Vec<_> = poll.lines().collect();
    let before = format!("{}-6", first.strip_suffix("-1").unwrap());
    assert_eq!(lines[0], format!("{{\"missed\":5,\"id\":\"{before}\"}}"));
    assert!(lines[1].ends_with("\"data\":7}") && lines[2].ends_with("\"data\":8}"), "{poll}");
    let mut stream = server.get("/topics/t/sse?after=00000000-1").await;
    let notice = format!("\n\nevent: missed\nid: {before}\ndata: null\n\n");
    assert!(chunks_until(&mut stream, "data: 9\n\n").await.contains(&notice));
}
