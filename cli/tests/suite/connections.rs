//! Around the transports: health, metrics, connections, and what every response carries.

use std::io::{BufRead, Read};

use pushoff_model::{Cursor, RunClock, RunInstant, Start, Transport};

use crate::client::frames::{WebSocket, handshake};
use crate::client::http::{Connection, Request};
use crate::client::subscriber::{Event, Subscriber};
use crate::server::{DEADLINE, Server};

#[test]
fn healthz_is_200_ok() {
    let response = Server::start().answer(&Request::get("/healthz"));
    assert_eq!((response.status, response.text.trim_end()), (200, "ok"));
}

#[test]
fn metrics_count_by_transport() {
    const MESSAGES: u64 = 5;
    const MISSED: u64 = 7;
    let server = Server::with(&["--replay", "5"]);
    for transport in Transport::ALL {
        let topic = transport.name();
        let origin = server.origin(topic);
        server.publish_numbers(topic, 1..=MESSAGES + MISSED);
        let before = server.metric("deliver", transport).unwrap_or_default();
        let mut subscriber = Subscriber::open(&server, transport, topic, Start::After(origin));
        assert!(matches!(subscriber.next(), Event::Missed(Some(MISSED), _)));
        subscriber.expect_numbers(MISSED + 1..=MISSED + MESSAGES);
        server.wait_for_metric("deliver", transport, before + 5.0);
        server.wait_for_metric("missed", transport, 7.0);
        server.wait_for_metric("bytes", transport, 1.0);
        assert!(server.metric("connections", transport).is_some(), "{transport}");
    }
    let response = server.answer(&Request::get("/metrics"));
    let content_type = response.header("Content-Type").unwrap();
    assert!(content_type.starts_with("text/plain") || content_type.starts_with("application/openmetrics-text"));
}

#[test]
fn every_response_forbids_storing_and_none_is_compressed_though_the_client_would_take_it() {
    let server = Server::start();
    let last = server.publish("t", "1");
    let requests = [
        Request::get("/healthz"),
        Request::get("/metrics"),
        Request::get("/nothing"),
        Request::get("/topics/t"),
        Request::get("/topics/t/short-polling"),
        Request::get(&format!("/topics/t/long-polling?wait=1&after={last}")),
        Request::get("/topics/t/long-polling?after=start"),
        Request::get("/topics/t/sse?mode=short-polling"),
        Request::get("/topics/t/websocket"),
        Request::post_json("t", "1"),
        Request::post_json("t", "{"),
        Request::new("DELETE", "/topics/t"),
    ];
    for request in requests {
        server.answer(&request.header("Accept-Encoding", "gzip, deflate, br, zstd")).assert_uncached_and_uncompressed();
    }
    for transport in [Transport::HttpStreaming, Transport::Sse] {
        let mut connection = Connection::open(server.http);
        let request = Request::get(&format!("/topics/open/{transport}"));
        connection.send(&request.header("Accept-Encoding", "gzip, deflate, br, zstd"));
        let head = connection.receive_head();
        head.assert_uncached_and_uncompressed();
        assert_eq!(head.header("X-Accel-Buffering").as_deref(), Some("no"), "{head:?}");
    }
}

#[test]
fn a_connection_serves_one_request_after_another_even_when_they_come_together() {
    let server = Server::start();
    let mut connection = Connection::open(server.http);
    let mut bytes = Request::post_json("t", "1").bytes(server.http);
    bytes.extend(Request::get("/topics/t/short-polling?after=start").bytes(server.http));
    bytes.extend(Request::get("/nothing").bytes(server.http));
    bytes.extend(Request::get("/healthz").bytes(server.http));
    connection.send_bytes(&bytes).unwrap();
    assert_eq!([(); 4].map(|()| connection.receive().status), [201, 200, 404, 200]);
}

#[test]
fn an_http_1_0_client_gets_a_stream_without_chunks() {
    let server = Server::start();
    let origin = server.origin("t");
    for (transport, opening_lines) in [(Transport::HttpStreaming, 1), (Transport::Sse, 3)] {
        let mut connection = Connection::open(server.http);
        let request = format!("GET /topics/t/{transport}?after={origin} HTTP/1.0\r\nHost: {}\r\n\r\n", server.http);
        connection.send_bytes(request.as_bytes()).unwrap();
        let (head, mut stream) = connection.into_body();
        assert_eq!((head.status, head.header("Transfer-Encoding")), (200, None), "{head:?}");
        for _ in 0..opening_lines {
            stream.read_line(&mut String::new()).unwrap();
        }
        let published = server.publish("t", "\"old\"");
        let mut line = String::new();
        while !line.contains(&published.to_string()) {
            line.clear();
            assert!(stream.read_line(&mut line).unwrap() > 0, "{transport} ended");
        }
    }
}

