//! Errors: each is a problem document with the status that the contract names. Source: RFC 9457.

use std::time::Duration;

use pushoff_model::{Start, Transport};

use crate::client::frames::handshake;
use crate::client::http::{Connection, Request};
use crate::client::subscriber::{Event, Subscriber};
use crate::server::{DEADLINE, Server};

/// The five, each as the request that a client would send.
fn subscriptions(topic: &str) -> impl Iterator<Item = Request> {
    Transport::ALL.into_iter().filter(|transport| transport.is_ranked()).map(move |transport| {
        let target = format!("/topics/{topic}/{transport}");
        if transport == Transport::WebSocket { handshake(&target) } else { Request::get(&target) }
    })
}

#[test]
fn an_unknown_path_is_a_problem_404() {
    let server = Server::start();
    for path in ["/nothing", "/topics", "/topics/t/carrier-pigeon", "/topics/t/raw-tcp", "/topics/t/sse/more"] {
        server.answer(&Request::get(path)).assert_problem(404);
    }
}

#[test]
fn a_wrong_method_is_a_problem_405_that_lists_the_right_ones() {
    let server = Server::with(&["--echo"]);
    let wrong = [
        ("GET", "/topics/t", vec!["POST", "DELETE"]),
        ("PUT", "/topics/t", vec!["POST", "DELETE"]),
        ("POST", "/topics/t/sse", vec!["GET"]),
        ("DELETE", "/topics/t/long-polling", vec!["GET"]),
        ("POST", "/topics/t/websocket", vec!["GET"]),
        ("POST", "/healthz", vec!["GET"]),
        ("PATCH", "/metrics", vec!["GET"]),
        ("POST", "/echo", vec!["GET"]),
    ];
    for (method, path, allowed) in wrong {
        let response = server.answer(&Request::new(method, path));
        response.assert_problem(405);
        for right in allowed {
            assert!(response.lists("Allow", right), "{method} {path}: {right} is not in {response:?}");
        }
        assert!(!response.lists("Allow", method), "{method} {path}: {response:?}");
    }
}

#[test]
fn a_topic_is_1_to_64_of_its_characters_and_anything_else_is_a_problem_400() {
    let server = Server::start();
    let (longest, too_long) = ("x".repeat(64), "x".repeat(65));
    for topic in ["bad!topic", "a%20b", "caf%C3%A9", "%00", "a%2Fb", "*", &too_long] {
        for request in subscriptions(topic) {
            server.answer(&request).assert_problem(400);
        }
        server.answer(&Request::post_json(topic, "1")).assert_problem(400);
        server.answer(&Request::new("DELETE", &format!("/topics/{topic}"))).assert_problem(400);
    }
    for topic in ["A-Z_a.z-0", "x", &longest] {
        server.publish(topic, "1");
    }
}

#[test]
fn a_bad_cursor_is_a_problem_400_in_the_header_and_in_the_query() {
    let server = Server::start();
    server.publish("t", "1");
    for cursor in
        ["nonsense", "5f3a9c21", "5f3a9c21-", "-1", "5f3a9c21-x", "5f3a9c2-1", "5f3a9c21-99999999999999999999"]
    {
        for request in subscriptions("t") {
            server.answer(&request.header("Last-Event-ID", &cursor)).assert_problem(400);
        }
        for transport in Transport::ALL.into_iter().filter(|transport| transport.is_ranked()) {
            let target = format!("/topics/t/{transport}?after={cursor}");
            let request = if transport == Transport::WebSocket { handshake(&target) } else { Request::get(&target) };
            server.answer(&request).assert_problem(400);
        }
    }
}

#[test]
fn a_bad_query_is_a_problem_400() {
    let server = Server::start();
    server.publish("t", "1");
    for query in [
        "long-polling?wait=soon",
        "long-polling?wait=-1",
        "long-polling?limit=0",
        "short-polling?limit=-5",
        "short-polling?limit=many",
        "sse?mode=carrier-pigeon",
        "sse?mode=long-polling&interval=often",
        "sse?mode=short-polling&interval=-1",
    ] {
        server.answer(&Request::get(&format!("/topics/t/{query}"))).assert_problem(400);
    }
    server.answer(&handshake("/topics/t/websocket?subscribe=perhaps")).assert_problem(400);
}

