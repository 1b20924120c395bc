//! What is particular to short and long polling. Source: RFC 6202 §2.

use std::time::Duration;

use pushoff_model::{Cursor, RunClock, RunInstant, Transport};

use crate::client::http::{Connection, Request};
use crate::server::Server;

const POLLS: [Transport; 2] = [Transport::ShortPolling, Transport::LongPolling];

#[test]
fn a_poll_with_messages_is_200_with_lines_and_the_cursor_for_the_next() {
    let server = Server::start();
    let last = server.publish_numbers("t", 1..=3);
    let origin = Cursor { sequence: 0, ..last };
    for transport in POLLS {
        let response = server.answer(&Request::get(&format!("/topics/t/{transport}?after={origin}")));
        assert_eq!(response.status, 200);
        assert_eq!(response.media_type().as_deref(), Some("application/x-ndjson"));
        let lines: String = (1..=3)
            .map(|number| format!("{{\"id\":\"{}\",\"data\":{number}}}\n", Cursor { sequence: number, ..last }))
            .collect();
        assert_eq!(response.text, lines);
        assert_eq!(response.cursor(), last);
        response.assert_uncached_and_uncompressed();
    }
}

#[test]
fn a_short_poll_with_nothing_is_204_at_once_with_the_cursor_for_the_next() {
    let server = Server::start();
    let last = server.publish("t", "1");
    for target in [format!("/topics/t/short-polling?after={last}"), "/topics/t/short-polling".to_owned()] {
        let response = server.answer(&Request::get(&target));
        assert_eq!((response.status, response.cursor(), response.text.as_str()), (204, last, ""), "{target}");
        response.assert_uncached_and_uncompressed();
    }
}

#[test]
fn a_long_poll_with_nothing_is_204_after_its_wait() {
    let server = Server::start();
    let last = server.publish("t", "1");
    let clock = RunClock::start();
    let response = server.answer(&Request::get(&format!("/topics/t/long-polling?after={last}&wait=1")));
    let waited = clock.now().since(RunInstant::default());
    assert_eq!((response.status, response.cursor()), (204, last));
    assert!(waited >= Duration::from_millis(950), "it waited {waited:?}");
    assert!(waited < Duration::from_secs(10), "it waited {waited:?}");
}

#[test]
fn a_waiting_long_poll_is_answered_by_the_next_message() {
    let server = Server::start();
    let last = server.publish("t", "1");
    let mut connection = Connection::open(server.http);
    for number in 2..=4 {
        connection.send(&Request::get(&format!("/topics/t/long-polling?after={}", server.head("t"))));
        server.wait_for_metric("connections", Transport::LongPolling, 1.0);
        server.publish("t", &number.to_string());
        let response = connection.receive();
        assert_eq!(response.cursor(), Cursor { sequence: number, ..last });
        assert_eq!(response.lines()[0]["data"], number);
    }
}

#[test]
fn every_waiting_long_poll_is_answered() {
    let server = Server::start();
    let last = server.publish("t", "1");
    let mut polls: Vec<Connection> = (0..50).map(|_| Connection::open(server.http)).collect();
    for poll in &mut polls {
        poll.send(&Request::get(&format!("/topics/t/long-polling?after={last}")));
    }
    let published = server.publish("t", "2");
    for poll in &mut polls {
        assert_eq!(poll.receive().cursor(), published);
    }
}

#[test]
fn the_limit_bounds_a_batch_and_the_cursor_leads_on() {
    let server = Server::start();
    let last = server.publish_numbers("t", 1..=5);
    for transport in POLLS {
        let mut cursor = Cursor { sequence: 0, ..last };
        for (count, sequence) in [(2, 2), (2, 4), (1, 5)] {
            let response = server.answer(&Request::get(&format!("/topics/t/{transport}?after={cursor}&limit=2")));
            assert_eq!(response.lines().len(), count);
            cursor = response.cursor();
            assert_eq!(cursor.sequence, sequence);
        }
    }
}

#[test]
fn a_batch_has_at_most_1000_messages_unless_asked_otherwise() {
    let server = Server::start();
    let last = server.publish_numbers("t", 1..=1010);
    for transport in POLLS {
        let target = format!("/topics/t/{transport}?after={}", Cursor { sequence: 0, ..last });
        let response = server.answer(&Request::get(&target));
        assert_eq!(response.lines().len(), 1000);
        assert_eq!(response.cursor().sequence, 1000);
    }
}

#[test]
fn the_notice_stands_before_the_oldest_kept_messages() {
    let server = Server::with(&["--replay", "2"]);
    let last = server.publish_numbers("t", 1..=7);
    for transport in POLLS {
        let target = format!("/topics/t/{transport}?after={}", Cursor { sequence: 1, ..last });
        let response = server.answer(&Request::get(&target));
        let first = response.text.lines().next();
        let notice = format!("{{\"missed\":4,\"id\":\"{}\"}}", Cursor { sequence: 5, ..last });
        assert_eq!(first, Some(notice.as_str()));
        assert_eq!(response.lines().len(), 3);
        assert_eq!(response.cursor(), last);
    }
}

#[test]
fn a_line_break_in_a_payload_becomes_a_space() {
    let server = Server::start();
    let origin = server.origin("t");
    let cursor = server.publish("t", "[1,\n2]");
    let expected = format!("{{\"id\":\"{cursor}\",\"data\":[1, 2]}}\n");
    for transport in POLLS {
        let response = server.answer(&Request::get(&format!("/topics/t/{transport}?after={origin}")));
        assert_eq!(response.text, expected);
    }
}
