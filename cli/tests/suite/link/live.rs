//! `pushoff serve --network`: the lanes of the live page behind a network.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use procfs::process::all_processes;
use pushoff_model::RunClock;
use rustix::process::Signal;

use super::{MINE, namespaces};
use crate::client::event_stream::{Item, next_item};
use crate::client::http::{Connection, Request, Response};
use crate::command::Folder;
use crate::server::{DEADLINE, Server};

/// A server that offers a network of 50 ms each way, and the port that is forwarded over it.
fn offering(folder: &Folder) -> (Server, SocketAddr) {
    let server = Server::with(&["--network", &folder.file("mine.toml", &MINE.replace("0.01", "0"))]);
    let forwarded = server.networks["mine"];
    (server, forwarded)
}

#[test]
#[ignore = "needs network namespaces: scripts/test runs it where they are"]
fn what_reaches_the_server_by_a_forwarded_port_crossed_the_network_both_ways() {
    let (server, forwarded) = offering(&Folder::new());
    let clock = RunClock::start();
    let mut connection = Connection::open(forwarded);
    for least in [200, 100] {
        let asked = clock.now();
        connection.send(&Request::get("/healthz"));
        assert_eq!(connection.receive().text, "ok");
        let took = clock.now().since(asked);
        assert!(took >= Duration::from_millis(least), "{took:?}: a handshake at first, and a request");
    }
    let mut stream = Connection::open(forwarded);
    stream.send(&Request::get("/topics/t/sse?after=start"));
    let (head, mut events) = stream.into_body();
    assert_eq!(head.status, 200);
    let published = clock.now();
    let id = server.publish("t", "\"direct\"");
    loop {
        let Some(Item::Block(block)) = next_item(&mut events) else { continue };
        if block.data.as_deref() == Some("\"direct\"") {
            assert_eq!(block.id, Some(id.to_string()));
            break;
        }
    }
    assert!(clock.now().since(published) >= Duration::from_millis(50));
}

#[test]
#[ignore = "needs network namespaces: scripts/test runs it where they are"]
fn to_a_forwarded_port_the_live_page_may_connect_and_no_page_of_another_origin() {
    let (server, forwarded) = offering(&Folder::new());
    let ask = |host: &str, origin: &str| -> Response {
        let request = Request::get("/topics/t/short-polling").header("Origin", origin);
        let bytes = String::from_utf8(request.bytes(forwarded)).unwrap();
        let mut connection = Connection::open(forwarded);
        connection
            .send_bytes(bytes.replace(&format!("Host: {forwarded}"), &format!("Host: {host}")).as_bytes())
            .unwrap();
        connection.receive()
    };
    let (page, port) = (server.http.port(), forwarded.port());
    for name in ["127.0.0.1", "localhost"] {
        let (host, own) = (format!("{name}:{port}"), format!("http://{name}:{page}"));
        let allowed = ask(&host, &own);
        assert_eq!(allowed.header("Access-Control-Allow-Origin"), Some(own), "{allowed:?}");
        for foreign in ["http://evil.example", "http://127.0.0.1:1", &format!("http://evil.example:{page}"), "null"] {
            ask(&host, foreign).assert_problem(403);
        }
    }
    ask(&format!("127.0.0.1:{port}"), &format!("http://localhost:{page}")).assert_problem(403);
    ask(&format!("evil.example:{port}"), &format!("http://evil.example:{page}")).assert_problem(421);
    let policy = |host| {
        let mut connection = Connection::open(host);
        connection.send(&Request::get("/"));
        connection.receive().header("Content-Security-Policy").unwrap()
    };
    let sources = format!("connect-src 'self' http://{forwarded} ws://{forwarded};");
    assert!(policy(server.http).contains(&sources) && !policy(forwarded).contains(&sources));
}

#[test]
#[ignore = "needs network namespaces: scripts/test runs it where they are"]
fn nothing_of_a_forwarded_port_outlives_the_server() {
    let (mut server, forwarded) = offering(&Folder::new());
    let own = namespaces(server.pid());
    assert!(own.len() >= 2, "near and far: {own:?}");
    server.signal(Signal::KILL);
    server.wait_for_exit(DEADLINE);
    assert_eq!(TcpStream::connect(forwarded).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    let left: BTreeSet<_> = all_processes().unwrap().flatten().flat_map(|process| namespaces(process.pid())).collect();
    assert!(left.is_disjoint(&own), "{left:?}");
}
