//! Refused requests, and the shutdown of the server.

use std::time::Duration;

use pushoff_server::Config;
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{PATIENCE, Running, chunks_until, close_code, header, next_text, read_until};

/// The problem in a response; its status is checked against the response's.
async fn problem(response: Response) -> (StatusCode, String) {
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    assert_eq!(header(&response, "cache-control"), "no-store");
    let status = response.status();
    let problem: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(problem["status"], status.as_u16());
    assert_eq!(problem["title"], status.canonical_reason().unwrap());
    (status, problem["detail"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn every_wrong_request_is_answered_with_a_problem() {
    let server = Running::start(Config { max_payload: 100, ..Config::default() }).await;
    let too_long = "1".repeat(101);
    let json = "application/json";
    for (response, status) in [
        (server.get("/nothing").await, StatusCode::NOT_FOUND),
        (server.get("/topics/t/raw-tcp").await, StatusCode::NOT_FOUND),
        (server.get("/topics/a%20b/sse").await, StatusCode::BAD_REQUEST),
        (server.get("/topics/t/sse?mode=sometimes").await, StatusCode::BAD_REQUEST),
        (server.get("/topics/t").await, StatusCode::METHOD_NOT_ALLOWED),
        (server.get("/topics/t/websocket").await, StatusCode::UPGRADE_REQUIRED),
        (server.post("t", json, "{").await, StatusCode::BAD_REQUEST),
        (server.post("t", json, &too_long).await, StatusCode::PAYLOAD_TOO_LARGE),
        (server.post("t", "text/plain", "1").await, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (server.post("t", "application/x-ndjson", "1\n{\n").await, StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(problem(response).await.0, status);
    }
    assert_eq!(header(&server.get("/topics/t").await, "allow"), "POST, DELETE, OPTIONS");
    // The refused batch published nothing.
    assert_eq!(server.get("/topics/t/short-polling?after=start").await.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_answered_with_a_problem_too() {
    let head_timeout = Duration::from_millis(50);
    let server = Running::start(Config { head_timeout, ..Config::default() }).await;
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    for (head, status) in [
        ("GET / HTTP/1.1\r\nHost", "408 Request Timeout"),
        ("", "408 Request Timeout"),
        (&long, "431 Request Header Fields Too Large"),
        ("NONSENSE\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/1.1\r\n\r\n", "400 Bad Request"),
    ] {
        let answer = read_until(&mut server.send(head).await, "}\n").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
        assert!(answer.contains("application/problem+json") && answer.contains("no-store"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
}

#[tokio::test]
async fn a_page_from_elsewhere_may_not_connect_unless_it_is_listed() {
    let allow_origins = vec!["https://ok.example".parse().unwrap()];
    let server = Running::start(Config { allow_origins, ..Config::default() }).await;
    let evil = ("origin", "https://evil.example");
    let refused = server.request(Method::GET, "/topics/t/sse", &[evil], "").await;
    assert!(refused.headers().get("access-control-allow-origin").is_none());
    assert_eq!(problem(refused).await.0, StatusCode::FORBIDDEN);

    let mut handshake = format!("ws://{}/topics/t/websocket", server.http).into_client_request().unwrap();
    handshake.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    let Err(Error::Http(refused)) = connect_async(handshake).await else { panic!("it connected") };
    assert_eq!(refused.status().as_u16(), 403);

    let ok = ("origin", "https://ok.example");
    let asks = [ok, ("access-control-request-method", "POST"), ("access-control-request-headers", "content-type")];
    let preflight = server.request(Method::OPTIONS, "/topics/t", &asks, "").await;
    assert_eq!(preflight.status(), StatusCode::NO_CONTENT);
    assert!(header(&preflight, "access-control-allow-methods").contains("POST"));
    let allowed = server.request(Method::GET, "/topics/t/short-polling", &[ok], "").await;
    assert_eq!(header(&allowed, "access-control-allow-origin"), "https://ok.example");
    assert!(header(&allowed, "access-control-expose-headers").contains("Last-Event-ID"));
}

#[tokio::test]
async fn publishing_needs_the_token_and_subscribing_does_not() {
    let server = Running::start(Config { publish_token: Some("secret".to_owned()), ..Config::default() }).await;
    for credentials in [None, Some("Bearer wrong"), Some("Basic secret"), Some("Bearer")] {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(credentials.map(|credentials| ("authorization", credentials)));
        let refused = server.request(Method::POST, "/topics/t", &headers, "1").await;
        assert_eq!(header(&refused, "www-authenticate"), "Bearer");
        assert_eq!(problem(refused).await.0, StatusCode::UNAUTHORIZED);
    }
    let headers = [("content-type", "application/json"), ("authorization", "Bearer secret")];
    assert_eq!(server.request(Method::POST, "/topics/t", &headers, "1").await.status(), StatusCode::CREATED);
    let mut listener = server.websocket("/topics/t/websocket?after=start").await;
    assert!(next_text(&mut listener).await.contains("open"));
    assert!(next_text(&mut listener).await.ends_with("\"data\":1}"));
    futures_util::SinkExt::send(&mut listener, Message::text("2")).await.unwrap();
    assert_eq!(close_code(&mut listener).await, 1008);
}

#[tokio::test]
async fn beyond_a_limit_the_answer_is_503_with_retry_after() {
    let server = Running::start(Config { max_connections: 1, max_topics: 1, ..Config::default() }).await;
    let mut first = server.send("GET /topics/one/http-streaming HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    read_until(&mut first, "open").await;
    let refused = read_until(&mut server.send("").await, "}\n").await;
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("retry-after: "), "{refused}");

    let server = Running::start(Config { max_topics: 1, ..Config::default() }).await;
    server.publish("one", "1").await;
    assert_eq!(server.get("/topics/two/short-polling").await.status(), StatusCode::NO_CONTENT);
    let refused = server.post("two", "application/json", "1").await;
    assert!((3..=7).contains(&header(&refused, "retry-after").parse::<u64>().unwrap()));
    assert_eq!(problem(refused).await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn health_metrics_and_the_live_page_are_served() {
    let server = Running::start(Config { echo: true, ..Config::default() }).await;
    assert_eq!(server.get("/healthz").await.text().await.unwrap(), "ok");
    assert!(
        server.get("/metrics").await.text().await.unwrap().contains("pushoff_deliveries_total{transport=\"sse\"} 0")
    );
    let page = server.get("/").await;
    assert!(header(&page, "content-security-policy").starts_with("default-src 'none'"));
    assert!(server.request(Method::HEAD, "/topics/t/sse", &[], "").await.text().await.unwrap().is_empty());
    let mut mirror = server.websocket("/echo").await;
    for message in [Message::text("text"), Message::binary(b"\x00\xff".as_slice())] {
        futures_util::SinkExt::send(&mut mirror, message.clone()).await.unwrap();
        assert_eq!(super::next(&mut mirror).await.unwrap().unwrap(), message);
    }
}

#[tokio::test]
async fn a_shutdown_ends_every_transport_in_order() {
    let server = Running::start(Config { echo: true, ..Config::default() }).await;
    let mut stream = server.get("/topics/t/http-streaming").await;
    chunks_until(&mut stream, "\n").await;
    let mut events = server.get("/topics/t/sse").await;
    chunks_until(&mut events, "\n\n").await;
    let mut sockets = Vec::new();
    for path in ["/topics/t/websocket", "/topics/t/websocket?subscribe=false", "/echo"] {
        sockets.push(server.websocket(path).await);
    }
    let mut idle = server.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    read_until(&mut idle, "ok").await;
    let mut poll = server.send("GET /topics/t/long-polling HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    // The poll is waiting once the server counts it.
    while !server.get("/metrics").await.text().await.unwrap().contains("connections{transport=\"long-polling\"} 1") {}

    let ended = server.stop();
    let last = read_until(&mut poll, "\r\n\r\n").await;
    assert!(last.starts_with("HTTP/1.1 204 ") && last.contains("connection: close"), "{last}");
    assert_eq!(chunks_until(&mut stream, "never").await, "");
    let farewell = chunks_until(&mut events, "never").await;
    let retry = farewell.strip_prefix("retry: ").and_then(|rest| rest.strip_suffix("\n\n")).unwrap();
    assert!((500..=1500).contains(&retry.parse::<u64>().unwrap()), "{farewell:?}");
    assert_eq!(idle.read(&mut [0]).await.unwrap(), 0);
    for socket in &mut sockets {
        assert_eq!(close_code(socket).await, 1001);
        assert!(super::next(socket).await.is_none());
    }
    drop((poll, stream, events, idle, sockets));
    tokio::time::timeout(PATIENCE, ended).await.unwrap().unwrap().unwrap();
}
