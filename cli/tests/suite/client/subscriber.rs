//! One subscriber over any transport: the same events, whatever carries them.
//!
//! This is the suite's own reading of the contract, one arm a transport.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use pushoff_model::{Cursor, RunClock, Start, Transport};
use rustix::net::{AddressFamily, SocketType, connect, socket, sockopt};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::event_stream::{self, Item};
use crate::client::frames::{Frame, PONG, WebSocket, handshake};
use crate::client::http::{Body, Connection, Head, Request};
use crate::server::{DEADLINE, Server};

/// The pause between two polls that found nothing.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// How many heartbeats in a row mean that what is waited for will not come.
const MAX_HEARTBEATS: usize = 50;

/// What a subscriber is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A message, its payload as it came.
    Message(Cursor, String),
    /// How many messages are gone; `None` where the server cannot know.
    Missed(Option<u64>, Cursor),
    /// A sign of life.
    Heartbeat,
    /// No more will come here.
    End(Ending),
}

/// How a subscription ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// A poll was answered with this status.
    Status(u16),
    /// A body ended properly: its last chunk was sent.
    LastChunk,
    /// A WebSocket was closed with this code.
    Closed(Option<u16>),
    /// A bare socket was closed between two messages.
    Eof,
}

impl Ending {
    /// How `transport` tells that a topic is complete.
    pub(crate) const fn of_completion(transport: Transport) -> Self {
        match transport {
            Transport::ShortPolling | Transport::LongPolling => Self::Status(410),
            Transport::HttpStreaming | Transport::Sse => Self::LastChunk,
            Transport::WebSocket => Self::Closed(Some(1000)),
            Transport::RawTcp => Self::Eof,
        }
    }
}

/// A subscriber to one topic.
pub(crate) struct Subscriber {
    wire: Wire,
    ready: VecDeque<Event>,
    /// The cursor that the stream opened with, where its framing has one.
    pub(crate) opened_at: Option<Cursor>,
}

type Stream = BufReader<Body<BufReader<TcpStream>>>;

enum Wire {
    /// A poll in flight and what the next one needs.
    Poll {
        connection: Connection,
        target: String,
    },
    Lines(Stream),
    Events(Stream),
    Frames(WebSocket),
    Raw(BufReader<TcpStream>),
}

impl Subscriber {
    /// Subscribes. Push transports that open with a cursor have been read up to it.
    pub(crate) fn open(server: &Server, transport: Transport, topic: &str, start: Start) -> Self {
        Self::over(TcpStream::connect(address(server, transport)).unwrap(), server, transport, topic, start)
    }

    /// Subscribes with a receive buffer so small that not reading is soon felt by the server.
    pub(crate) fn open_with_small_buffer(server: &Server, transport: Transport, topic: &str, start: Start) -> Self {
        Self::over(small_buffered(server, transport), server, transport, topic, start)
    }

    fn over(socket: TcpStream, server: &Server, transport: Transport, topic: &str, start: Start) -> Self {
        let mut connection = Connection::over(socket, server.http);
        let path = format!("/topics/{topic}/{transport}");
        let target = match start {
            Start::Now => path.clone(),
            Start::Oldest => format!("{path}?after=start"),
            Start::After(cursor) => format!("{path}?after={cursor}"),
        };
        match transport {
            Transport::WebSocket => Self::over_frames(connection, &target),
            Transport::RawTcp => Self::over_raw_tcp(connection, topic, start),
            Transport::ShortPolling | Transport::LongPolling | Transport::HttpStreaming | Transport::Sse => {
                connection.send(&Request::get(&target));
                Self::reading(transport, connection, &path)
            }
        }
    }

    /// A subscriber whose plain HTTP request has been sent already; further polls go to `target`.
    pub(crate) fn reading(transport: Transport, connection: Connection, target: &str) -> Self {
        match transport {
            Transport::ShortPolling | Transport::LongPolling => {
                Self::new(Wire::Poll { connection, target: target.to_owned() }, None)
            }
            Transport::HttpStreaming => Self::over_lines(connection),
            Transport::Sse => Self::over_events(connection),
            Transport::WebSocket | Transport::RawTcp => panic!("{transport} needs more than a request"),
        }
    }

