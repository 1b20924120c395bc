//! Publishing: by `POST`, as a batch, over a WebSocket, and under a token.

use pushoff_model::{Cursor, Start, Transport};
use serde_json::json;

use crate::client::frames::{Frame, PING, TEXT, WebSocket, handshake};
use crate::client::http::{Connection, Request};
use crate::client::subscriber::Subscriber;
use crate::server::Server;

#[test]
fn a_post_is_answered_201_with_the_cursor_of_its_message() {
    let server = Server::start();
    let origin = server.origin("t");
    let response = server.answer(&Request::post_json("t", "{\"a\":1}"));
    assert_eq!(response.status, 201);
    assert_eq!(response.media_type().as_deref(), Some("application/json"));
    assert_eq!(response.json(), json!({ "id": Cursor { sequence: 1, ..origin } }));
    response.assert_uncached_and_uncompressed();
}

#[test]
fn the_content_type_may_have_parameters_and_any_case() {
    let server = Server::start();
    for content_type in ["application/json; charset=utf-8", "Application/JSON"] {
        assert_eq!(server.answer(&Request::post("t", content_type, "1")).status, 201, "{content_type}");
    }
}

#[test]
fn a_batch_is_answered_with_its_last_cursor_and_its_count() {
    let server = Server::start();
    let origin = server.origin("t");
    for (sequence, body) in [(3, "1\n2\n3\n"), (6, "4\n5\n6")] {
        let response = server.answer(&Request::post("t", "application/x-ndjson", body));
        assert_eq!(response.status, 201);
        assert_eq!(response.json(), json!({ "id": Cursor { sequence, ..origin }, "count": 3 }));
    }
}

#[test]
fn a_batch_with_one_wrong_line_publishes_nothing() {
    let server = Server::with(&["--max-payload", "64"]);
    let origin = server.origin("t");
    let too_long = format!("1\n\"{}\"\n3\n", "x".repeat(63));
    for (status, body) in [(400, "1\n{\n3\n"), (400, "1\n2 3\n"), (413, &too_long)] {
        server.answer(&Request::post("t", "application/x-ndjson", body)).assert_problem(status);
        assert_eq!(server.head("t"), origin, "{body:?} published something");
    }
}

#[test]
fn what_is_no_json_text_is_refused_and_publishes_nothing() {
    let server = Server::start();
    let origin = server.origin("t");
    let wrong: [&[u8]; 9] =
        [b"", b" ", b"{", b"nul", b"1 2", b"{'a':1}", b"[1,]", b"\"\xff\"", b"\"a line\nbreak in a string\""];
    for body in wrong {
        server.answer(&Request::post_json("t", body)).assert_problem(400);
        assert_eq!(server.head("t"), origin, "{} was published", body.escape_ascii());
    }
}

#[test]
fn a_payload_may_be_as_long_as_the_limit_and_not_a_byte_longer() {
    let server = Server::with(&["--max-payload", "100"]);
    let origin = server.origin("t");
    let payload = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    server.answer(&Request::post_json("t", payload(101))).assert_problem(413);
    assert_eq!(server.head("t"), origin);
    assert_eq!(server.answer(&Request::post_json("t", payload(100))).status, 201);
}

#[test]
fn the_default_limit_is_64_kib() {
    let server = Server::start();
    let payload = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    assert_eq!(server.answer(&Request::post_json("t", payload(65_536))).status, 201);
    server.answer(&Request::post_json("t", payload(65_537))).assert_problem(413);
}

#[test]
fn a_declared_length_beyond_the_limit_is_refused_without_waiting_for_it() {
    let server = Server::start();
    let mut connection = Connection::open(server.http);
    let head = "POST /topics/t HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    connection.send_bytes(format!("{head}Content-Length: 10000000000\r\n\r\n").as_bytes()).unwrap();
    connection.receive().assert_problem(413);
}

#[test]
fn a_chunked_body_is_a_body() {
    let server = Server::start();
    let mut connection = Connection::open(server.http);
    let head = "POST /topics/t HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let body = "Transfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n";
    connection.send_bytes(format!("{head}{body}").as_bytes()).unwrap();
    assert_eq!(connection.receive().status, 201);
}

#[test]
fn a_client_that_expects_100_continue_gets_it() {
    let server = Server::start();
    let mut connection = Connection::open(server.http);
    let head = "POST /topics/t HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    connection.send_bytes(format!("{head}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n").as_bytes()).unwrap();
    assert_eq!(connection.receive_head().status, 100);
    connection.send_bytes(b"12").unwrap();
    assert_eq!(connection.receive().status, 201);
}

