//! How subscriptions end or stay alive: completion, shutdown, heartbeats.

use std::time::Duration;

use pushoff_model::{Cursor, RunClock, RunInstant, Start, Transport};
use rustix::process::Signal;

use crate::client::frames::{Frame, WebSocket};
use crate::client::http::{Connection, Request};
use crate::client::subscriber::{Ending, Event, Subscriber};
use crate::server::{DEADLINE, Server};

#[test]
fn completion_ends_every_subscription_after_its_last_message() {
    let server = Server::start();
    for transport in Transport::ALL {
        let topic = transport.name();
        let origin = server.origin(topic);
        let mut subscriber = Subscriber::open(&server, transport, topic, Start::After(origin));
        server.publish_numbers(topic, 1..=2);
        subscriber.expect_numbers(1..=2);
        server.complete(topic);
        assert_eq!(subscriber.next(), Event::End(Ending::of_completion(transport)), "{transport}");
    }
}

#[test]
fn what_a_complete_topic_keeps_can_still_be_read() {
    let server = Server::start();
    for transport in Transport::ALL {
        let topic = transport.name();
        let origin = Cursor { sequence: 0, ..server.publish_numbers(topic, 1..=3) };
        server.complete(topic);
        let mut subscriber = Subscriber::open(&server, transport, topic, Start::After(origin));
        subscriber.expect_numbers(1..=3);
        assert_eq!(subscriber.next(), Event::End(Ending::of_completion(transport)), "{transport}");
    }
}

#[test]
fn a_poll_of_a_complete_topic_that_has_nothing_more_is_a_problem_410() {
    let server = Server::start();
    let last = server.publish("done", "1");
    server.complete("done");
    for transport in [Transport::ShortPolling, Transport::LongPolling] {
        server.answer(&Request::get(&format!("/topics/done/{transport}?after={last}"))).assert_problem(410);
    }
}

#[test]
fn an_event_source_that_comes_back_to_a_complete_topic_gets_the_204_that_stops_it() {
    let server = Server::start();
    let last = server.publish("done", "1");
    server.complete("done");
    for mode in ["", "?mode=streaming", "?mode=long-polling", "?mode=short-polling"] {
        let request = Request::get(&format!("/topics/done/sse{mode}")).header("Last-Event-ID", &last);
        let response = server.answer(&request);
        assert_eq!((response.status, response.text.as_str()), (204, ""), "{mode}");
        response.assert_uncached_and_uncompressed();
    }
}

#[test]
fn publishing_to_a_complete_topic_is_a_problem_410() {
    let server = Server::start();
    server.publish("done", "1");
    server.complete("done");
    server.answer(&Request::post_json("done", "2")).assert_problem(410);
    server.answer(&Request::post("done", "application/x-ndjson", "2\n3\n")).assert_problem(410);
}

#[test]
fn a_signal_ends_every_connection_in_the_words_of_its_protocol() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::start();
        let origin = server.origin("t");
        let push = [Transport::HttpStreaming, Transport::Sse, Transport::WebSocket, Transport::RawTcp];
        let mut subscribers = push.map(|transport| {
            let mut subscriber = Subscriber::open(&server, transport, "t", Start::After(origin));
            server.publish("t", "\"warm\"");
            subscriber.message();
            (transport, subscriber)
        });
        let last = server.publish("t", "\"last\"");
        let mut poll = Connection::open(server.http);
        poll.send(&Request::get(&format!("/topics/t/long-polling?after={last}&wait=60")));
        server.wait_for_metric("connections", Transport::LongPolling, 1.0);

        server.signal(signal);
        let answer = poll.receive();
        assert_eq!((answer.status, answer.cursor()), (204, last), "the waiting poll");
        for (transport, subscriber) in &mut subscribers {
            let expected = match transport {
                Transport::WebSocket => Ending::Closed(Some(1001)),
                Transport::RawTcp => Ending::Eof,
                Transport::HttpStreaming | Transport::Sse | Transport::ShortPolling | Transport::LongPolling => {
                    Ending::LastChunk
                }
            };
            assert_eq!(ending(subscriber), expected, "{transport}");
        }
        drop(subscribers);
        let (status, _) = server.wait_for_exit(Duration::from_secs(5));
        assert!(status.success(), "{status} after {signal:?}");
    }
}

