//! What is particular to the event stream. Source: WHATWG HTML §9.2.

use std::io::BufRead;

use pushoff_model::{Cursor, Start, Transport};

use crate::client::event_stream::{Block, Item, next_item};
use crate::client::http::{Connection, Request};
use crate::client::subscriber::Subscriber;
use crate::server::Server;

fn block(id: Cursor, data: &str) -> Item {
    Item::Block(Block { id: Some(id.to_string()), data: Some(data.to_owned()), ..Block::default() })
}

#[test]
fn the_stream_is_written_as_the_contract_writes_it() {
    let server = Server::with(&["--replay", "2"]);
    let last = server.publish_numbers("t", 1..=3);
    let origin = Cursor { sequence: 0, ..last };
    let mut connection = Connection::open(server.http);
    connection.send(&Request::get(&format!("/topics/t/sse?after={origin}")));
    let (_, stream) = connection.into_body();
    let lines: Vec<String> = stream.lines().map(Result::unwrap).take(13).collect();
    let id = |sequence| format!("id: {}", Cursor { sequence, ..last });
    let opening = ["retry: 1000".to_owned(), lines[1].clone(), String::new()];
    assert_eq!(lines[..3], opening, "the opening");
    assert!(lines[1].starts_with("id: "), "{lines:?}");
    let notice = ["event: missed".to_owned(), id(1), "data: 1".to_owned(), String::new()];
    assert_eq!(lines[3..7], notice, "the notice");
    assert_eq!(lines[7..10], [id(2), "data: 2".to_owned(), String::new()]);
    assert_eq!(lines[10..13], [id(3), "data: 3".to_owned(), String::new()]);
}

#[test]
fn the_stream_opens_with_the_cursor_it_starts_from() {
    let server = Server::start();
    let last = server.publish_numbers("t", 1..=4);
    let from_now_on = Subscriber::open(&server, Transport::Sse, "t", Start::Now);
    assert_eq!(from_now_on.opened_at, Some(last));
    let cursor = Cursor { sequence: 2, ..last };
    let resumed = Subscriber::open(&server, Transport::Sse, "t", Start::After(cursor));
    assert_eq!(resumed.opened_at, Some(cursor));
}

#[test]
fn a_line_break_in_a_payload_starts_another_data_line() {
    let server = Server::start();
    let origin = server.origin("t");
    let mut subscriber = Subscriber::open(&server, Transport::Sse, "t", Start::After(origin));
    // Each of the three line ends of an event stream comes back as LF.
    for (payload, received) in
        [("[1,\n2]", "[1,\n2]"), ("[1,\r\n2]", "[1,\n2]"), ("[1,\r2]", "[1,\n2]"), ("[\n\n1\n]", "[\n\n1\n]")]
    {
        server.publish("t", payload);
        assert_eq!(subscriber.message().1, received, "{payload:?}");
    }
}

#[test]
fn a_short_polling_event_source_is_answered_at_once_and_told_when_to_come_back() {
    let server = Server::start();
    let last = server.publish_numbers("t", 1..=2);
    for (after, count) in [(0, 2), (2, 0)] {
        let cursor = Cursor { sequence: after, ..last };
        let target = "/topics/t/sse?mode=short-polling&interval=250";
        let response = server.answer(&Request::get(target).header("Last-Event-ID", &cursor));
        assert_eq!(response.status, 200, "a 204 would stop it");
        assert_eq!(response.media_type().as_deref(), Some("text/event-stream"));
        let mut body = response.text.as_bytes();
        let Some(Item::Block(opening)) = next_item(&mut body) else { panic!("{response:?}") };
        assert_eq!(opening.retry, Some(250));
        for sequence in after + 1..=2 {
            assert_eq!(next_item(&mut body), Some(block(Cursor { sequence, ..last }, &sequence.to_string())));
        }
        assert_eq!(next_item(&mut body), None, "after {count} messages it ends");
    }
}

#[test]
fn a_long_polling_event_source_is_answered_by_the_first_batch() {
    let server = Server::start();
    let last = server.publish("t", "1");
    let mut connection = Connection::open(server.http);
    let target = format!("/topics/t/sse?mode=long-polling&after={last}");
    connection.send(&Request::get(&target));
    server.wait_for_metric("connections", Transport::Sse, 1.0);
    let published = server.publish_numbers("t", 2..=3);
    let (head, mut stream) = connection.into_body();
    assert_eq!(head.status, 200);
    let Some(Item::Block(opening)) = next_item(&mut stream) else { panic!("no opening") };
    assert_eq!((opening.retry, opening.id), (Some(1000), Some(last.to_string())));
    assert_eq!(next_item(&mut stream), Some(block(Cursor { sequence: 2, ..published }, "2")));
    assert_eq!(next_item(&mut stream), Some(block(published, "3")));
    assert_eq!(next_item(&mut stream), None, "it ends with the batch");
}

#[test]
fn a_long_polling_event_source_with_nothing_is_answered_after_its_wait() {
    let server = Server::start();
    let response = server.answer(&Request::get("/topics/t/sse?mode=long-polling&wait=1&interval=50"));
    assert_eq!(response.status, 200, "a 204 would stop it");
    let mut body = response.text.as_bytes();
    let Some(Item::Block(opening)) = next_item(&mut body) else { panic!("{response:?}") };
    assert_eq!((opening.retry, opening.data), (Some(50), None));
    assert_eq!(next_item(&mut body), None);
}

#[test]
fn an_unchanged_event_source_polls_without_losing_a_message() {
    let server = Server::start();
    let mut last_event_id = server.origin("t");
    let mut received = Vec::new();
    for round in 0..5_u64 {
        server.publish_numbers("t", round * 3 + 1..=round * 3 + 3);
        let request = Request::get("/topics/t/sse?mode=short-polling").header("Last-Event-ID", &last_event_id);
        let response = server.answer(&request);
        let mut body = response.text.as_bytes();
        while let Some(Item::Block(block)) = next_item(&mut body) {
            last_event_id = block.id.unwrap().parse().unwrap();
            received.extend(block.data.map(|data| data.parse::<u64>().unwrap()));
        }
    }
    assert_eq!(received, (1..=15).collect::<Vec<_>>());
}
