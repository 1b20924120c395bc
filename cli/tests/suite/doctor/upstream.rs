//! An application as somebody else writes it: an event stream with an event each 100 ms, which then falls silent.
//!
//! Unlike pushoff's own it asks no proxy for anything.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

const SPACING: Duration = Duration::from_millis(100);
const EVENTS: usize = 40;

/// How it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    Plain,
    /// Events of 2 kB.
    Large,
    /// Compressed where a client takes that, and never flushed.
    Gzip,
}

pub(super) struct Upstream {
    pub(super) address: SocketAddr,
}

impl Upstream {
    pub(super) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // It ends with the test's process.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Whoever stops listening ends its stream.
                thread::spawn(move || drop(stream(client, manner)));
            }
        });
        Self { address }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn stream(mut client: TcpStream, manner: Manner) -> io::Result<()> {
    let head: Vec<String> =
        BufReader::new(client.try_clone()?).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let has = |words: &str| head.iter().any(|line| line.to_ascii_lowercase().contains(words));
    let (is_old, compresses) = (has("http/1.0"), manner == Manner::Gzip && has("accept-encoding: gzip"));
    let framing = if is_old { "Connection: close" } else { "Transfer-Encoding: chunked" };
    let coding = if compresses { "Content-Encoding: gzip\r\n" } else { "" };
    write!(client, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{coding}{framing}\r\n\r\n")?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for number in 0..EVENTS {
        let filler = "x".repeat(if manner == Manner::Large { 2_000 } else { 10 });
        let event = format!("id: {number}\ndata: {filler}\n\n").into_bytes();
        let bytes = if compresses {
            encoder.write_all(&event)?;
            std::mem::take(encoder.get_mut())
        } else {
            event
        };
        if !bytes.is_empty() {
            if is_old {
                client.write_all(&bytes)?;
            } else {
                client.write_all(&[format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat())?;
            }
        }
        thread::park_timeout(SPACING);
    }
    // Silent until the other end goes.
    io::copy(&mut client, &mut io::sink()).map(drop)
}