    const fn new(wire: Wire, opened_at: Option<Cursor>) -> Self {
        Self { wire, ready: VecDeque::new(), opened_at }
    }

    fn over_raw_tcp(mut connection: Connection, topic: &str, start: Start) -> Self {
        let line = match start {
            Start::Now => format!("SUBSCRIBE {topic}\n"),
            Start::After(cursor) => format!("SUBSCRIBE {topic} {cursor}\n"),
            Start::Oldest => panic!("raw TCP takes a cursor, and `start` is none"),
        };
        connection.send_bytes(line.as_bytes()).unwrap();
        Self::new(Wire::Raw(connection.into_stream()), None)
    }

    fn over_frames(connection: Connection, target: &str) -> Self {
        let (mut frames, head) = WebSocket::connect(connection, &handshake(target)).unwrap();
        head.assert_uncached_and_uncompressed();
        let opened_at = opening(&frames.receive_text());
        Self::new(Wire::Frames(frames), Some(opened_at))
    }

    fn over_lines(connection: Connection) -> Self {
        let (head, mut lines) = connection.into_body();
        assert_stream(&head, "application/x-ndjson");
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        Self::new(Wire::Lines(lines), Some(opening(&line)))
    }

    fn over_events(connection: Connection) -> Self {
        let (head, mut stream) = connection.into_body();
        assert_stream(&head, "text/event-stream");
        let Some(Item::Block(first)) = event_stream::next_item(&mut stream) else { panic!("no opening block") };
        assert_eq!((first.retry, first.data, first.event), (Some(1000), None, None));
        let opened_at = first.id.unwrap().parse().unwrap();
        Self::new(Wire::Events(stream), Some(opened_at))
    }

    /// The next event, heartbeats included. Polls go on by themselves.
    pub(crate) fn next_event(&mut self) -> Event {
        if let Some(event) = self.ready.pop_front() {
            return event;
        }
        match &mut self.wire {
            Wire::Poll { connection, target } => poll(connection, target, &mut self.ready),
            Wire::Lines(lines) => next_line(lines),
            Wire::Events(stream) => next_in_stream(stream),
            Wire::Frames(frames) => next_frame(frames),
            Wire::Raw(socket) => next_raw(socket),
        }
    }

    /// The next event that is not a heartbeat.
    pub(crate) fn next(&mut self) -> Event {
        for _ in 0..MAX_HEARTBEATS {
            match self.next_event() {
                Event::Heartbeat => {}
                event @ (Event::Message(..) | Event::Missed(..) | Event::End(_)) => return event,
            }
        }
        panic!("nothing but heartbeats");
    }

    /// The next event, which must be a message.
    pub(crate) fn message(&mut self) -> (Cursor, String) {
        match self.next() {
            Event::Message(cursor, payload) => (cursor, payload),
            other @ (Event::Missed(..) | Event::Heartbeat | Event::End(_)) => {
                panic!("a message was due, not {other:?}")
            }
        }
    }

    /// The next `count` messages.
    pub(crate) fn messages(&mut self, count: usize) -> Vec<(Cursor, String)> {
        (0..count).map(|_| self.message()).collect()
    }

    /// Asserts that the next messages carry these numbers and that their cursors count likewise.
    pub(crate) fn expect_numbers(&mut self, numbers: std::ops::RangeInclusive<u64>) {
        for number in numbers {
            let (cursor, payload) = self.message();
            assert_eq!((cursor.sequence, payload), (number, number.to_string()));
        }
    }
}

/// A connection with a receive buffer so small that not reading is soon felt by the server.
pub(crate) fn small_buffered(server: &Server, transport: Transport) -> TcpStream {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    sockopt::set_socket_recv_buffer_size(&socket, 8 * 1024).unwrap();
    connect(&socket, &address(server, transport)).unwrap();
    TcpStream::from(socket)
}

fn address(server: &Server, transport: Transport) -> std::net::SocketAddr {
    match transport {
        Transport::RawTcp => server.raw_tcp,
        Transport::ShortPolling
        | Transport::LongPolling
        | Transport::HttpStreaming
        | Transport::Sse
        | Transport::WebSocket => server.http,
    }
}

