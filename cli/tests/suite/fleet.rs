//! Several servers over one store: one order everywhere, nothing lost through kills, and what is said while NATS is down.
//!
//! All of it needs nats-server, and is run by scripts/test, which names it where it is missing.

mod reader;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use pushoff_model::{Cursor, Epoch, RunClock, RunInstant, Start, Transport};
use rustix::process::Signal;

use crate::client::frames::WebSocket;
use crate::client::http::{Connection, Request, Response};
use crate::client::subscriber::{Ending, Event, Subscriber};
use crate::command::{Folder, Run};
use crate::nats::Nats;
use crate::server::{DEADLINE, Server};
use reader::read_all;

/// Publishes one payload under a key, at this server alone.
fn try_publish(server: &Server, topic: &str, payload: &str, key: &str) -> Option<Response> {
    let request = Request::post_json(topic, payload).header("Idempotency-Key", key);
    // A killed server takes no connection, or ends it.
    std::panic::catch_unwind(|| server.answer(&request)).ok()
}

/// Publishes one payload at whichever server stores it; counts the answers that say "later".
fn publish_somewhere(servers: &[Server], first: usize, topic: &str, payload: &str, refusals: &Mutex<usize>) -> Cursor {
    for turn in 0..100 {
        let server = &servers[(first + turn) % servers.len()];
        match try_publish(server, topic, payload, payload.trim_matches('"')) {
            Some(response) if response.status == 201 => return id(&response),
            Some(response) => {
                assert_later(&response);
                *refusals.lock().unwrap() += 1;
            }
            None => {}
        }
    }
    panic!("{payload} was stored nowhere");
}

fn id(response: &Response) -> Cursor {
    assert_eq!(response.status, 201, "{response:?}");
    response.json()["id"].as_str().unwrap().parse().unwrap()
}

fn assert_later(response: &Response) {
    assert_eq!(response.status, 503, "{response:?}");
    assert!(response.header("Retry-After").is_some(), "{response:?}");
}

fn five() -> impl Iterator<Item = Transport> + Clone {
    Transport::ALL.into_iter().filter(|transport| transport.is_ranked())
}

/// Asks until it is so.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let clock = RunClock::start();
    while !is_so() {
        assert!(clock.now().since(RunInstant::default()) < DEADLINE, "never: {what}");
        // Another process's state has no event; this asks for it with a deadline.
        thread::park_timeout(Duration::from_millis(5));
    }
}

fn is_connected(server: &Server) -> bool {
    server.answer(&Request::get("/metrics")).text.lines().any(|line| line == "pushoff_store_connected 1")
}

#[test]
#[ignore = "needs nats-server"]
fn all_readers_see_one_order_through_a_killed_server_and_a_restarted_nats() {
    const READERS: usize = 40;
    const EACH: usize = 200;
    let mut nats = Nats::start();
    let servers = [(); 3].map(|()| nats.server(&[]));
    let (stored, refusals) = (Mutex::new(BTreeMap::new()), Mutex::new(0));
    let so_many = |count| wait_until("so many stored", || stored.lock().unwrap().len() >= count);
    let seen = thread::scope(|scope| {
        let servers = &servers;
        let readers: Vec<_> = five()
            .flat_map(|transport| (0..READERS * servers.len()).map(move |reader| (transport, reader)))
            .map(|(transport, reader)| scope.spawn(move || read_all(servers, reader, transport, "t")))
            .collect();
        let publishers: Vec<_> = (0..servers.len())
            .map(|publisher| {
                let (stored, refusals) = (&stored, &refusals);
                scope.spawn(move || {
                    for number in 0..EACH {
                        let payload = format!("\"{publisher}.{number}\"");
                        let cursor = publish_somewhere(servers, publisher, "t", &payload, refusals);
                        let before = stored.lock().unwrap().insert(cursor.sequence, (cursor, payload));
                        assert_eq!(before, None, "two messages have one number");
                    }
                })
            })
            .collect();
        so_many(EACH / 2);
        servers[0].signal(Signal::KILL);
        so_many(EACH);
        nats.kill();
        wait_until("a refusal", || *refusals.lock().unwrap() > 0);
        nats.start_again();
        publishers.into_iter().for_each(|publisher| publisher.join().unwrap());
        servers[1].complete("t");
        readers.into_iter().map(|reader| reader.join().unwrap()).collect::<Vec<_>>()
    });
    let stored: Vec<_> = stored.into_inner().unwrap().into_values().collect();
    assert_eq!(stored.len(), servers.len() * EACH);
    assert_eq!(seen.len(), 5 * READERS * servers.len());
    for read in seen {
        assert_eq!(read, stored);
    }
}

