//! A response as bytes: head and body in one buffer where the body is short.
//!
//! Encoding happens at once, so that neither request nor response is held while the bytes are written.
//! Sources: RFC 9110 §6.6.1, §8.6 and §9.3.2, RFC 9112 §6.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, DATE as DATE_FIELD, UPGRADE};
use http::{HeaderValue, StatusCode};

use super::chunked;
use super::origin::Origin;
use super::response::Response;

/// The longest body that is copied behind its head. Chosen here: about the length at which a second part
/// of a vectored write costs less than the copy.
const JOINED: usize = 4 << 10;

/// The facts of a request that shape its response.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) origin: Origin,
    /// Whether the client wants only the head.
    pub(crate) is_head: bool,
    /// Whether the client understands chunks. Otherwise a stream ends with the connection.
    pub(crate) takes_chunks: bool,
    /// Whether the response is the last of its connection.
    pub(crate) closes: bool,
}

/// A response ready to be written.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// The head, and the body where the body is short.
    pub(crate) first: Vec<u8>,
    /// The body where the body is long.
    pub(crate) rest: Bytes,
    /// Whether the connection closes after the response.
    pub(crate) closes: bool,
}

impl Encoded {
    /// A whole response.
    pub(crate) fn whole(response: Response, options: Options) -> Self {
        let Options { is_head, .. } = options;
        let is_bodiless = response.status == StatusCode::NO_CONTENT || response.status.is_informational();
        let (mut encoded, body) = Self::fields(response, options);
        // HEAD of a stream: its body has no length.
        let has_no_length = is_head && body.is_empty();
        let first = &mut encoded.first;
        if !is_bodiless && !has_no_length {
            field(first, "content-length", itoa::Buffer::new().format(body.len()).as_bytes());
        }
        first.extend_from_slice(b"\r\n\r\n");
        if is_head {
            return encoded;
        }
        if body.len() <= JOINED {
            first.extend_from_slice(&body);
        } else {
            encoded.rest = body;
        }
        encoded
    }

    /// The head of a stream, and the stream's first bytes, which are the body of `response`.
    pub(crate) fn stream(response: Response, options: Options) -> Self {
        let Options { takes_chunks, .. } = options;
        let (mut encoded, opening) = Self::fields(response, options);
        let first = &mut encoded.first;
        if takes_chunks {
            field(first, "transfer-encoding", b"chunked");
        }
        first.extend_from_slice(b"\r\n\r\n");
        if takes_chunks {
            chunked::write_chunk(first, &opening);
        } else {
            first.extend_from_slice(&opening);
        }
        encoded
    }

    /// The status line and all fields, except for the fields about the body's end; and the body.
    fn fields(response: Response, options: Options) -> (Self, Bytes) {
        let Response { status, fields, body } = options.origin.mark(response);
        let mut first = Vec::with_capacity(256);
        first.extend_from_slice(b"HTTP/1.1 ");
        first.extend_from_slice(status.as_str().as_bytes());
        first.push(b' ');
        first.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
        let mut says_close = false;
        for (name, value) in &fields {
            field(&mut first, name.as_str(), value.as_bytes());
            says_close |= *name == CONNECTION && value == "close";
        }
        if options.closes && !says_close {
            field(&mut first, "connection", b"close");
        }
        field(&mut first, "cache-control", b"no-store");
        DATE.with_borrow_mut(|date| field(&mut first, "date", date.now()));
        (Self { first, rest: Bytes::new(), closes: options.closes || says_close }, body)
    }
}

/// The head of a response over HTTP/2, and its body. `ends` says that the response is whole, and whether the client
/// wants its head alone. Fields about one connection have no meaning there (RFC 9113 §8.2.2).
pub(crate) fn http2_response(response: Response, origin: Origin, ends: Option<bool>) -> (http::Response<()>, Bytes) {
    let Response { status, fields, body } = origin.mark(response);
    let mut head = http::Response::new(());
    *head.status_mut() = status;
    let all = head.headers_mut();
    for (name, value) in fields.into_iter().filter(|(name, _)| !CONNECTION_FIELDS.contains(name)) {
        all.append(name, value);
    }
    all.append(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(date) = DATE.with_borrow_mut(|date| HeaderValue::from_bytes(date.now())) {
        all.append(DATE_FIELD, date);
    }
    if let Some(is_head) = ends
        && status != StatusCode::NO_CONTENT
        && !(is_head && body.is_empty())
    {
        all.append(CONTENT_LENGTH, body.len().into());
    }
    (head, body)
}

/// The fields about one connection that responses here have.
const CONNECTION_FIELDS: [http::HeaderName; 2] = [CONNECTION, UPGRADE];

/// Appends a field, with the end of the line before it.
fn field(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    head.extend_from_slice(b"\r\n");
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(b": ");
    head.extend_from_slice(value);
}

thread_local! {
    static DATE: RefCell<Date> = const { RefCell::new(Date { second: 0, text: String::new() }) };
}

/// The `Date` field of all responses, formatted once a second.
struct Date {
    second: u64,
    text: String,
}

impl Date {
    #[expect(clippy::disallowed_methods, reason = "a clock for people, which no measurement reads")]
    fn now(&mut self) -> &[u8] {
        let now = SystemTime::now();
        let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if second != self.second || self.text.is_empty() {
            *self = Self { second, text: httpdate::fmt_http_date(now) };
        }
        self.text.as_bytes()
    }
}
