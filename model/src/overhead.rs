//! What the standards say that a message, a request and a response weigh, in bytes above TCP.
//!
//! Theory, to stand beside what the kernel counts: written from the standards and the wire contract
//! alone, it knows neither the server's framing nor a client's. Sources: RFC 9112 (heads, chunks),
//! RFC 6455 §5.2 (frames), WHATWG HTML §9.2 (event stream), `docs/TRANSPORTS.md` (what a line holds). What TLS and
//! HTTP/2 add is in [`tls`], [`http2`] and [`hpack`].

mod browser;
pub mod hpack;
pub mod http2;
pub mod tls;

pub use browser::{browser_publish_head, browser_request_head, browser_request_head_on, publish_answer};
pub use hpack::Hpack;

use crate::message::Cursor;
use crate::transport::Transport;
use crate::wire::{Http, Wire};

/// [`message`] on any wire: over HTTP/2 a DATA frame takes the place of a chunk, and over TLS all is in records.
///
/// A poll's message is in a frame, or in a record, of its own as well: its head is in another. Compression has no
/// theory: what it makes of a payload is measured, and it is counted here as if it were not there.
#[must_use]
pub fn message_on(wire: Wire, transport: Transport, cursor: Cursor, payload: &[u8]) -> u64 {
    let size = payload.len() as u64;
    let framed = match wire.http {
        Http::One => message(transport, cursor, payload),
        Http::Two => {
            let content = content(transport, cursor, payload);
            content + http2::frames(content + size)
        }
    };
    framed + if wire.tls { tls::added(1, framed + size) } else { 0 }
}

/// The framing of one message that is sent alone: all that crosses the connection for it beyond
/// its payload and the heads of HTTP.
///
/// Several that are sent together share a chunk, which makes them a little lighter. A payload with
/// line breaks has one `data:` line each in an event stream.
#[must_use]
pub fn message(transport: Transport, cursor: Cursor, payload: &[u8]) -> u64 {
    let content = content(transport, cursor, payload);
    let is_chunked = matches!(transport, Transport::HttpStreaming | Transport::Sse);
    content + if is_chunked { chunk(content + payload.len() as u64) } else { 0 }
}

/// The same without the chunk of HTTP/1.1.
fn content(transport: Transport, cursor: Cursor, payload: &[u8]) -> u64 {
    let cursor = text_length(cursor);
    match transport {
        Transport::ShortPolling | Transport::LongPolling | Transport::HttpStreaming => json_line(cursor),
        Transport::Sse => {
            let breaks = line_breaks(payload);
            event(cursor, breaks.count) - breaks.bytes
        }
        Transport::WebSocket => {
            let object = json_object(cursor);
            object + frame(object + payload.len() as u64, Mask::No)
        }
        Transport::RawTcp => json_object(cursor) + 4,
    }
}

/// `{"id":"CURSOR","data":PAYLOAD}` without cursor and payload.
const JSON_OBJECT: u64 = r#"{"id":"","data":}"#.len() as u64;

const fn json_object(cursor: u64) -> u64 {
    JSON_OBJECT + cursor
}

const fn json_line(cursor: u64) -> u64 {
    json_object(cursor) + 1
}

/// `id: CURSOR`, `data: ` before each line of the payload, and a blank line.
const fn event(cursor: u64, breaks: u64) -> u64 {
    "id: \n".len() as u64 + cursor + (breaks + 1) * "data: \n".len() as u64 + 1
}

/// The coding of one chunk: its length in hexadecimal and two line breaks (RFC 9112 §7.1).
#[must_use]
pub fn chunk(bytes: u64) -> u64 {
    u64::from(bytes.max(1).ilog(16)) + 1 + 4
}

/// Whether a frame is masked: a client's are, a server's are not (RFC 6455 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// With a key of four bytes.
    Yes,
    /// Without.
    No,
}

/// The head of a WebSocket frame: two bytes, four from 126 bytes of payload on, ten from 64 KiB.
#[must_use]
pub const fn frame(payload: u64, mask: Mask) -> u64 {
    let length = match payload {
        ..126 => 2,
        126..=0xffff => 4,
        _ => 10,
    };
    match mask {
        Mask::Yes => length + 4,
        Mask::No => length,
    }
}

