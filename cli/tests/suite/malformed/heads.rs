//! Malformed requests. Source: RFC 9112 §2.2, §3, §5, §6 and §7.1; RFC 6455 §4.2.1 for handshakes.

use super::Kind;
use crate::garbage::Garbage;

/// All of them, in equal parts.
pub(crate) const KINDS: [Kind; 22] = [
    Kind::refused("a method that is no token", |garbage| {
        let method = garbage.one_of(&["G@T", "", "GET\t", "P(ST", "\"GET\"", "GE\0T", "\u{e9}"]);
        let of_other = |line: &str| line.split_once(' ').map(|(_, rest)| format!("{method} {rest}"));
        Parts::valid(garbage).with_line(|line| of_other(line).unwrap()).bytes()
    }),
    Kind::refused("a version that is none", |garbage| {
        let version =
            garbage.one_of(&["HTTP/1.", "HTTP/9.9", "HTP/1.1", "http/1.1", "HTTP/1.1.1", "HTTP 1.1", "H", "1.1"]);
        Parts::valid(garbage).with_line(|line| line.replace("HTTP/1.1", version)).bytes()
    }),
    Kind::refused("a target with what no target has", |garbage| {
        let what = garbage.one_of(&[" ", "\0", "\t", "\x7f", "\x01"]);
        Parts::valid(garbage).with_line(|line| line.replacen("/t", &format!("/t{what}x"), 1)).bytes()
    }),
    Kind::refused("a field name that is none", |garbage| {
        let field = garbage.one_of(&["Bad Name: x", ": x", "na(me: x", "X-Space : x", "\u{e9}: x", "n\0: x", "x", "@"]);
        Parts::valid(garbage).with_field(garbage, field).bytes()
    }),
    Kind::refused("a field value with a control character", |garbage| {
        let field = garbage.one_of(&["X: a\0b", "X: a\x01", "X: \x7f", "Host: a\0", "X: a\rb"]);
        Parts::valid(garbage).with_field(garbage, field).bytes()
    }),
    Kind::refused("no Host", |garbage| {
        let mut parts = Parts::valid(garbage);
        parts.fields.retain(|field| !field.starts_with("Host"));
        parts.bytes()
    }),
    Kind::refused("two Hosts", |garbage| Parts::valid(garbage).with_field(garbage, "Host: elsewhere").bytes()),
    Kind::refused("two lengths that differ", |garbage| {
        Parts::posted().with_field(garbage, "Content-Length: 4").bytes()
    }),
    Kind::refused("a length that is no number", |garbage| {
        let length = garbage.one_of(&["-1", "+7", "7x", "0x7", "99999999999999999999999", "7 7", "seven", "7;7"]);
        let mut parts = Parts::posted();
        parts.fields.retain(|field| !field.starts_with("Content-Length"));
        parts.with_field(garbage, &format!("Content-Length: {length}")).bytes()
    }),
    Kind::taken_or_not("a length and chunks", |garbage| {
        Parts::chunked(b"7\r\n{\"a\":1}\r\n0\r\n\r\n").with_field(garbage, "Content-Length: 7").bytes()
    }),
    Kind::refused("a coding that is unknown", |garbage| {
        let coding = garbage.one_of(&["gzip", "chunked, gzip", "xchunked", "identity", "chunked\u{b}", "ch\u{fc}nked"]);
        let mut parts = Parts::chunked(b"7\r\n{\"a\":1}\r\n0\r\n\r\n");
        parts.fields.retain(|field| !field.starts_with("Transfer-Encoding"));
        parts.with_field(garbage, &format!("Transfer-Encoding: {coding}")).bytes()
    }),
    Kind::refused("broken chunks", |garbage| {
        Parts::chunked(garbage.one_of::<&[u8]>(&[
            b"g\r\n{\"a\":1}\r\n0\r\n\r\n",
            b"-7\r\n{\"a\":1}\r\n0\r\n\r\n",
            b"\r\n{\"a\":1}\r\n0\r\n\r\n",
            b"3\r\n{\"a\":1}\r\n0\r\n\r\n",
            b"7\n{\"a\":1}\n0\n\n",
            b"ffffffffffffffff1\r\n{\"a\":1}\r\n0\r\n\r\n",
            b"7\r\n{\"a\":1}xx0\r\n\r\n",
            b"7 7\r\n{\"a\":1}\r\n0\r\n\r\n",
            b"7\r\n{\"a\":",
        ]))
        .bytes()
    }),
    Kind::refused("a body shorter than its length", |garbage| {
        let mut parts = Parts::posted();
        parts.body.truncate(garbage.below(6));
        parts.bytes()
    }),
    Kind::refused("a head that is too long", |garbage| {
        let field = format!("X-Long: {}", "x".repeat(16 * 1024 + garbage.below(20_000)));
        Parts::valid(garbage).with_field(garbage, &field).bytes()
    }),
    Kind::refused("a target that is too long", |garbage| {
        let path = format!("/t{}", "/x".repeat(8 * 1024 + garbage.below(20_000)));
        Parts::valid(garbage).with_line(|line| line.replacen("/t", &path, 1)).bytes()
    }),
    Kind::refused("too many fields", |garbage| {
        let mut parts = Parts::valid(garbage);
        parts.fields.extend((0..200 + garbage.below(300)).map(|number| format!("X-{number}: {number}")));
        parts.bytes()
    }),
    Kind::refused("a handshake that is none", |garbage| {
        let (name, wrong) = garbage.one_of(&[
            ("Sec-WebSocket-Key", "Sec-WebSocket-Key: short"),
            ("Sec-WebSocket-Key", "X-Other: key"),
            ("Sec-WebSocket-Version", "Sec-WebSocket-Version: 12"),
            ("Sec-WebSocket-Version", "X-Other: version"),
            ("Upgrade", "Upgrade: websockets"),
            ("Connection", "Connection: keep-alive"),
        ]);
        let mut parts = Parts::handshake();
        parts.fields.retain(|field| !field.starts_with(name));
        parts.with_field(garbage, wrong).bytes()
    }),
    Kind::taken_or_not("cut short", |garbage| {
        let mut bytes = Parts::valid(garbage).bytes();
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(bytes.len());
        bytes.truncate(1 + garbage.below(head));
        bytes
    }),
    Kind::taken_or_not("bare line feeds", |garbage| {
        let bytes = Parts::valid(garbage).bytes();
        let every = 1 + garbage.below(3);
        let mut count = 0;
        let mut keep = |byte: u8| {
            count += usize::from(byte == b'\r');
            byte != b'\r' || !count.is_multiple_of(every)
        };
        bytes.into_iter().filter(|byte| keep(*byte)).collect()
    }),
    Kind::taken_or_not("folded and padded fields", |garbage| {
        let field = garbage.one_of(&["X: a\r\n b", "X: a\r\n\tb", "X:\r\n ", " X: a", "\tX: a", "X:\t\t"]);
        Parts::valid(garbage).with_field(garbage, field).bytes()
    }),
    Kind::taken_or_not("mutated", |garbage| {
        let valid = Parts::valid(garbage).bytes();
        garbage.mutated(&valid)
    }),
    Kind::taken_or_not("random bytes", |garbage| {
        let mut bytes = garbage.bytes(600);
        bytes.push(b'\n');
        bytes
    }),
];

