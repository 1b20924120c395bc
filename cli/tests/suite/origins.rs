//! Who may connect from a browser: `Origin`, CORS and preflight. Sources: RFC 6454, Fetch §3.2.

use pushoff_model::Transport;

use crate::client::frames::{WebSocket, handshake};
use crate::client::http::{Connection, Request, Response};
use crate::server::Server;

const FRIEND: &str = "http://friend.example";

/// Every kind of request that a page could send.
fn requests() -> Vec<Request> {
    let mut requests: Vec<Request> = Transport::ALL
        .into_iter()
        .filter(|transport| transport.is_ranked() && *transport != Transport::WebSocket)
        .map(|transport| Request::get(&format!("/topics/t/{transport}?after=start")))
        .collect();
    requests.extend([
        Request::post_json("t", "1"),
        Request::post("t", "application/x-ndjson", "1\n"),
        Request::new("DELETE", "/topics/t"),
        Request::get("/metrics"),
        handshake("/topics/t/websocket"),
        handshake("/echo"),
    ]);
    requests
}

fn preflight(origin: &str, method: &str, headers: &str) -> Request {
    Request::new("OPTIONS", "/topics/t")
        .header("Origin", origin)
        .header("Access-Control-Request-Method", method)
        .header("Access-Control-Request-Headers", headers)
}

fn assert_shared_with(response: &Response, origin: &str) {
    let allowed = response.header("Access-Control-Allow-Origin").unwrap_or_default();
    assert!(allowed == origin || allowed == "*", "{response:?}");
    assert!(
        allowed == "*" || response.lists("Vary", "Origin"),
        "an answer that differs by origin says so: {response:?}"
    );
}

#[test]
fn a_foreign_origin_is_a_problem_403_whatever_it_asks() {
    let server = Server::with(&["--allow-origin", FRIEND]);
    let head = server.origin("t");
    let foreign = [
        "http://evil.example",
        "null",
        "http://friend.example:8080",
        "https://friend.example",
        "http://friend.example.evil.example",
        "http://127.0.0.1",
    ];
    for origin in foreign {
        for request in requests() {
            let response = server.answer(&request.header("Origin", origin));
            response.assert_problem(403);
            assert_eq!(response.header("Access-Control-Allow-Origin"), None, "{origin}: {response:?}");
        }
        assert_eq!(server.answer(&preflight(origin, "POST", "content-type")).status, 403, "{origin}");
    }
    assert_eq!(server.head("t"), head, "a foreign origin published");
}

#[test]
fn its_own_host_may_connect() {
    let server = Server::with(&["--echo"]);
    let own = format!("http://{}", server.http);
    assert_eq!(server.answer(&Request::post_json("t", "1").header("Origin", &own)).status, 201);
    let shaken = WebSocket::connect(Connection::open(server.http), &handshake("/echo").header("Origin", &own));
    assert!(shaken.is_ok(), "{:?}", shaken.err());
}

#[test]
fn without_an_origin_anybody_may_connect() {
    let server = Server::start();
    assert_eq!(server.answer(&Request::post_json("t", "1")).status, 201);
}

#[test]
fn an_allowed_origin_gets_the_headers_that_let_its_page_read_the_answer() {
    let server = Server::with(&["--allow-origin", "http://other.example", "--allow-origin", FRIEND]);
    server.publish("t", "1");
    let get = |target: &str| server.answer(&Request::get(target).header("Origin", FRIEND));
    let poll = get("/topics/t/short-polling?after=start");
    assert_eq!(poll.status, 200);
    assert_shared_with(&poll, FRIEND);
    assert!(poll.lists("Access-Control-Expose-Headers", "Last-Event-ID"), "the page cannot go on: {poll:?}");
    let published = server.answer(&Request::post_json("t", "2").header("Origin", FRIEND));
    assert_eq!(published.status, 201);
    assert_shared_with(&published, FRIEND);
    // An error is for the page to read too.
    assert_shared_with(&get("/topics/t/short-polling?after=nonsense"), FRIEND);

    let mut stream = Connection::open(server.http);
    stream.send(&Request::get("/topics/t/sse").header("Origin", FRIEND));
    let head = stream.receive_head();
    assert_eq!(head.header("Access-Control-Allow-Origin").as_deref(), Some(FRIEND), "{head:?}");
    let shaken = handshake("/topics/t/websocket").header("Origin", FRIEND);
    assert!(WebSocket::connect(Connection::open(server.http), &shaken).is_ok());
}

#[test]
fn a_preflight_is_answered_without_a_token() {
    let server = Server::with(&["--allow-origin", FRIEND, "--publish-token", "s3cret"]);
    for method in ["POST", "DELETE"] {
        let response = server.answer(&preflight(FRIEND, method, "authorization,content-type"));
        assert!([200, 204].contains(&response.status), "{response:?}");
        assert_shared_with(&response, FRIEND);
        assert!(response.lists("Access-Control-Allow-Methods", method), "{response:?}");
        for header in ["Authorization", "Content-Type"] {
            assert!(response.lists("Access-Control-Allow-Headers", header), "{response:?}");
        }
    }
    let poll = Request::new("OPTIONS", "/topics/t/long-polling")
        .header("Origin", FRIEND)
        .header("Access-Control-Request-Method", "GET")
        .header("Access-Control-Request-Headers", "last-event-id");
    let response = server.answer(&poll);
    assert_shared_with(&response, FRIEND);
    assert!(response.lists("Access-Control-Allow-Headers", "Last-Event-ID"), "{response:?}");
}

#[test]
fn a_request_for_another_host_is_a_problem_421_whatever_it_asks() {
    let server = Server::with(&["--allow-host", "push.example"]);
    let ask = |host: &str, request: &Request| {
        let bytes = String::from_utf8(request.bytes(server.http)).unwrap();
        let mut connection = Connection::open(server.http);
        connection
            .send_bytes(bytes.replace(&format!("Host: {}", server.http), &format!("Host: {host}")).as_bytes())
            .unwrap();
        connection.receive()
    };
    for host in ["evil.example", "evil.example:80", "localhost.evil.example", "0.0.0.0", "[::2]"] {
        for request in requests() {
            let own_page = request.header("Origin", &format!("http://{host}"));
            ask(host, &own_page).assert_problem(421);
        }
    }
    for host in ["", "exa mple", "a@localhost", "localhost:x"] {
        ask(host, &Request::get("/healthz")).assert_problem(400);
    }
    for host in ["localhost", "tab.localhost:1", "127.0.0.1", "[::1]:80", "push.example", "PUSH.example:443"] {
        assert_eq!(ask(host, &Request::get("/healthz")).status, 200, "{host}");
    }
}

#[test]
fn a_page_of_another_site_is_refused_where_only_the_browser_tells() {
    let server = Server::start();
    for site in ["cross-site", "same-site"] {
        for request in requests() {
            server.answer(&request.header("Sec-Fetch-Site", site)).assert_problem(403);
        }
        let link = Request::get("/").header("Sec-Fetch-Site", site).header("Sec-Fetch-Mode", "navigate");
        assert_eq!(server.answer(&link).status, 200);
    }
    let own = Request::get("/topics/t/short-polling").header("Sec-Fetch-Site", "same-origin");
    assert_eq!(server.answer(&own).status, 204);
}