/// The head of a request: its line, its fields as `name: value`, and the empty line (RFC 9112 §2.1).
#[must_use]
pub fn request_head<'a>(method: &str, target: &str, fields: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> u64 {
    (method.len() + " ".len() + target.len() + " HTTP/1.1\r\n".len()) as u64 + field_lines(fields)
}

/// The head of a response, as [`request_head`], with a reason phrase of that many bytes in its
/// status line.
#[must_use]
pub fn response_head<'a>(reason: u64, fields: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> u64 {
    reason + "HTTP/1.1 200 \r\n".len() as u64 + field_lines(fields)
}

fn field_lines<'a>(fields: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> u64 {
    let lines: usize = fields.into_iter().map(|(name, value)| name.len() + ": \r\n".len() + value.len()).sum();
    (lines + "\r\n".len()) as u64
}

/// The length of a cursor as it is written: eight digits, a hyphen and the sequence.
fn text_length(cursor: Cursor) -> u64 {
    u64::from(cursor.sequence.max(1).ilog10()) + 10
}

struct LineBreaks {
    count: u64,
    bytes: u64,
}

/// The line breaks of a text: CR LF, CR or LF, as an event stream's reader sees them.
fn line_breaks(payload: &[u8]) -> LineBreaks {
    // Nearly no payload has one, and looking for one byte is what a standard library is quick at.
    if !payload.contains(&b'\n') && !payload.contains(&b'\r') {
        return LineBreaks { count: 0, bytes: 0 };
    }
    let count_of = |wanted: u8| payload.iter().filter(|&&byte| byte == wanted).count() as u64;
    let pairs = payload.windows(2).filter(|pair| pair == b"\r\n").count() as u64;
    let bytes = count_of(b'\r') + count_of(b'\n');
    LineBreaks { count: bytes - pairs, bytes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Epoch;

    const CURSOR: Cursor = Cursor { epoch: Epoch(0x5f3a_9c21), sequence: 42 };

    #[test]
    fn a_message_weighs_what_can_be_counted_by_hand() {
        let payload = b"[1]";
        let weighs = |transport| message(transport, CURSOR, payload);
        let line = "{\"id\":\"5f3a9c21-42\",\"data\":}\n".len() as u64;
        assert_eq!(weighs(Transport::ShortPolling), line);
        assert_eq!(weighs(Transport::LongPolling), line);
        assert_eq!(weighs(Transport::HttpStreaming), line + "20\r\n\r\n".len() as u64);
        assert_eq!(weighs(Transport::Sse), "1d\r\nid: 5f3a9c21-42\ndata: \n\n\r\n".len() as u64);
        assert_eq!(weighs(Transport::WebSocket), 2 + line - 1);
        assert_eq!(weighs(Transport::RawTcp), 4 + line - 1);
    }

    #[test]
    fn the_sequence_is_part_of_a_messages_weight() {
        for sequence in [1, 9, 10, 99, 100, u64::MAX] {
            let cursor = Cursor { sequence, ..CURSOR };
            assert_eq!(text_length(cursor), cursor.to_string().len() as u64);
        }
    }

    #[test]
    fn an_event_has_a_data_line_a_line_of_the_payload() {
        // Its line breaks are the event's own: one byte each, whatever they were.
        let event = "id: 5f3a9c21-42\ndata: [\ndata: 1\ndata: ]\n\n".len() as u64;
        assert_eq!(message(Transport::Sse, CURSOR, b"[\r\n1\n]") + 6, event + chunk(event));
    }

    #[test]
    fn a_frame_grows_at_126_bytes_and_at_64_kib() {
        let head = |payload| (frame(payload, Mask::No), frame(payload, Mask::Yes));
        assert_eq!([0, 125, 126, 65_535, 65_536].map(head), [(2, 6), (2, 6), (4, 8), (4, 8), (10, 14)]);
    }

    #[test]
    fn a_chunk_costs_its_length_in_hexadecimal_and_two_line_breaks() {
        assert_eq!([1, 15, 16, 255, 256, 65_536].map(chunk), [5, 5, 6, 6, 7, 9]);
    }

    #[test]
    fn on_a_wire_a_frame_takes_the_place_of_a_chunk_and_all_is_in_records() {
        let payload = [b'1'; 100];
        let [plain, tls, two, both] = [(false, Http::One), (true, Http::One), (false, Http::Two), (true, Http::Two)]
            .map(|(tls, http)| Wire { tls, http, compressed: false });
        for transport in Transport::ALL.into_iter().filter(|it| it.is_ranked()) {
            let weighs = |wire| message_on(wire, transport, CURSOR, &payload);
            assert_eq!(weighs(plain), message(transport, CURSOR, &payload));
            assert_eq!(weighs(Wire { compressed: true, ..both }), weighs(both));
            assert_eq!([weighs(tls), weighs(both)], [weighs(plain) + 22, weighs(two) + 22]);
        }
        // Beyond the id: a frame, a line break, `data: ` and two line breaks.
        let object = json_object(11);
        let beyond = |transport, id| message_on(two, transport, CURSOR, &payload) - id;
        assert_eq!(beyond(Transport::WebSocket, object), 4 + 9);
        assert_eq!(beyond(Transport::HttpStreaming, object), 1 + 9);
        assert_eq!(beyond(Transport::Sse, "id: 5f3a9c21-42\n".len() as u64), 8 + 9);
        let long = vec![b'1'; 16_384];
        assert_eq!(message_on(both, Transport::WebSocket, CURSOR, &long), object + 4 + 2 * 9 + 2 * 22);
    }

    #[test]
    fn the_documentation_says_what_the_theory_says() {
        let transports = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/TRANSPORTS.md");
        let said = std::fs::read_to_string(transports).unwrap();
        let on = |tls, http| Wire { tls, http, compressed: false };
        let wires = [on(false, Http::One), on(true, Http::One), on(false, Http::Two), on(true, Http::Two)];
        let mut rows = Vec::new();
        let mut row = |name: &str, of: &dyn Fn(Wire) -> u64| {
            rows.push(format!("| {name} | {} |", wires.map(|wire| of(wire).to_string()).join(" | ")));
        };
        let record = |wire: Wire| if wire.tls { tls::RECORD } else { 0 };
        for (name, transport) in
            [("WebSocket", Transport::WebSocket), ("HTTP streaming", Transport::HttpStreaming), ("SSE", Transport::Sse)]
        {
            row(name, &|wire| message_on(wire, transport, CURSOR, &[b'1'; 100]));
        }
        row("a poll's message", &|wire| message_on(wire, Transport::ShortPolling, CURSOR, &[b'1'; 100]));
        row("a poll's request, Chrome's", &|wire| {
            browser_request_head_on(wire, Transport::ShortPolling) + record(wire)
        });
        row("a poll's answer, its head", &answer_head);
        let missing: Vec<_> = rows.into_iter().filter(|row| !said.contains(row)).collect();
        assert!(missing.is_empty(), "docs/TRANSPORTS.md has not\n{}", missing.join("\n"));
    }

    /// Of the second of a connection, a second after the first.
    fn answer_head(wire: Wire) -> u64 {
        let fields = |date| {
            [
                ("content-type", &b"application/x-ndjson"[..]),
                ("cache-control", b"no-store"),
                ("content-length", b"130"),
                ("date", date),
            ]
        };
        let dates = [&b"Mon, 23 Nov 2026 12:00:00 GMT"[..], b"Mon, 23 Nov 2026 12:00:01 GMT"];
        match wire.http {
            Http::One => response_head("OK".len() as u64, fields(dates[1])),
            Http::Two => {
                let mut hpack = Hpack::new(hpack::TABLE_SIZE);
                let status = [(":status", &b"200"[..])];
                let [_, second] = dates.map(|date| hpack.encode(status.into_iter().chain(fields(date))));
                http2::head(second)
            }
        }
    }

    #[test]
    fn a_head_is_its_lines() {
        let head = "GET /a HTTP/1.1\r\nhost: x\r\naccept: */*\r\n\r\n";
        assert_eq!(request_head("GET", "/a", [("host", &b"x"[..]), ("accept", b"*/*")]), head.len() as u64);
        assert_eq!(response_head("No Content".len() as u64, []), "HTTP/1.1 204 No Content\r\n\r\n".len() as u64);
        assert_eq!(browser_request_head(Transport::RawTcp), 0);
        assert!((500..900).contains(&browser_request_head(Transport::ShortPolling)));
        assert!((500..900).contains(&browser_publish_head()));
        let answer = "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncache-control: no-store\r\n\
                      date: Mon, 23 Nov 2026 12:00:00 GMT\r\ncontent-length: 20\r\n\r\n{\"id\":\"5f3a9c21-42\"}";
        assert_eq!(publish_answer(), answer.len() as u64);
    }
}
