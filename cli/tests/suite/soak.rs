//! It stays up: 100,000 malformed heads and frames beside one healthy subscriber a transport.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use pushoff_model::{RunClock, RunInstant, Start, Transport};
use rustix::net::sockopt::set_socket_linger;

use crate::client::frames::handshake;
use crate::client::subscriber::Subscriber;
use crate::garbage::Garbage;
use crate::malformed::{Kind, Owed, frames, heads};
use crate::server::{DEADLINE, Publisher, Server};

const PIECES: u64 = 100_000;
/// Those before the server is weighed for the first time: its pools and caches are warm then.
const WARM_UP: u64 = 10_000;
/// How many are thrown at a time.
const THROWERS: u64 = 32;
/// So many pieces are thrown between two messages to the healthy subscribers.
const PIECES_A_MESSAGE: u64 = 50;
/// The number in the last of them; the first is published before.
const LAST: u64 = 1 + PIECES / PIECES_A_MESSAGE;
/// What may remain of 90,000 connections: less than 100 bytes of each.
const KEPT_AT_MOST: u64 = 8 << 20;

#[test]
fn malformed_heads_and_frames_neither_harm_nor_stay() {
    // A subscriber that the machine does not let read for a moment must not miss anything here.
    let server = Server::with(&["--replay", "10000", "--max-payload", &frames::MAX_PAYLOAD.to_string()]);
    let origin = server.origin("watched");
    let mut watching =
        Transport::ALL.map(|transport| Subscriber::open(&server, transport, "watched", Start::After(origin)));
    let mut publisher = server.publisher("watched");
    publisher.publish("1");
    for subscriber in &mut watching {
        subscriber.expect_numbers(1..=1);
    }
    let before = server.open_descriptors();
    let (ticks, ticked) = sync_channel(1024);
    let watched = thread::scope(|scope| {
        let readers = watching.map(|mut subscriber| {
            scope.spawn(move || {
                subscriber.expect_numbers(2..=LAST);
                subscriber
            })
        });
        let server = &server;
        scope.spawn(move || publish_by(&ticked, publisher));
        let clock = RunClock::start();
        let thrown = throw_all(server.http, 0..WARM_UP, &ticks);
        server.wait_for_no_more_descriptors_than(before);
        let weighed = server.resident_bytes();
        let thrown = thrown.and(throw_all(server.http, WARM_UP..PIECES, &ticks));
        drop(ticks);
        thrown.print(clock.now().since(RunInstant::default()));
        thrown.assert_told();
        assert_eq!(thrown.pieces(), PIECES);
        server.wait_for_no_more_descriptors_than(before);
        let kept = server.resident_bytes().saturating_sub(weighed);
        assert!(kept <= KEPT_AT_MOST, "{kept} bytes remain of {} connections", PIECES - WARM_UP);
        readers.map(|reader| reader.join().unwrap())
    });
    // Nothing came twice at the end either: what comes next is the next message.
    server.publish("watched", &(LAST + 1).to_string());
    for mut subscriber in watched {
        subscriber.expect_numbers(LAST + 1..=LAST + 1);
    }
    server.assert_healthy();
}

/// Publishes the numbers after 1, one at every tick.
fn publish_by(ticked: &Receiver<()>, mut publisher: Publisher) {
    for (number, ()) in (2..).zip(ticked) {
        let published = publisher.publish(&u64::to_string(&number));
        assert_eq!(published.sequence, number);
    }
}

/// How often a kind was thrown and how often it was answered in which way.
#[derive(Default)]
struct Thrown(BTreeMap<&'static str, BTreeMap<Answer, u64>>);

/// How a piece was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    /// With this status.
    Status(u16),
    /// With a close frame of this code; 1005 where there is none in it (RFC 6455 §7.1.5).
    Closed(u16),
    /// The connection was closed without a word.
    HungUp,
    /// Nobody waited for an answer.
    Unheard,
}

impl Thrown {
    fn and(mut self, other: Self) -> Self {
        for (kind, answers) in other.0 {
            for (answer, count) in answers {
                *self.0.entry(kind).or_default().entry(answer).or_default() += count;
            }
        }
        self
    }

    /// Asserts that the server has told of every kind that it must refuse what was wrong with it.
    fn assert_told(&self) {
        let refused = heads::KINDS.iter().chain(&frames::KINDS).filter(|kind| kind.owed == Owed::Refusal);
        for Kind { name, .. } in refused {
            let told = |answer: &Answer| matches!(answer, Answer::Status(_) | Answer::Closed(_));
            assert!(self.0.get(name).is_some_and(|answers| answers.keys().any(told)), "{name}: never told");
        }
    }

    fn pieces(&self) -> u64 {
        self.0.values().flat_map(BTreeMap::values).sum()
    }