#[test]
fn a_handshake_that_is_none_is_refused() {
    let server = Server::with(&["--echo"]);
    for path in ["/topics/t/websocket", "/echo"] {
        let plain = server.answer(&Request::get(path));
        assert!([400, 426].contains(&plain.status), "{plain:?}");
        plain.assert_problem(plain.status);
        let upgrade = |version: &str| {
            let request = Request::get(path).header("Connection", "Upgrade").header("Upgrade", "websocket");
            request.header("Sec-WebSocket-Version", version)
        };
        server.answer(&upgrade("13")).assert_problem(400);
        let old = server.answer(&upgrade("8").header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="));
        old.assert_problem(426);
        assert_eq!(old.header("Sec-WebSocket-Version").as_deref(), Some("13"), "RFC 6455 §4.4");
    }
}

#[test]
fn a_request_without_a_host_is_refused() {
    let server = Server::start();
    let mut connection = Connection::open(server.http);
    connection.send_bytes(b"GET /healthz HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(connection.receive_head().status, 400, "RFC 9112 §3.2");
}

#[test]
fn a_head_that_is_too_large_is_a_problem_431() {
    let server = Server::start();
    let mut connection = Connection::open(server.http);
    connection.send_bytes(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ").unwrap();
    connection.socket().set_read_timeout(Some(Duration::from_millis(2))).unwrap();
    // In pieces and only until it is answered: a reset would take the answer with it.
    for _ in 0..512 {
        if connection.send_bytes(&[b'x'; 4096]).is_err() || connection.socket().peek(&mut [0]).is_ok() {
            break;
        }
    }
    connection.socket().set_read_timeout(Some(DEADLINE)).unwrap();
    connection.receive().assert_problem(431);
}

#[test]
fn a_head_that_does_not_end_in_time_is_a_problem_408_and_closed() {
    let server = Server::with(&["--head-timeout", "200ms"]);
    for part in ["GET /healthz HTTP/1.1\r\n", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Half: ", "GE"] {
        let mut connection = Connection::open(server.http);
        connection.send_bytes(part.as_bytes()).unwrap();
        connection.receive().assert_problem(408);
        assert!(connection.is_closed_by_server(), "{part:?}");
    }
}

#[test]
fn a_stream_outlives_the_time_that_a_head_may_take() {
    let server = Server::with(&["--head-timeout", "200ms", "--heartbeat", "100ms"]);
    let mut subscriber = Subscriber::open(&server, Transport::HttpStreaming, "t", Start::Now);
    for _ in 0..5 {
        assert_eq!(subscriber.next_event(), Event::Heartbeat);
    }
}

#[test]
fn too_many_topics_is_a_problem_503_and_those_that_exist_go_on() {
    let server = Server::with(&["--max-topics", "2"]);
    server.publish("one", "1");
    server.complete("two");
    for request in [Request::post_json("three", "1"), Request::new("DELETE", "/topics/three")] {
        let response = server.answer(&request);
        response.assert_problem(503);
        let seconds = response.header("Retry-After").unwrap_or_default();
        assert!(seconds.parse::<u32>().is_ok(), "Retry-After is {seconds:?}");
    }
    server.publish("one", "2");
    // Whoever only reads takes no place.
    for poll in ["short-polling", "long-polling?wait=0", "sse?mode=short-polling"] {
        assert!(server.answer(&Request::get(&format!("/topics/three/{poll}"))).status < 300, "{poll}");
    }
    let metrics = server.answer(&Request::get("/metrics")).text;
    assert!(metrics.lines().any(|line| line == "pushoff_topics 2"), "{metrics}");
}

#[test]
fn a_log_that_nobody_reads_is_safe_from_those_who_only_read() {
    let server = Server::with(&["--max-topics", "3", "--publish-token", "secret"]);
    let publish = Request::post_json("kept", "1").header("Authorization", "Bearer secret");
    assert_eq!(server.answer(&publish).status, 201);
    let mut connection = Connection::open(server.http);
    for number in 0..300 {
        for method in ["GET", "HEAD"] {
            connection.send(&Request::new(method, &format!("/topics/unknown-{number}/short-polling?after=start")));
            assert_eq!(connection.receive().status, 204);
        }
        connection.send(&Request::get(&format!("/topics/unknown-{number}/websocket")));
        assert_eq!(connection.receive().status, 426);
    }
    let kept = server.answer(&Request::get("/topics/kept/short-polling?after=start"));
    assert_eq!((kept.status, kept.lines().len()), (200, 1));
}

#[test]
fn what_was_not_asked_for_is_not_there() {
    let server = Server::start();
    for request in [
        Request::new("POST", "/outage/cut"),
        Request::new("POST", "/outage/hold?seconds=1"),
        Request::get("/echo"),
        handshake("/echo"),
    ] {
        server.answer(&request).assert_problem(404);
    }
}

#[test]
fn a_parameter_that_means_nothing_to_the_transport_is_a_problem_400() {
    let server = Server::start();
    for wrong in [
        "short-polling?wait=5",
        "short-polling?mode=streaming",
        "short-polling?subscribe=false",
        "http-streaming?limit=1",
        "http-streaming?wait=3",
        "sse?subscribe=false",
        "long-polling?interval=1",
        "short-polling?limit=1&limit=2",
    ] {
        server.answer(&Request::get(&format!("/topics/t/{wrong}"))).assert_problem(400);
    }
    server.answer(&handshake("/topics/t/websocket?limit=1")).assert_problem(400);
    for topic in [".", "..", "%2e%2e", "%2E"] {
        server.answer(&Request::get(&format!("/topics/{topic}/short-polling"))).assert_problem(400);
    }
}
