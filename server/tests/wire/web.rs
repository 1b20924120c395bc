//! The files that a browser loads, and the outages of the live page.

use std::time::Duration;

use pushoff_server::Config;
use reqwest::{Client, Method, StatusCode};
use tokio::time::Instant;

use super::{PATIENCE, Running, chunks_until, header, next_text};

fn demo() -> Config {
    Config { demo: true, ..Config::default() }
}

#[tokio::test]
async fn a_file_has_its_media_type_and_a_head_request_gets_its_length() {
    let server = Running::start(Config::default()).await;
    for (path, media_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/web/client.js", "text/javascript; charset=utf-8"),
        ("/web/websocket.js", "text/javascript; charset=utf-8"),
        ("/web/page.css", "text/css; charset=utf-8"),
        ("/web/icon.svg", "image/svg+xml"),
    ] {
        let whole = server.get(path).await;
        let length = header(&whole, "content-length").to_owned();
        for (name, value) in
            [("content-type", media_type), ("x-content-type-options", "nosniff"), ("cache-control", "no-store")]
        {
            assert_eq!(header(&whole, name), value, "{path}");
        }
        assert_eq!(whole.text().await.unwrap().len().to_string(), length, "{path}");
        let head = server.request(Method::HEAD, path, &[], "").await;
        assert_eq!((head.status(), header(&head, "content-length")), (StatusCode::OK, length.as_str()), "{path}");
        assert_eq!(head.text().await.unwrap(), "", "{path}");
    }
    for path in ["/web/", "/web/none.js", "/web/page.html", "/web/..%2Fpage.css"] {
        assert_eq!(server.get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_page_is_alone_in_its_process_and_takes_nothing_from_elsewhere() {
    let server = Running::start(Config::default()).await;
    let page = server.get("/").await;
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-embedder-policy", "require-corp"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(header(&page, name), value);
    }
    let policy = header(&page, "content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; ") && !policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn a_cut_breaks_every_connection_without_a_close_and_new_ones_are_served() {
    let server = Running::start(demo()).await;
    let mut stream = server.get("/topics/t/http-streaming").await;
    chunks_until(&mut stream, "\n").await;
    let mut socket = server.websocket("/topics/t/websocket").await;
    next_text(&mut socket).await;
    let answer = server.request(Method::POST, "/outage/cut", &[], "").await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let broken = tokio::time::timeout(PATIENCE, stream.chunk()).await.unwrap();
    assert!(broken.is_err(), "a stream that is cut has no last chunk: {broken:?}");
    let closed = super::next(&mut socket).await;
    assert!(closed.is_some_and(|message| message.is_err()), "a WebSocket that is cut has no close frame");
    assert_eq!(server.get("/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_hold_delays_writes_and_loses_no_byte() {
    let server = Running::start(demo()).await;
    let mut stream = server.get("/topics/t/http-streaming").await;
    chunks_until(&mut stream, "\n").await;
    let start = Instant::now();
    let (answer, ()) = tokio::join!(server.request(Method::POST, "/outage/hold?seconds=1", &[], ""), async {
        // Both are answered after the hold, or the second one before it began.
        server.publish("t", "7").await;
    });
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert!(start.elapsed() >= Duration::from_millis(990), "its own answer is held back too");
    assert!(chunks_until(&mut stream, "\n").await.ends_with("\"data\":7}\n"));
}

#[tokio::test]
async fn an_outage_needs_a_page_of_this_host_the_token_and_the_demo_flag() {
    let cut = |server: &Running, headers: &[(&str, &str)]| {
        let request = Client::new().post(format!("http://{}/outage/cut", server.http));
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send()
    };
    let without = Running::start(Config::default()).await;
    assert_eq!(cut(&without, &[]).await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(without.get("/outage/cut").await.status(), StatusCode::NOT_FOUND);

    let friend = "https://friend.example";
    let server = Running::start(Config {
        publish_token: Some("secret".to_owned()),
        allow_origins: vec![friend.parse().unwrap()],
        ..demo()
    })
    .await;
    let token = ("authorization", "Bearer secret");
    let own = format!("http://{}", server.http);
    assert_eq!(cut(&server, &[("origin", friend), token]).await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(cut(&server, &[("origin", &own)]).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(cut(&server, &[("origin", &own), token]).await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(server.get("/outage/cut").await.status(), StatusCode::METHOD_NOT_ALLOWED);
    for query in ["", "?seconds=0", "?seconds=11", "?seconds=-1", "?seconds=1.5", "?seconds=1&seconds=2"] {
        let held = server.request(Method::POST, &format!("/outage/hold{query}"), &[token], "").await;
        assert_eq!(held.status(), StatusCode::BAD_REQUEST, "{query}");
    }
}