#[test]
#[ignore = "needs nats-server"]
fn while_nats_is_down_publishing_is_refused_and_streams_stay() {
    let mut nats = Nats::start();
    let server = nats.server(&[]);
    let first = server.publish("t", "1");
    let mut readers: Vec<_> = five().map(|it| Subscriber::open(&server, it, "t", Start::After(first))).collect();
    wait_until("connected", || is_connected(&server));
    nats.kill();
    wait_until("not connected", || !is_connected(&server));
    assert_later(&server.answer(&Request::post_json("t", "2")));
    assert_later(&server.answer(&Request::new("DELETE", "/topics/t")));
    // What is here can be read; what only NATS knows cannot.
    let from_here = Cursor { sequence: 0, ..first };
    Subscriber::open(&server, Transport::Sse, "t", Start::After(from_here)).expect_numbers(1..=1);
    assert_later(&server.answer(&Request::get("/topics/t/sse")));
    assert_later(&server.answer(&Request::get("/topics/elsewhere/long-polling?after=start")));
    nats.start_again();
    wait_until("connected again", || is_connected(&server));
    assert_eq!(server.publish("t", "2"), Cursor { sequence: 2, ..first });
    for reader in &mut readers {
        reader.expect_numbers(2..=2);
    }
}

#[test]
#[ignore = "needs nats-server"]
fn a_server_that_never_saw_a_topic_counts_exactly_what_is_gone() {
    let nats = Nats::start();
    let [one, other] = [(); 2].map(|()| nats.server(&["--replay", "10"]));
    let last = one.publish_numbers("t", 1..=25);
    for transport in Transport::ALL {
        let start = Start::After(Cursor { sequence: 5, ..last });
        let mut subscriber = Subscriber::open(&other, transport, "t", start);
        assert_eq!(subscriber.next(), Event::Missed(Some(10), Cursor { sequence: 15, ..last }), "{transport}");
        subscriber.expect_numbers(16..=25);
    }
    for transport in five() {
        Subscriber::open(&other, transport, "t", Start::Oldest).expect_numbers(16..=25);
    }
    let ahead = Start::After(Cursor { sequence: 26, ..last });
    assert!(matches!(Subscriber::open(&other, Transport::Sse, "t", ahead).next(), Event::Missed(None, _)));
    let elsewhere = Start::After(Cursor { epoch: Epoch(!last.epoch.0), ..last });
    assert!(matches!(Subscriber::open(&other, Transport::Sse, "t", elsewhere).next(), Event::Missed(None, _)));
}

#[test]
#[ignore = "needs nats-server"]
fn a_cursor_of_a_topic_without_messages_holds_at_another_server_and_who_published_reads_it_there() {
    let nats = Nats::start();
    let [one, other] = [(); 2].map(|()| nats.server(&[]));
    let nothing = other.head("t");
    let mut waiting = Subscriber::open(&other, Transport::WebSocket, "t", Start::Now);
    for number in 1..=20 {
        let published = one.publish("t", &number.to_string());
        let polled = one.answer(&Request::get("/topics/t/short-polling").header("Last-Event-ID", &nothing));
        assert_eq!(polled.cursor(), published);
    }
    waiting.expect_numbers(1..=20);
    Subscriber::open(&one, Transport::Sse, "t", Start::After(nothing)).expect_numbers(1..=20);
}