#[test]
fn a_drain_spreads_the_end_of_all_subscriptions() {
    const DRAIN: Duration = Duration::from_secs(1);
    let mut server = Server::with(&["--drain", "1s"]);
    let push = [Transport::HttpStreaming, Transport::Sse, Transport::WebSocket];
    let open = |transport| Subscriber::open(&server, transport, "t", Start::Now);
    let mut subscribers: Vec<_> = push.into_iter().cycle().take(30).map(open).collect();
    let clock = RunClock::start();
    server.signal(Signal::TERM);
    let ended: Vec<_> = subscribers.iter_mut().map(ending).collect();
    assert!(ended.iter().all(|it| matches!(it, Ending::LastChunk | Ending::Closed(Some(1001)))), "{ended:?}");
    let (status, _) = server.wait_for_exit(DEADLINE);
    assert!(status.success(), "{status}");
    let waited = clock.now().since(RunInstant::default());
    // That all thirty have their turn in the first half has a chance of one in a thousand million.
    assert!(waited > DRAIN / 2, "all had left after {waited:?}");
}

/// Skips what was published until the subscription ends.
fn ending(subscriber: &mut Subscriber) -> Ending {
    loop {
        match subscriber.next() {
            Event::End(ending) => return ending,
            Event::Message(..) => {}
            other @ (Event::Missed(..) | Event::Heartbeat) => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_stuck_reader_holds_up_the_end_no_longer_than_the_grace() {
    const GRACE: Duration = Duration::from_secs(1);
    let mut server = Server::with(&["--grace", "1s"]);
    let origin = server.origin("t");
    let payload = format!("\"{}\"", "x".repeat(60_000));
    let stuck = [Transport::HttpStreaming, Transport::Sse, Transport::WebSocket, Transport::RawTcp]
        .map(|transport| Subscriber::open_with_small_buffer(&server, transport, "t", Start::After(origin)));
    let mut publisher = server.publisher("t");
    for _ in 0..200 {
        publisher.publish(&payload);
    }
    server.signal(Signal::TERM);
    let (_, waited) = server.wait_for_exit(DEADLINE);
    assert!(waited < GRACE + Duration::from_secs(2), "it took {waited:?}");
    drop(stuck);
}

#[test]
fn idle_connections_do_not_hold_up_the_end() {
    let mut server = Server::with(&["--grace", "60s"]);
    let mut kept_alive = Connection::open(server.http);
    kept_alive.send(&Request::get("/healthz"));
    assert_eq!(kept_alive.receive().status, 200);
    let (untouched, bare) = (Connection::open(server.http), Connection::open(server.raw_tcp));
    server.signal(Signal::TERM);
    let (status, _) = server.wait_for_exit(DEADLINE);
    assert!(status.success(), "{status}");
    drop((kept_alive, untouched, bare));
}

#[test]
fn an_idle_stream_shows_that_it_is_alive() {
    let server = Server::with(&["--heartbeat", "100ms"]);
    for transport in [Transport::HttpStreaming, Transport::Sse, Transport::WebSocket] {
        let topic = transport.name();
        let mut subscriber = Subscriber::open(&server, transport, topic, Start::Now);
        for _ in 0..4 {
            assert_eq!(subscriber.next_event(), Event::Heartbeat, "{transport}");
        }
        let published = server.publish(topic, "\"still here\"");
        assert_eq!(subscriber.message().0, published, "{transport}");
    }
}

#[test]
fn a_websocket_that_answers_no_ping_is_closed() {
    let server = Server::with(&["--heartbeat", "100ms"]);
    let mut silent = WebSocket::open(server.http, "/topics/t/websocket");
    silent.receive_text();
    let mut pings = 0;
    loop {
        match silent.receive() {
            Frame::Ping(_) => pings += 1,
            Frame::Close(_) | Frame::End => break,
            other @ (Frame::Text(_) | Frame::Binary(_) | Frame::Pong(_)) => panic!("{other:?}"),
        }
    }
    assert!((1..=4).contains(&pings), "closed after {pings} pings: no pong within two intervals closes");
}

#[test]
fn a_hold_and_a_hang_up_do_not_break_the_promised_end() {
    let mut server = Server::with(&["--demo"]);
    let mut streams = [Transport::HttpStreaming, Transport::Sse]
        .map(|transport| Subscriber::open(&server, transport, "t", Start::Now));
    let mut publisher = Connection::open(server.http);
    publisher.send(&Request::post_json("t", "1"));
    assert_eq!(publisher.receive().status, 201);
    for stream in &mut streams {
        stream.expect_numbers(1..=1);
    }
    let mut holding = Connection::open(server.http);
    holding.send(&Request::new("POST", "/outage/hold?seconds=10"));
    // Held from the moment on that an answer does not come.
    publisher.socket().set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    while {
        publisher.send(&Request::get("/healthz"));
        publisher.try_receive().is_ok()
    } {}
    server.signal(Signal::HUP);
    for stream in &mut streams {
        assert_eq!(ending(stream), Ending::LastChunk);
    }
    let (status, waited) = server.wait_for_exit(DEADLINE);
    assert!(status.success(), "{status}");
    assert!(waited < Duration::from_secs(5), "it took {waited:?}");
}
