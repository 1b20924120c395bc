//! What a browser's requests weigh, and the answer to a publish: the heads that Chrome sends, with a session cookie.

use super::http2;
use super::{Hpack, request_head, response_head};
use crate::transport::Transport;
use crate::wire::{Http, Wire};

/// What a browser's request for a topic weighs over HTTP/1.1: the head that Chrome sends, with a session cookie.
///
/// For polling it is sent with every poll, for the others once a connection. The request of this
/// project's clients is shorter; a page's own cookies may make it longer.
#[must_use]
pub fn browser_request_head(transport: Transport) -> u64 {
    if transport == Transport::RawTcp {
        return 0;
    }
    request_head("GET", &target(transport), fields(transport).iter().map(as_bytes))
}

/// The same on any wire. Over HTTP/2 it is the second of a connection, when what was the same is in the table;
/// what TLS adds is not in it.
#[must_use]
pub fn browser_request_head_on(wire: Wire, transport: Transport) -> u64 {
    match (wire.http, transport) {
        (Http::One, _) | (Http::Two, Transport::RawTcp) => browser_request_head(transport),
        (Http::Two, _) => {
            let (pseudo, target) = (pseudo(transport), target(transport));
            // Of a connection, not of a request (RFC 9113 §8.2.2), and the handshake's (RFC 8441 §5).
            let of_http1 = ["Host", "Connection", "Upgrade", "Sec-WebSocket-Key"];
            let own = fields(transport).into_iter().filter(|(name, _)| !of_http1.contains(name));
            let lower = own.map(|(name, value)| (name.to_ascii_lowercase(), value));
            let all = pseudo.iter().map(|(name, value)| ((*name).to_owned(), *value)).chain(lower);
            let all: Vec<(String, &str)> = all.chain([(":path".to_owned(), target.as_str())]).collect();
            let mut hpack = Hpack::of_chrome();
            let mut block = || hpack.encode(all.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
            block();
            http2::head(block())
        }
    }
}

/// The pseudo-fields of a request, but for the path (RFC 9113 §8.3.1, RFC 8441 §4).
const fn pseudo(transport: Transport) -> &'static [(&'static str, &'static str)] {
    match transport {
        Transport::WebSocket => &[
            (":method", "CONNECT"),
            (":authority", "shop.example.com"),
            (":scheme", "https"),
            (":protocol", "websocket"),
        ],
        Transport::ShortPolling
        | Transport::LongPolling
        | Transport::HttpStreaming
        | Transport::Sse
        | Transport::RawTcp => &[(":method", "GET"), (":authority", "shop.example.com"), (":scheme", "https")],
    }
}

fn target(transport: Transport) -> String {
    format!("/topics/orders/{transport}")
}

/// The fields of a request; none where no browser opens such a connection.
fn fields(transport: Transport) -> Vec<(&'static str, &'static str)> {
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
        Transport::RawTcp => return Vec::new(),
    };
    let plain: &[(&str, &str)] = match transport {
        Transport::WebSocket | Transport::RawTcp => &[],
        Transport::ShortPolling | Transport::LongPolling | Transport::HttpStreaming | Transport::Sse => &PAGE_REQUEST,
    };
    own.iter().chain(plain).chain(&EVERY_REQUEST).copied().collect()
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