#[test]
#[ignore = "needs nats-server"]
fn a_publish_that_is_repeated_under_its_key_is_stored_once() {
    let nats = Nats::start();
    let servers = [(); 2].map(|()| nats.server(&[]));
    let ids = [0, 1, 0].map(|server| id(&try_publish(&servers[server], "t", "1", "\"8e03978e-40d5\"").unwrap()));
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    // The first part of a batch is stored already: the rest is stored once.
    let batch = |server: &Server, lines: &str| {
        let request = Request::post("t", "application/x-ndjson", lines).header("Idempotency-Key", "batch");
        id(&server.answer(&request)).sequence
    };
    assert_eq!(batch(&servers[0], "2\n3\n"), 3);
    assert_eq!(batch(&servers[1], "2\n3\n4\n5\n"), 5);
    assert_eq!(batch(&servers[0], "2\n3\n4\n5\n"), 5);
    Subscriber::open(&servers[1], Transport::Sse, "t", Start::Oldest).expect_numbers(1..=5);
    for key in ["", "two words", &"k".repeat(129)] {
        assert_eq!(try_publish(&servers[0], "t", "1", key).unwrap().status, 400, "{key:?}");
    }
}

#[test]
#[ignore = "needs nats-server"]
fn a_key_that_another_message_has_is_refused_and_a_repeated_publish_is_counted_once() {
    let nats = Nats::start();
    let servers = [(); 2].map(|()| nats.server(&[]));
    let ids = [(); 2].map(|()| id(&try_publish(&servers[0], "t", "1", "key").unwrap()));
    assert_eq!(ids[0], ids[1]);
    for server in &servers {
        try_publish(server, "t", "2", "key").unwrap().assert_problem(422);
    }
    let metrics = servers[0].answer(&Request::get("/metrics")).text;
    assert!(metrics.lines().any(|line| line == "pushoff_publishes_total{via=\"post\"} 1"), "{metrics}");
    Subscriber::open(&servers[1], Transport::Sse, "t", Start::Oldest).expect_numbers(1..=1);
}

#[test]
#[ignore = "needs nats-server"]
fn a_topic_is_complete_on_every_server() {
    let nats = Nats::start();
    let servers = [(); 2].map(|()| nats.server(&[]));
    servers[0].publish_numbers("t", 1..=3);
    let mut readers: Vec<_> = servers
        .iter()
        .flat_map(|server| five().map(move |it| (it, Subscriber::open(server, it, "t", Start::Oldest))))
        .collect();
    readers.iter_mut().for_each(|(_, reader)| reader.expect_numbers(1..=3));
    servers[0].complete("t");
    for (transport, reader) in &mut readers {
        assert_eq!(reader.next(), Event::End(Ending::of_completion(*transport)));
    }
    for server in &servers {
        assert_eq!(server.answer(&Request::post_json("t", "4")).status, 410);
        assert_eq!(server.answer(&Request::new("DELETE", "/topics/t")).status, 204);
    }
    servers[1].complete("empty");
    assert_eq!(servers[0].answer(&Request::get("/topics/empty/long-polling")).status, 410);
    let late = nats.server(&[]);
    assert_eq!(read_all(&[late], 0, Transport::HttpStreaming, "t").len(), 3);
}

#[test]
#[ignore = "needs nats-server"]
fn frames_of_a_websocket_are_stored_in_their_order_before_its_close_is_answered() {
    let nats = Nats::start();
    let [one, other] = [(); 2].map(|()| nats.server(&[]));
    let mut socket = WebSocket::open(one.http, "/topics/t/websocket?subscribe=false");
    for number in 1..=1000 {
        socket.send(0x81, number.to_string());
    }
    socket.send_close(1000, "");
    assert_eq!(socket.receive_close(), Some(1000));
    Subscriber::open(&other, Transport::Sse, "t", Start::Oldest).expect_numbers(1..=1000);
    other.complete("t");
    let mut late = WebSocket::open(one.http, "/topics/t/websocket?subscribe=false");
    late.send(0x81, "1");
    assert_eq!(late.receive_close(), Some(1000), "the topic is complete");
}

