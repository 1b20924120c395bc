//! Where a subscriber starts: cursors, and what is told where they lead nowhere.

use pushoff_model::{Cursor, Epoch, Start, Transport};

use crate::client::frames::{WebSocket, handshake};
use crate::client::http::{Connection, Request};
use crate::client::subscriber::{Event, Subscriber};
use crate::server::Server;

fn http_transports() -> impl Iterator<Item = Transport> {
    Transport::ALL.into_iter().filter(|transport| transport.is_ranked())
}

#[test]
fn a_subscriber_resumes_after_its_cursor() {
    let server = Server::start();
    for transport in Transport::ALL {
        let topic = transport.name();
        let last = server.publish_numbers(topic, 1..=10);
        let cursor = Cursor { sequence: 4, ..last };
        let mut subscriber = Subscriber::open(&server, transport, topic, Start::After(cursor));
        subscriber.expect_numbers(5..=10);
        server.publish(topic, "11");
        subscriber.expect_numbers(11..=11);
    }
}

#[test]
fn a_broken_connection_costs_no_message_and_doubles_none() {
    let server = Server::start();
    for transport in Transport::ALL {
        let topic = transport.name();
        let mut cursor = server.origin(topic);
        for round in 0..5 {
            let mut subscriber = Subscriber::open(&server, transport, topic, Start::After(cursor));
            server.publish_numbers(topic, round * 10 + 1..=round * 10 + 10);
            // It breaks off in the middle of the batch, so the next begins with the rest of it.
            for _ in 0..7 {
                let (next, payload) = subscriber.message();
                assert_eq!(next, Cursor { sequence: cursor.sequence + 1, ..cursor }, "{transport}");
                assert_eq!(payload, next.sequence.to_string(), "{transport}");
                cursor = next;
            }
        }
    }
}

#[test]
fn without_a_cursor_a_subscriber_starts_from_now_on() {
    let server = Server::start();
    for transport in Transport::ALL {
        let topic = transport.name();
        let before = server.publish_numbers(topic, 1..=3);
        let mut subscriber = Subscriber::open(&server, transport, topic, Start::Now);
        if let Some(opened_at) = subscriber.opened_at {
            assert_eq!(opened_at, before, "{transport}");
        }
        // A transport that does not say when it has begun may begin a little later: it must then
        // begin with one of these, which are all later than the subscription.
        let server = &server;
        let (first, _) = std::thread::scope(|scope| {
            let first = scope.spawn(|| subscriber.message());
            let mut publisher = server.publisher(topic);
            while !first.is_finished() {
                publisher.publish("\"later\"");
            }
            first.join().unwrap()
        });
        assert!(first.sequence > before.sequence, "{transport} began with {first}, which is from before");
    }
}

#[test]
fn start_means_everything_that_is_kept() {
    let server = Server::with(&["--replay", "5"]);
    for transport in http_transports() {
        let topic = transport.name();
        server.publish_numbers(topic, 1..=12);
        let mut subscriber = Subscriber::open(&server, transport, topic, Start::Oldest);
        subscriber.expect_numbers(8..=12);
    }
}

#[test]
fn the_cursor_with_sequence_0_is_the_start_of_the_log() {
    let server = Server::start();
    for transport in Transport::ALL {
        let topic = transport.name();
        let origin = Cursor { sequence: 0, ..server.publish_numbers(topic, 1..=3) };
        Subscriber::open(&server, transport, topic, Start::After(origin)).expect_numbers(1..=3);
    }
}

#[test]
fn the_header_last_event_id_says_where_to_start_and_wins_over_the_query() {
    let server = Server::start();
    for transport in http_transports() {
        let topic = transport.name();
        let last = server.publish_numbers(topic, 1..=9);
        let header = Cursor { sequence: 2, ..last };
        let query = Cursor { sequence: 7, ..last };
        for target in [format!("/topics/{topic}/{transport}"), format!("/topics/{topic}/{transport}?after={query}")] {
            assert_eq!(first_message_number(&server, transport, &target, header), 3, "{transport} at {target}");
        }
    }
}

