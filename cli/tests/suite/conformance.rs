//! What holds for every transport: order, no silent loss, the same messages for all.

use std::thread;

use pushoff_model::{Cursor, Start, Transport};

use crate::client::subscriber::{Event, Subscriber};
use crate::server::Server;

#[test]
fn messages_arrive_in_order_and_none_is_lost() {
    let server = Server::start();
    for transport in Transport::ALL {
        let topic = transport.name();
        let origin = server.origin(topic);
        let mut subscriber = Subscriber::open(&server, transport, topic, Start::After(origin));
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut publisher = server.publisher(topic);
                for number in 1..=200_u64 {
                    publisher.publish(&number.to_string());
                }
            });
            subscriber.expect_numbers(1..=200);
        });
    }
}

#[test]
fn a_batch_arrives_whole_and_in_order() {
    let server = Server::start();
    for transport in Transport::ALL {
        let topic = transport.name();
        let origin = server.origin(topic);
        let mut subscriber = Subscriber::open(&server, transport, topic, Start::After(origin));
        assert_eq!(server.publish_numbers(topic, 1..=1000), Cursor { sequence: 1000, ..origin });
        subscriber.expect_numbers(1..=1000);
    }
}

#[test]
fn all_transports_carry_the_same_messages_however_many_publish() {
    const PUBLISHERS: usize = 4;
    const EACH: usize = 50;
    let server = Server::start();
    let origin = server.origin("shared");
    let heard = thread::scope(|scope| {
        let subscribers = Transport::ALL.map(|transport| {
            let mut subscriber = Subscriber::open(&server, transport, "shared", Start::After(origin));
            scope.spawn(move || subscriber.messages(PUBLISHERS * EACH))
        });
        for name in 0..PUBLISHERS {
            let mut publisher = server.publisher("shared");
            scope.spawn(move || {
                for count in 0..EACH {
                    publisher.publish(&format!("[{name},{count}]"));
                }
            });
        }
        subscribers.map(|subscriber| subscriber.join().unwrap())
    });
    for (transport, messages) in Transport::ALL.iter().zip(&heard) {
        assert_eq!(messages, &heard[0], "{transport} differs from {}", Transport::ALL[0]);
    }
    for (sequence, (cursor, _)) in (1..).zip(&heard[0]) {
        assert_eq!(*cursor, Cursor { sequence, ..origin });
    }
    for name in 0..PUBLISHERS {
        let own = heard[0].iter().filter(|(_, payload)| payload.starts_with(&format!("[{name},")));
        let in_order = (0..EACH).map(|count| format!("[{name},{count}]"));
        assert!(own.map(|(_, payload)| payload.clone()).eq(in_order), "publisher {name}'s messages changed places");
    }
}

#[test]
fn a_payload_arrives_as_it_was_published() {
    let payloads = [
        r#"{ "b" : 1.50,"a":[1e400, -0, 12345678901234567890123], "a":null }"#,
        r#""\u00e9\ud83d\ude80 \"quoted\" \\ / \n \u0000""#,
        "\"é🚀\u{2028}\u{2029}\u{85}\u{feff}\"",
        "\"data: x : y\"",
        "null",
        "-0.0",
        "{}",
    ];
    let server = Server::start();
    for transport in Transport::ALL {
        let topic = transport.name();
        let origin = server.origin(topic);
        let mut subscriber = Subscriber::open(&server, transport, topic, Start::After(origin));
        for payload in payloads {
            let published = server.publish(topic, payload);
            assert_eq!(subscriber.message(), (published, payload.to_owned()), "{transport}");
        }
    }
}

#[test]
fn a_line_break_between_tokens_changes_no_value() {
    let payload = "{\n  \"lines\": [1,\r\n 2],\r \"text\": \"a\\nb\"\n}";
    let value: serde_json::Value = serde_json::from_str(payload).unwrap();
    let server = Server::start();
    for transport in Transport::ALL {
        let topic = transport.name();
        let origin = server.origin(topic);
        let mut subscriber = Subscriber::open(&server, transport, topic, Start::After(origin));
        server.publish(topic, payload);
        server.publish(topic, "\"next\"");
        let (_, received) = subscriber.message();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&received).unwrap(), value, "{transport}");
        assert_eq!(subscriber.message().1, "\"next\"", "{transport}");
    }
}

#[test]
fn topics_do_not_mix() {
    let server = Server::start();
    for transport in Transport::ALL {
        let (one, other) = (format!("{transport}.one"), format!("{transport}.other"));
        let origin = server.origin(&one);
        let mut subscriber = Subscriber::open(&server, transport, &one, Start::After(origin));
        server.publish(&other, "\"not yours\"");
        server.publish(&one, "\"yours\"");
        assert_eq!(subscriber.message().1, "\"yours\"");
    }
}

/// A reader that stops reading while far more passes than sockets and log can hold.
#[test]
fn a_slow_reader_is_told_what_it_missed_and_nobody_else_is_touched() {
    const PAYLOAD_BYTES: usize = 60 * 1024;
    const MESSAGES: u64 = 150;
    let server = Server::with(&["--replay", "8"]);
    let payload = format!("\"{}\"", "x".repeat(PAYLOAD_BYTES));
    for transport in Transport::ALL {
        let topic = transport.name();
        let origin = server.origin(topic);
        let start = Start::After(origin);
        let mut slow = Subscriber::open_with_small_buffer(&server, transport, topic, start);
        let mut quick = Subscriber::open(&server, transport, topic, start);
        let mut publisher = server.publisher(topic);
        for sequence in 1..=MESSAGES {
            let published = publisher.publish(&payload);
            assert_eq!(published.sequence, sequence);
            assert_eq!(quick.message().0, published, "{transport}: the quick reader");
        }
        let (delivered, missed) = read_to(&mut slow, MESSAGES);
        assert!(missed > 0, "{transport}: nothing was missed, so the reader was not slow");
        assert_eq!(delivered + missed, MESSAGES, "{transport}");
    }
}

/// Reads up to message number `last`, asserting that every gap is told, exactly, before it.
fn read_to(subscriber: &mut Subscriber, last: u64) -> (u64, u64) {
    let (mut delivered, mut missed, mut sequence) = (0, 0, 0);
    while sequence < last {
        match subscriber.next() {
            Event::Message(cursor, _) => {
                delivered += 1;
                sequence += 1;
                assert_eq!(cursor.sequence, sequence, "a message was lost in silence");
            }
            Event::Missed(Some(count), id) => {
                missed += count;
                sequence += count;
                assert_eq!(id.sequence, sequence, "where the notice says that it ends");
            }
            other @ (Event::Missed(None, _) | Event::Heartbeat | Event::End(_)) => panic!("{other:?}"),
        }
    }
    (delivered, missed)
}
