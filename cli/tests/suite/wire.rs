//! Bytes on the wire: what the kernel counts equals what the standards say, to the byte.
//!
//! Every transport and both clients of the generator, against the real server, one message at a
//! time. The expected bytes of a message are written out here in full, so that the model's
//! formulas are held against them as well as against the kernel. Sources: RFC 9112 §2 and §7.1,
//! RFC 6455 §5.2, WHATWG HTML §9.2.5, the wire contract.

use pushoff_loadgen::clients::Outbound;
use pushoff_model::record::{Contents, Traffic};
use pushoff_model::{Client, Cursor, Transport};
use rustix::process::Signal;
use tokio::sync::{mpsc, oneshot};

use crate::client::http::Request;
use crate::listener::{Heard, Listener};
use crate::server::Server;

const TOPIC: &str = "t";

/// Every way to receive.
fn every_way() -> impl Iterator<Item = (Transport, Client)> {
    Transport::ALL.into_iter().flat_map(|transport| Client::OF_THE_PROCESS.map(|client| (transport, client)))
}

/// A JSON text of exactly that many bytes.
fn json_of(bytes: usize) -> String {
    if bytes == 1 { "7".into() } else { format!("\"{}\"", "x".repeat(bytes - 2)) }
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// A server's text frame, as far as its length goes.
fn frame(text: &str) -> String {
    let head = match text.len() {
        ..126 => 2,
        126..=65_535 => 4,
        _ => 10,
    };
    format!("{}{text}", "h".repeat(head))
}

/// What is framed: a line, an event, an object.
fn framed(transport: Transport, cursor: Cursor, payload: &str) -> String {
    let one_line = || payload.replace("\r\n", " ").replace(['\r', '\n'], " ");
    match transport {
        Transport::ShortPolling | Transport::LongPolling | Transport::HttpStreaming => {
            format!("{{\"id\":\"{cursor}\",\"data\":{}}}\n", one_line())
        }
        Transport::Sse => {
            let lines = payload.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\ndata: ");
            format!("id: {cursor}\ndata: {lines}\n\n")
        }
        Transport::WebSocket | Transport::RawTcp => format!("{{\"id\":\"{cursor}\",\"data\":{payload}}}"),
    }
}

/// How many bytes a message takes that is sent alone, without a response's head.
fn on_the_wire(transport: Transport, cursor: Cursor, payload: &str) -> u64 {
    let framed = framed(transport, cursor, payload);
    let whole = match transport {
        Transport::ShortPolling | Transport::LongPolling => framed,
        Transport::HttpStreaming | Transport::Sse => chunk(&framed),
        Transport::WebSocket => frame(&framed),
        Transport::RawTcp => format!("size{framed}"),
    };
    whole.len() as u64
}

/// What a stream begins with, beside its head.
fn opening(transport: Transport, start: Cursor) -> u64 {
    let opening = match transport {
        Transport::ShortPolling | Transport::LongPolling | Transport::RawTcp => String::new(),
        Transport::HttpStreaming => chunk(&format!("{{\"open\":\"{start}\"}}\n")),
        Transport::Sse => chunk(&format!("retry: 1000\nid: {start}\n\n")),
        Transport::WebSocket => frame(&format!("{{\"open\":\"{start}\"}}")),
    };
    opening.len() as u64
}

/// What a completed topic's subscriber gets last.
fn closing(transport: Transport, server: &Server, last: Cursor) -> u64 {
    match transport {
        Transport::ShortPolling | Transport::LongPolling => {
            let gone = server.answer(&Request::get(&format!("/topics/{TOPIC}/{transport}?after={last}")));
            assert_eq!(gone.status, 410);
            gone.text.len() as u64
        }
        Transport::HttpStreaming | Transport::Sse => "0\r\n\r\n".len() as u64,
        Transport::WebSocket => 2 + 2 + "the topic is complete".len() as u64,
        Transport::RawTcp => 0,
    }
}

/// What the kernel must have counted down and up, beside `extra` bytes of each.
fn theory(contents: &Contents, (down, up): (u64, u64)) -> (u64, u64) {
    (
        contents.payload_bytes + contents.framing_bytes + contents.response_head_bytes + down,
        contents.request_head_bytes + contents.spoken_bytes + up,
    )
}

fn counted(traffic: &Traffic) -> (u64, u64) {
    (traffic.down.bytes, traffic.up.bytes)
}

/// Waits until everything that was begun is through, and holds the kernel against theory. A long
/// poll is through when the next one waits.
fn settled(listener: &Listener, transport: Transport, extra: (u64, u64)) -> Traffic {
    let waiting = u64::from(transport == Transport::LongPolling);
    listener.wait_until(|traffic| {
        let Contents { requests, responses, .. } = traffic.contents;
        (!transport.is_polling() || requests == responses + waiting)
            && counted(traffic) == theory(&traffic.contents, extra)
    })
}

/// A long poll is open as soon as it is asked.
fn wait_until_open(listener: &Listener, transport: Transport) {
    if transport != Transport::LongPolling {
        listener.wait_for(|heard| *heard == Heard::Opened);
    }
}

/// Sizes at which a length grows by a digit or a frame's head by bytes, as the payload's own and as
/// what is framed.
fn payloads(transport: Transport, cursor: Cursor) -> Vec<String> {
    let empty = framed(transport, cursor, "").len();
    let own = [1, 100, 125, 126, 65_535, 65_536];
    let inner = [125, 126, 65_535, 65_536].map(|size| size - empty);
    let breaks = ["[\n1,\r\n2,\r3]".to_owned(), "{\r\n}".to_owned()];
    own.into_iter().chain(inner).map(json_of).chain(breaks).collect()
}

#[test]
fn every_message_weighs_what_the_standards_say() {
    for (transport, client) in every_way() {
        let server = Server::start();
        let start = server.origin(TOPIC);
        let mut publisher = server.publisher(TOPIC);
        let listener = Listener::start(&server, TOPIC, transport, client, |_| {});
        wait_until_open(&listener, transport);
        let payloads = payloads(transport, Cursor { sequence: 10, ..start });
        // From the tenth message on all cursors are of that length, and each payload comes then too.
        for (sequence, payload) in (1..=30).zip(payloads.iter().cycle()) {
            let cursor = Cursor { sequence, ..start };
            let before = settled(&listener, transport, (opening(transport, start), 0));
            assert_eq!(publisher.publish(payload), cursor);
            listener.wait_for(|heard| matches!(heard, Heard::Message(_)));
            let message = settled(&listener, transport, (opening(transport, start), 0)).since(&before);
            let (contents, way) = (message.contents, format!("{transport} {client} {}", payload.len()));
            assert_eq!(contents.messages, 1, "{way}");
            let expected = on_the_wire(transport, cursor, payload);
            assert_eq!(contents.payload_bytes + contents.framing_bytes, expected, "{way}");
            assert_eq!(message.down.bytes, expected + contents.response_head_bytes, "{way}");
            assert_eq!(message.up.bytes, contents.request_head_bytes, "{way}");
            assert_eq!(contents.request_head_bytes > 0, transport.is_polling(), "{way}");
            assert!(message.down.data_segments >= 1, "{way}");
        }
        server.signal(Signal::KILL);
        listener.wait_for(|heard| *heard == Heard::Broke);
        settled(&listener, transport, (opening(transport, start), 0));
        assert_eq!(listener.end().unread(), 0, "{transport} {client}");
    }
}

#[test]
fn a_connection_costs_its_heads_and_its_opening() {
    for (transport, client) in every_way() {
        let server = Server::start();
        let start = server.origin(TOPIC);
        let listener = Listener::start(&server, TOPIC, transport, client, |_| {});
        wait_until_open(&listener, transport);
        let setup = settled(&listener, transport, (opening(transport, start), 0));
        let host = server.http.to_string();
        let line = format!("GET /topics/{TOPIC}/{transport}?after=start HTTP/1.1\r\nhost: {host}\r\n\r\n");
        let least = if transport == Transport::RawTcp { format!("SUBSCRIBE {TOPIC} start\n") } else { line };
        assert!(setup.up.bytes >= least.len() as u64, "{transport} {client}");
        assert!(setup.up.bytes < least.len() as u64 + 180, "{transport} {client}: {setup:?}");
        assert_eq!(setup.contents.messages, 0);
        assert_eq!(setup.up.resent_bytes, 0);
        // SYN, SYN and ACK, ACK, and the request.
        assert!(setup.up.segments >= 3 && setup.down.segments >= 1, "{transport} {client}: {setup:?}");
    }
}

#[test]
fn an_empty_poll_is_two_heads() {
    for client in Client::OF_THE_PROCESS {
        let server = Server::start();
        let start = server.origin(TOPIC);
        let listener = Listener::start(&server, TOPIC, Transport::ShortPolling, client, |_| {});
        for _ in 0..5 {
            listener.wait_for(|heard| *heard == Heard::Empty);
        }
        let polls = settled(&listener, Transport::ShortPolling, (0, 0));
        assert!(polls.contents.empty >= 5 && polls.contents.responses == polls.contents.empty, "{polls:?}");
        let answer = server.answer(&Request::get(&format!("/topics/{TOPIC}/short-polling?after={start}")));
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
        let fields = format!("HTTP/1.1\r\nhost: {}\r\naccept: */*\r\n", server.http);
        let path = format!("GET /topics/{TOPIC}/short-polling");
        let first = format!("{path}?after=start {fields}\r\n").len() as u64;
        let others = format!("{path} {fields}last-event-id: {start}\r\n\r\n").len() as u64;
        assert_eq!(polls.up.bytes, first + (polls.contents.requests - 1) * others, "{client}");
    }
}

#[test]
fn what_is_spoken_is_masked_frames() {
    for client in Client::OF_THE_PROCESS {
        let server = Server::start();
        let start = server.origin(TOPIC);
        let (outbox, speaks) = mpsc::channel(1);
        let listener = Listener::start(&server, TOPIC, Transport::WebSocket, client, |subscription| {
            subscription.outbox = Some(speaks);
        });
        let mut masks = 0;
        for size in [1, 100, 125, 126, 65_535, 65_536] {
            let (written, _answer) = oneshot::channel();
            outbox.blocking_send(Outbound { payloads: vec![json_of(size)], written }).unwrap();
            listener.wait_for(|heard| matches!(heard, Heard::Message(_)));
            masks += match size {
                ..126 => 2 + 4,
                126..=65_535 => 4 + 4,
                _ => 10 + 4,
            };
            let all = settled(&listener, Transport::WebSocket, (opening(Transport::WebSocket, start), masks));
            assert_eq!(all.contents.spoken_bytes, all.contents.payload_bytes, "{client}");
        }
    }
}

#[test]
fn no_byte_is_lost_when_a_connection_ends() {
    for (transport, client) in every_way() {
        let server = Server::start();
        let start = server.origin(TOPIC);
        let listener = Listener::start(&server, TOPIC, transport, client, |subscription| {
            subscription.completes = true;
        });
        wait_until_open(&listener, transport);
        settled(&listener, transport, (opening(transport, start), 0));
        let last = server.publish(TOPIC, "[1]");
        listener.wait_for(|heard| matches!(heard, Heard::Message(_)));
        server.complete(TOPIC);
        listener.wait_for(|heard| *heard == Heard::Completed);
        let down = opening(transport, start) + closing(transport, &server, last);
        // tungstenite's answer to a close would go out with the next read, which nobody does.
        let up = if (transport, client) == (Transport::WebSocket, Client::Lean) { 2 + 4 + 2 } else { 0 };
        let taps = listener.end();
        let traffic = taps.traffic().unwrap();
        assert_eq!(counted(&traffic), theory(&traffic.contents, (down, up)), "{transport} {client}: {traffic:?}");
        assert_eq!((traffic.contents.messages, taps.unread()), (1, 0), "{transport} {client}");
    }
}

#[test]
fn a_connection_comes_from_the_address_that_it_is_given() {
    for (transport, client) in every_way() {
        let server = Server::start();
        server.publish(TOPIC, "1");
        let source = "127.0.0.77".parse().unwrap();
        let listener = Listener::start(&server, TOPIC, transport, client, |subscription| {
            subscription.origin.address = Some(source);
        });
        listener.wait_for(|heard| matches!(heard, Heard::Message(_)));
        let to = if transport == Transport::RawTcp { server.raw_tcp } else { server.http };
        let sockets = procfs::net::tcp().unwrap();
        let from: Vec<_> = sockets.iter().filter(|socket| socket.remote_address == to).collect();
        assert!(from.iter().any(|socket| socket.local_address.ip() == source), "{transport} {client}: {from:?}");
    }
}