    /// Says what was thrown, for whoever runs this to see it.
    #[expect(clippy::print_stdout, reason = "the test's harness shows it where it is asked to")]
    fn print(&self, took: Duration) {
        println!("{} malformed pieces in {took:.1?}", self.pieces());
        for (kind, answers) in &self.0 {
            println!("{:>6} × {kind}: {answers:?}", answers.values().sum::<u64>());
        }
    }
}

/// Throws these pieces, many at a time.
fn throw_all(address: SocketAddr, pieces: Range<u64>, ticks: &SyncSender<()>) -> Thrown {
    let (next, thrown) = (AtomicU64::new(pieces.start), Mutex::new(Thrown::default()));
    thread::scope(|scope| {
        for _ in 0..THROWERS {
            scope.spawn(|| {
                let mut own = Thrown::default();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= pieces.end {
                        break;
                    }
                    let (kind, answer) = throw(address, number);
                    *own.0.entry(kind).or_default().entry(answer).or_default() += 1;
                    if number.is_multiple_of(PIECES_A_MESSAGE) {
                        ticks.send(()).unwrap();
                    }
                }
                let mut all = thrown.lock().unwrap();
                *all = std::mem::take(&mut *all).and(own);
            });
        }
    });
    thrown.into_inner().unwrap()
}

/// Makes a piece, throws it and judges what came back.
fn throw(address: SocketAddr, number: u64) -> (&'static str, Answer) {
    let mut garbage = Garbage::of_piece(number);
    let (kind, bytes) = piece(address, number, &mut garbage);
    let is_heard = garbage.below(16) > 0;
    let answer =
        answer_to(address, &bytes, is_heard).unwrap_or_else(|what| panic!("piece {number}, {}: {what}", kind.name));
    if kind.owed == Owed::Refusal {
        let is_refused = match answer {
            Answer::Status(status) => (400..500).contains(&status) || status == 501 || status == 505,
            Answer::Closed(code) => [1002, 1007, 1009].contains(&code),
            Answer::HungUp | Answer::Unheard => true,
        };
        assert!(is_refused, "piece {number}, {}: {answer:?}", kind.name);
    }
    (kind.name, answer)
}

/// The piece with this number: by turns a head and, behind a handshake, frames.
fn piece(address: SocketAddr, number: u64, garbage: &mut Garbage) -> (&'static Kind, Vec<u8>) {
    if number.is_multiple_of(2) {
        let kind = &heads::KINDS[garbage.below(heads::KINDS.len())];
        return (kind, kind.piece(garbage));
    }
    let kind = &frames::KINDS[garbage.below(frames::KINDS.len())];
    let target = garbage.one_of(&["/topics/t/websocket", "/topics/t/websocket?subscribe=false"]);
    let mut bytes = handshake(target).bytes(address);
    bytes.extend(kind.piece(garbage));
    (kind, bytes)
}

/// Sends bytes, says that no more will come, and listens until the server has said all, which must
/// be soon; or goes away at once.
fn answer_to(address: SocketAddr, bytes: &[u8], is_heard: bool) -> Result<Answer, String> {
    let mut socket = TcpStream::connect(address).map_err(|error| format!("connecting: {error}"))?;
    // The port is free again at once: there are fewer of them than pieces.
    set_socket_linger(&socket, Some(Duration::ZERO)).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    // Either may fail: the server may have hung up already, as it should.
    drop(socket.write_all(bytes));
    if !is_heard {
        return Ok(Answer::Unheard);
    }
    drop(socket.shutdown(Shutdown::Write));
    let mut said = Vec::new();
    match socket.read_to_end(&mut said) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => return Err(format!("still open after {DEADLINE:?}: {error}")),
    }
    read_answer(&said)
}

/// What the server said last: of a WebSocket the close, else the status.
fn read_answer(said: &[u8]) -> Result<Answer, String> {
    let Some(line) = said.strip_prefix(b"HTTP/1.") else {
        return if said.is_empty() { Ok(Answer::HungUp) } else { Err(format!("{:?}", String::from_utf8_lossy(said))) };
    };
    let status = std::str::from_utf8(&line[2..5]).unwrap().parse().unwrap();
    if status != 101 {
        let is_its_fault = status >= 500 && ![501, 503, 505].contains(&status);
        return if is_its_fault { Err(format!("status {status}")) } else { Ok(Answer::Status(status)) };
    }
    let head = said.windows(4).position(|four| four == b"\r\n\r\n").ok_or("half a head")?;
    let mut rest = &said[head + 4..];
    while let &[first, length, ref after @ ..] = rest {
        let (length, after) = match (length, after) {
            (126, &[high, low, ref after @ ..]) => (usize::from(u16::from_be_bytes([high, low])), after),
            (length @ ..126, after) => (usize::from(length), after),
            _ => return Err(format!("a long frame: {:?}", &rest[..rest.len().min(16)])),
        };
        if first == crate::client::frames::CLOSE {
            return Ok(Answer::Closed(after.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code))));
        }
        rest = after.get(length..).unwrap_or_default();
    }
    Ok(Answer::HungUp)
}
