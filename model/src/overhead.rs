//! What the standards say that a message, a request and a response weigh, in bytes above TCP.
//!
//! Theory, to stand beside what the kernel counts: written from the standards and the wire contract
//! alone, it knows neither the server's framing nor a client's. Sources: RFC 9112 (heads, chunks),
//! RFC 6455 §5.2 (frames), WHATWG HTML §9.2 (event stream), `docs/TRANSPORTS.md` (what a line holds). What TLS and
//! HTTP/2 add is in [`tls`], [`http2`] and [`hpack`].

pub mod hpack;
pub mod http2;
pub mod tls;

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

/// What a browser's request for a topic weighs: the head that Chrome sends, with a session cookie.
///
/// For polling it is sent with every poll, for the others once a connection. The request of this
/// project's clients is shorter; a page's own cookies may make it longer.
#[must_use]
pub fn browser_request_head(transport: Transport) -> u64 {
    let target = format!("/topics/orders/{transport}");
    let own: &[(&str, &str)] = match transport {
        Transport::ShortPolling | Transport::LongPolling | Transport::HttpStreaming => {
            &[("Accept", "*/*"), ("Last-Event-ID", "5f3a9c21-42")]
        }
        Transport::Sse => {
            &[("Accept", "text/event-stream"), ("Cache-Control", "no-cache"), ("Last-Event-ID", "5f3a9c21-42")]
        }
        Transport::WebSocket => &[
            ("Connection", "Upgrade"),
            ("Pragma", "no-cache"),
            ("Cache-Control", "no-cache"),
            ("Upgrade", "websocket"),
            ("Origin", "https://shop.example.com"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"),
        ],
        // No browser opens a bare socket.
        Transport::RawTcp => return 0,
    };
    let plain: &[(&str, &str)] = match transport {
        Transport::WebSocket | Transport::RawTcp => &[],
        Transport::ShortPolling | Transport::LongPolling | Transport::HttpStreaming | Transport::Sse => &PAGE_REQUEST,
    };
    request_head("GET", &target, own.iter().chain(plain).chain(&EVERY_REQUEST).map(as_bytes))
}

/// What a browser's request weighs that publishes a message, without the payload: the head that Chrome
/// sends with a `POST` to `/topics/orders`, of a payload of three digits' length.
#[must_use]
pub fn browser_publish_head() -> u64 {
    let own = [
        ("Accept", "*/*"),
        ("Content-Type", "application/json"),
        ("Content-Length", "300"),
        ("Origin", "https://shop.example.com"),
    ];
    request_head("POST", "/topics/orders", own.iter().chain(&PAGE_REQUEST).chain(&EVERY_REQUEST).map(as_bytes))
}

/// What its answer weighs: `201`, and where in the log the message stands.
#[must_use]
pub fn publish_answer() -> u64 {
    let fields = [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("date", "Mon, 23 Nov 2026 12:00:00 GMT"),
        ("content-length", "20"),
    ];
    response_head("Created".len() as u64, fields.iter().map(as_bytes)) + r#"{"id":"5f3a9c21-42"}"#.len() as u64
}

/// What Chrome sends with what a page's script asks for.
const PAGE_REQUEST: [(&str, &str); 8] = [
    ("Connection", "keep-alive"),
    ("sec-ch-ua", r#""Chromium";v="141", "Not?A_Brand";v="8", "Google Chrome";v="141""#),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", r#""Linux""#),
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Fetch-Mode", "cors"),
    ("Sec-Fetch-Dest", "empty"),
    ("Referer", "https://shop.example.com/orders"),
];

/// What it sends with every request.
const EVERY_REQUEST: [(&str, &str); 5] = [
    ("Host", "shop.example.com"),
    (
        "User-Agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    ),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Accept-Language", "en-GB,en;q=0.9"),
    ("Cookie", "session=4f9a1c0e7b6d4a53a0c2e8d1f7b93c55"),
];

fn as_bytes<'a>(&(name, value): &(&'a str, &'a str)) -> (&'a str, &'a [u8]) {
    (name, value.as_bytes())
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