#[test]
fn a_head_request_never_hangs_and_has_no_body() {
    let server = Server::start();
    for path in ["/healthz", "/metrics", "/topics/t/short-polling", "/topics/t/http-streaming", "/topics/t/sse"] {
        let mut connection = Connection::open(server.http);
        connection.send(&Request::new("HEAD", path));
        let response = connection.receive();
        assert!([200, 204, 405].contains(&response.status), "{path}: {response:?}");
        // What follows must be the next response, not a body.
        connection.send(&Request::get("/healthz"));
        assert_eq!(connection.receive().text.trim_end(), "ok", "{path}");
    }
}

/// Waits until `count` connections are served at the same time, and returns them, kept alive.
fn take_places(server: &Server, count: usize) -> Vec<Connection> {
    let request = Request::get("/healthz").bytes(server.http);
    let clock = RunClock::start();
    while clock.now().since(RunInstant::default()) < DEADLINE {
        let mut places: Vec<Connection> = (0..count).map(|_| Connection::open(server.http)).collect();
        let served = |connection: &mut Connection| {
            connection.send_bytes(&request).is_ok()
                && connection.try_receive().is_ok_and(|response| response.status == 200)
        };
        if places.iter_mut().all(served) {
            return places;
        }
    }
    panic!("{count} places never came free");
}

#[test]
fn too_many_connections_is_a_problem_503_until_one_is_free_again() {
    let server = Server::with(&["--max-connections", "3"]);
    let mut open: Vec<Subscriber> =
        (0..3).map(|_| Subscriber::open(&server, Transport::Sse, "t", Start::Now)).collect();
    let refused = server.answer(&Request::get("/healthz"));
    refused.assert_problem(503);
    let seconds = refused.header("Retry-After").unwrap_or_default();
    assert!(seconds.parse::<u32>().is_ok(), "Retry-After is {seconds:?}");

    open.pop();
    let mut publisher = take_places(&server, 1).remove(0);
    publisher.send(&Request::post_json("t", "1"));
    assert_eq!(publisher.receive().status, 201);
    for subscriber in &mut open {
        subscriber.expect_numbers(1..=1);
    }
}

#[test]
fn everybody_beyond_the_limit_is_told_so() {
    let server = Server::with(&["--max-connections", "1"]);
    let _place = take_places(&server, 1);
    let request = Request::get("/healthz").bytes(server.http);
    let refused: Vec<Connection> = (0..500)
        .map(|_| {
            let mut connection = Connection::open(server.http);
            connection.send_bytes(&request).unwrap();
            connection
        })
        .collect();
    for mut connection in refused {
        connection.receive().assert_problem(503);
    }
}

#[test]
fn a_subscriber_that_leaves_frees_its_place() {
    let server = Server::with(&["--max-connections", "3"]);
    for transport in Transport::ALL.into_iter().filter(|transport| transport.is_ranked()) {
        let target = format!("/topics/t/{transport}");
        for mut place in take_places(&server, 3) {
            if transport == Transport::WebSocket {
                WebSocket::connect(place, &handshake(&target)).unwrap().0.receive_text();
            } else {
                place.send(&Request::get(&target));
            }
        }
    }
    take_places(&server, 3);
}

#[test]
fn raw_tcp_says_nothing_but_lengths_and_messages() {
    let server = Server::start();
    let last = server.publish_numbers("t", 1..=2);
    let mut connection = Connection::open(server.raw_tcp);
    let origin = Cursor { sequence: 0, ..last };
    connection.send_bytes(format!("SUBSCRIBE t {origin}\n").as_bytes()).unwrap();
    let mut expected = Vec::new();
    for number in 1..=2_u64 {
        let text = format!("{{\"id\":\"{}\",\"data\":{number}}}", Cursor { sequence: number, ..last });
        expected.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
        expected.extend(text.as_bytes());
    }
    let mut received = vec![0; expected.len()];
    connection.into_stream().read_exact(&mut received).unwrap();
    assert_eq!(received, expected);
}