#[test]
#[ignore = "needs nats-server"]
fn a_topic_that_was_deleted_in_the_store_begins_anew_and_its_readers_are_told() {
    let nats = Nats::start();
    let server = nats.server(&[]);
    let last = server.publish_numbers("t", 1..=5);
    let mut reader = Subscriber::open(&server, Transport::HttpStreaming, "t", Start::After(last));
    assert!(nats.ask("STREAM.DELETE.pushoff_t").contains("\"success\":true"));
    let anew = server.publish("t", "1");
    assert!(anew.sequence == 1 && anew.epoch != last.epoch, "{anew}");
    assert_eq!(reader.next(), Event::End(Ending::LastChunk));
    let mut back = Subscriber::open(&server, Transport::HttpStreaming, "t", Start::After(last));
    assert_eq!(back.next(), Event::Missed(None, Cursor { sequence: 0, ..anew }));
    back.expect_numbers(1..=1);
}

#[test]
#[ignore = "needs nats-server"]
fn a_token_a_password_and_an_nkey_open_the_store_and_nothing_else_does() {
    // The pair of keys that NATS's own documentation shows.
    const SEED: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    const KEY: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
    let jetstream = "jetstream { store_dir: HOME }";
    for (authorization, user) in [("token: \"s3cr3t\"", "s3cr3t@"), ("user: u, password: \"p@ss\"", "u:p%40ss@")] {
        let nats = Nats::with(&format!("{jetstream}\nauthorization {{ {authorization} }}"));
        Server::with(&["--store", &nats.url(user)]).publish("t", "1");
        assert_refused(&["--store", &nats.url("")], "refuses these credentials");
    }
    let nats = Nats::with(&format!("{jetstream}\nauthorization {{ users: [{{ nkey: {KEY} }}] }}"));
    let file = nats.home().file("seed", &format!("# a seed\n{SEED}\n"));
    Server::with(&["--store", &nats.url(""), "--store-credentials", &file]).publish("t", "1");
    assert_refused(&["--store", &nats.url("wrong@")], "refuses these credentials");
}

#[test]
#[ignore = "needs nats-server"]
fn a_store_that_cannot_be_used_is_named_with_what_to_do_and_no_secret() {
    let mut nats = Nats::with("");
    assert_refused(&["--store", &nats.url("")], "nats-server -js");
    nats.kill();
    assert_refused(&["--store", &nats.url("s3cr3t@")], "cannot reach NATS");
    let small = Nats::with("jetstream { store_dir: HOME }\nmax_payload: 60KB");
    assert_refused(&["--store", &small.url("")], "--max-payload");
    assert_refused(&["--store", &small.url(""), "--store-credentials", "/nowhere"], "/nowhere");
    assert_refused(&["--store", "http://s3cr3t@a"], "nats://HOST:PORT");
}

fn assert_refused(flags: &[&str], says: &str) {
    let ended = Run::command(&Folder::new(), &[&["serve", "--listen", "127.0.0.1:0"], flags].concat()).end();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains(says) && !ended.stderr.contains("s3cr3t"), "{}", ended.stderr);
}

#[test]
#[ignore = "needs nats-server"]
fn raw_tcp_and_requests_that_came_at_once_wait_for_the_store_too() {
    let nats = Nats::start();
    let [one, other] = [(); 2].map(|()| nats.server(&[]));
    let last = one.publish_numbers("t", 1..=5);
    let start = Start::After(Cursor { sequence: 2, ..last });
    Subscriber::open(&other, Transport::RawTcp, "t", start).expect_numbers(3..=5);
    // Two requests at once: the second waits until the first, which asks the store, is answered.
    let mut connection = Connection::open(other.http);
    for topic in ["t", "t"] {
        connection.send(&Request::get(&format!("/topics/{topic}/short-polling?after=start")));
    }
    for _ in 0..2 {
        assert_eq!(connection.receive().cursor(), last);
    }
}