#[test]
fn another_content_type_is_a_problem_415() {
    let server = Server::start();
    let origin = server.origin("t");
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        server.answer(&Request::post("t", content_type, "1")).assert_problem(415);
    }
    server.answer(&Request::new("POST", "/topics/t").body("1")).assert_problem(415);
    assert_eq!(server.head("t"), origin);
}

#[test]
fn a_websocket_publisher_gets_its_own_message_back_like_everybody() {
    let server = Server::start();
    let origin = server.origin("t");
    let mut others = Transport::ALL.map(|transport| Subscriber::open(&server, transport, "t", Start::After(origin)));
    let mut speaker = WebSocket::open(server.http, "/topics/t/websocket");
    assert_eq!(speaker.receive_text(), format!("{{\"open\":\"{origin}\"}}"));
    for (sequence, payload) in (1..).zip(["\"hello\"", "{\"n\": 2}"]) {
        let cursor = Cursor { sequence, ..origin };
        speaker.send(TEXT, payload);
        assert_eq!(speaker.receive_text(), format!("{{\"id\":\"{cursor}\",\"data\":{payload}}}"));
        for other in &mut others {
            assert_eq!(other.message(), (cursor, payload.to_owned()));
        }
    }
}

#[test]
fn a_connection_that_does_not_subscribe_only_publishes() {
    let server = Server::start();
    let origin = server.origin("t");
    let mut listener = Subscriber::open(&server, Transport::Sse, "t", Start::After(origin));
    let mut speaker = WebSocket::open(server.http, "/topics/t/websocket?subscribe=false");
    for number in 1..=3 {
        speaker.send(TEXT, number.to_string());
    }
    listener.expect_numbers(1..=3);
    // The page does not say whether it opens with a cursor, so that is let pass; a message is not.
    speaker.send(PING, "after all");
    loop {
        match speaker.receive() {
            Frame::Pong(payload) => return assert_eq!(payload, b"after all"),
            Frame::Text(text) => assert!(text.contains("\"open\""), "it was sent {text}"),
            other @ (Frame::Binary(_) | Frame::Ping(_) | Frame::Close(_) | Frame::End) => panic!("{other:?}"),
        }
    }
}

#[test]
fn publishing_and_completing_take_the_token_and_subscribing_does_not() {
    let server = Server::with(&["--publish-token", "s3cret"]);
    let origin = server.origin("t");
    let requests = [
        Request::post_json("t", "1"),
        Request::post("t", "application/x-ndjson", "1\n"),
        Request::new("DELETE", "/topics/t"),
    ];
    for request in requests {
        for authorization in [None, Some("Bearer wrong"), Some("Bearer"), Some("Basic s3cret"), Some("Bearer s3cret2")]
        {
            let refused = match authorization {
                Some(authorization) => request.clone().header("Authorization", authorization),
                None => request.clone(),
            };
            let response = server.answer(&refused);
            response.assert_problem(401);
            let challenge = response.header("WWW-Authenticate").unwrap_or_default();
            assert!(challenge.starts_with("Bearer"), "RFC 9110 §11.6.1 wants a challenge, not {challenge:?}");
        }
    }
    assert_eq!(server.head("t"), origin, "something was published");

    let mut subscribers =
        Transport::ALL.map(|transport| Subscriber::open(&server, transport, "t", Start::After(origin)));
    let allowed = |request: Request| server.answer(&request.header("Authorization", "Bearer s3cret")).status;
    assert_eq!(allowed(Request::post_json("t", "1")), 201);
    for subscriber in &mut subscribers {
        subscriber.expect_numbers(1..=1);
    }
    assert_eq!(allowed(Request::new("DELETE", "/topics/t")), 204);
}

#[test]
fn a_websocket_publishes_under_the_token_of_its_handshake_alone() {
    let server = Server::with(&["--publish-token", "s3cret"]);
    let origin = server.origin("t");
    // Whether the handshake or the frame is refused is the server's choice; what counts is that
    // nothing is published.
    if let Ok((mut speaker, _)) = WebSocket::connect(Connection::open(server.http), &handshake("/topics/t/websocket")) {
        speaker.receive_text();
        speaker.send(TEXT, "\"without\"");
        speaker.receive_close();
    }
    assert_eq!(server.head("t"), origin);

    let with_token = handshake("/topics/t/websocket").header("Authorization", "Bearer s3cret");
    let (mut speaker, _) = WebSocket::connect(Connection::open(server.http), &with_token).unwrap();
    speaker.receive_text();
    speaker.send(TEXT, "\"with\"");
    assert_eq!(speaker.receive_text(), format!("{{\"id\":\"{}\",\"data\":\"with\"}}", server.head("t")));
}