fn assert_stream(head: &Head, media_type: &str) {
    assert_eq!((head.status, head.media_type().as_deref()), (200, Some(media_type)), "{head:?}");
    assert_eq!(head.header("X-Accel-Buffering").as_deref(), Some("no"), "{head:?}");
    head.assert_uncached_and_uncompressed();
}

fn opening(text: &str) -> Cursor {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Opening {
        open: Cursor,
    }
    serde_json::from_str::<Opening>(text).unwrap_or_else(|error| panic!("{error} in {text:?}")).open
}

/// Reads a message or a notice, as NDJSON, WebSocket and raw TCP write them.
fn event(text: &str) -> Event {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Message {
        id: Cursor,
        data: Box<RawValue>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Notice {
        missed: Option<u64>,
        id: Cursor,
    }
    let read = if text.starts_with("{\"missed\":") {
        serde_json::from_str(text).map(|Notice { missed, id }| Event::Missed(missed, id))
    } else {
        serde_json::from_str(text).map(|Message { id, data }| Event::Message(id, data.get().to_owned()))
    };
    read.unwrap_or_else(|error| panic!("{error} in {text:?}"))
}

/// Reads the poll in flight, sends the next one, and so on until there is an event.
fn poll(connection: &mut Connection, target: &str, ready: &mut VecDeque<Event>) -> Event {
    let clock = RunClock::start();
    let start = clock.now();
    while clock.now().since(start) < DEADLINE {
        let response = connection.receive();
        response.assert_uncached_and_uncompressed();
        if response.status != 200 && response.status != 204 {
            return Event::End(Ending::Status(response.status));
        }
        if response.status == 200 {
            assert_eq!(response.media_type().as_deref(), Some("application/x-ndjson"), "{response:?}");
            ready.extend(response.text.lines().map(event));
        } else {
            thread::park_timeout(POLL_INTERVAL);
        }
        connection.send(&Request::get(target).header("Last-Event-ID", &response.cursor()));
        if let Some(event) = ready.pop_front() {
            return event;
        }
    }
    panic!("no message came by polling for {DEADLINE:?}");
}

fn next_line(lines: &mut Stream) -> Event {
    let mut line = String::new();
    match lines.read_line(&mut line).unwrap_or_else(|error| panic!("reading a line: {error}")) {
        0 => Event::End(Ending::LastChunk),
        1 => Event::Heartbeat,
        _ => event(line.strip_suffix('\n').unwrap_or_else(|| panic!("the stream ended inside {line:?}"))),
    }
}

fn next_in_stream(stream: &mut Stream) -> Event {
    match event_stream::next_item(stream) {
        None => Event::End(Ending::LastChunk),
        Some(Item::Comment) => Event::Heartbeat,
        Some(Item::Block(block)) => match (block.event.as_deref(), block.data) {
            (None, Some(data)) => Event::Message(block.id.unwrap().parse().unwrap(), data),
            (Some("missed"), Some(data)) => {
                Event::Missed(serde_json::from_str(&data).unwrap(), block.id.unwrap().parse().unwrap())
            }
            (None, None) if block.retry.is_some() => next_in_stream(stream),
            (event, data) => panic!("an event {event:?} with data {data:?}"),
        },
    }
}

fn next_frame(frames: &mut WebSocket) -> Event {
    match frames.receive() {
        Frame::Text(text) => event(&text),
        Frame::Ping(payload) => {
            frames.send(PONG, payload);
            Event::Heartbeat
        }
        Frame::Close(code) => Event::End(Ending::Closed(code)),
        other @ (Frame::Binary(_) | Frame::Pong(_) | Frame::End) => panic!("a message was due, not {other:?}"),
    }
}

fn next_raw(socket: &mut BufReader<TcpStream>) -> Event {
    let mut length = [0; 4];
    match socket.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Event::End(Ending::Eof),
        Err(error) => panic!("waiting for a message on raw TCP: {error}"),
    }
    let mut text = vec![0; u32::from_be_bytes(length) as usize];
    socket.read_exact(&mut text).unwrap();
    event(std::str::from_utf8(&text).unwrap())
}