/// Subscribes with the header and returns the sequence of the first message.
fn first_message_number(server: &Server, transport: Transport, target: &str, header: Cursor) -> u64 {
    let mut connection = Connection::open(server.http);
    if transport == Transport::WebSocket {
        let handshake = handshake(target).header("Last-Event-ID", &header);
        let (mut frames, _) = WebSocket::connect(connection, &handshake).unwrap();
        assert_eq!(frames.receive_text(), format!("{{\"open\":\"{header}\"}}"));
        let message: serde_json::Value = serde_json::from_str(&frames.receive_text()).unwrap();
        return message["id"].as_str().unwrap().parse::<Cursor>().unwrap().sequence;
    }
    connection.send(&Request::get(target).header("Last-Event-ID", &header));
    let mut subscriber = Subscriber::reading(transport, connection, target);
    subscriber.message().0.sequence
}

#[test]
fn the_missed_notice_counts_exactly_what_is_gone() {
    let server = Server::with(&["--replay", "10"]);
    for transport in Transport::ALL {
        let topic = transport.name();
        let last = server.publish_numbers(topic, 1..=25);
        for (after, missed) in [(0, 15), (5, 10), (14, 1)] {
            let cursor = Cursor { sequence: after, ..last };
            let mut subscriber = Subscriber::open(&server, transport, topic, Start::After(cursor));
            let before_the_oldest = Cursor { sequence: 15, ..last };
            let notice = Event::Missed(Some(missed), before_the_oldest);
            assert_eq!(subscriber.next(), notice, "{transport} after {after}");
            subscriber.expect_numbers(16..=25);
        }
        // One that was cut right after the notice resumes where it says, and is not told again.
        let told = Cursor { sequence: 15, ..last };
        Subscriber::open(&server, transport, topic, Start::After(told)).expect_numbers(16..=25);
    }
}

#[test]
fn a_cursor_of_another_epoch_is_recognised_and_its_count_is_null() {
    let server = Server::with(&["--replay", "3"]);
    for transport in Transport::ALL {
        let topic = transport.name();
        let last = server.publish_numbers(topic, 1..=5);
        let elsewhere = Cursor { epoch: Epoch(!last.epoch.0), sequence: 4 };
        let mut subscriber = Subscriber::open(&server, transport, topic, Start::After(elsewhere));
        let before_the_oldest = Cursor { sequence: 2, ..last };
        assert_eq!(subscriber.next(), Event::Missed(None, before_the_oldest), "{transport}");
        subscriber.expect_numbers(3..=5);
    }
}

#[test]
fn a_restarted_server_draws_another_epoch() {
    let one = Server::start().publish("same-topic", "1");
    let other = Server::start().publish("same-topic", "1");
    assert_ne!(one.epoch, other.epoch);
    assert_eq!(one.sequence, other.sequence);
}

#[test]
fn a_topic_keeps_at_most_4_mib() {
    const PAYLOAD_BYTES: u64 = 60_000;
    const KEPT_AT_MOST: u64 = 4 * 1024 * 1024;
    let server = Server::start();
    let payload = format!("\"{}\"", "x".repeat(usize::try_from(PAYLOAD_BYTES).unwrap() - 2));
    let mut publisher = server.publisher("large");
    let last = (0..100).map(|_| publisher.publish(&payload)).last().unwrap();
    let origin = Cursor { sequence: 0, ..last };
    let mut subscriber = Subscriber::open(&server, Transport::HttpStreaming, "large", Start::After(origin));
    let Event::Missed(Some(missed), _) = subscriber.next() else { panic!("6 MB cannot all be kept") };
    let kept = subscriber.messages(usize::try_from(last.sequence - missed).unwrap()).len() as u64;
    assert!(kept * PAYLOAD_BYTES <= KEPT_AT_MOST, "{kept} messages are kept");
    assert!(kept * PAYLOAD_BYTES > KEPT_AT_MOST / 2, "only {kept} messages are kept");
}