/// A request in its parts.
struct Parts {
    line: String,
    fields: Vec<String>,
    body: Vec<u8>,
}

impl Parts {
    fn new(line: &str, fields: &[&str], body: &[u8]) -> Self {
        let host = "Host: 127.0.0.1".to_owned();
        let fields = std::iter::once(host).chain(fields.iter().map(|&field| field.to_owned())).collect();
        Self { line: line.to_owned(), fields, body: body.to_vec() }
    }

    /// One that a server takes.
    fn valid(garbage: &mut Garbage) -> Self {
        match garbage.below(4) {
            0 => Self::new("GET /topics/t/short-polling?after=start&limit=3 HTTP/1.1", &["Accept: */*"], b""),
            1 => {
                let last = ["Last-Event-ID: 5f3a9c21-42"];
                Self::new("GET /topics/t/sse?mode=short-polling HTTP/1.1", &last, b"")
            }
            2 => Self::posted(),
            _ => Self::handshake(),
        }
    }

    fn posted() -> Self {
        let fields = ["Content-Type: application/json", "Content-Length: 7"];
        Self::new("POST /topics/t HTTP/1.1", &fields, b"{\"a\":1}")
    }

    fn chunked(body: &[u8]) -> Self {
        let fields = ["Content-Type: application/json", "Transfer-Encoding: chunked"];
        Self::new("POST /topics/t HTTP/1.1", &fields, body)
    }

    fn handshake() -> Self {
        let fields = [
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ];
        Self::new("GET /topics/t/websocket HTTP/1.1", &fields, b"")
    }

    fn with_line(mut self, change: impl FnOnce(&str) -> String) -> Self {
        self.line = change(&self.line);
        self
    }

    fn with_field(mut self, garbage: &mut Garbage, field: &str) -> Self {
        let at = garbage.below(self.fields.len() + 1);
        self.fields.insert(at, field.to_owned());
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = self.line.clone();
        for field in &self.fields {
            head.push_str("\r\n");
            head.push_str(field);
        }
        head.push_str("\r\n\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}
