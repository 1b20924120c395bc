//! The head of a request, as the routes see it, and which heads are read here.
//!
//! Only what is plainly right is: HTTP/1.1 to the letter, a target of the characters that a URL
//! has, at most one length of the body, which only a `POST` has. Whatever else comes is left to
//! hyper with every byte that was read, so that where one could doubt how long a request is
//! (RFC 9112 §6.3, §11.2), one parser decides and the connection ends after it. Both are httparse
//! beneath. Sources: RFC 9112 §2 to §6, RFC 3986 §3.3.

use std::mem::MaybeUninit;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Version};
use httparse::{Header, Status};

use crate::limits;

/// The head of a request.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    /// Empty where there is none.
    pub(crate) query: &'a str,
    pub(crate) version: Version,
    /// Whether a stream is to bring its batches as chunks: hyper makes its own.
    pub(crate) takes_chunks: bool,
    fields: &'a [Header<'a>],
}

impl<'a> Head<'a> {
    /// The head of a request that hyper has read. `fields` are the fields in `parts`.
    pub(crate) fn of(parts: &'a Parts, fields: &'a [Header<'a>]) -> Self {
        Self {
            method: parts.method.clone(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            version: parts.version,
            takes_chunks: false,
            fields,
        }
    }

    /// The first value of a field.
    pub(crate) fn field(&self, name: &HeaderName) -> Option<&'a [u8]> {
        self.every(name).next()
    }

    /// The first value of a field where it is text.
    pub(crate) fn text(&self, name: &HeaderName) -> Option<&'a str> {
        self.field(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Every value of a field.
    pub(crate) fn every(&self, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
        let name = name.as_str();
        self.fields.iter().filter(move |field| is(field, name)).map(|field| field.value)
    }

    /// A copy as tungstenite wants it.
    pub(crate) fn to_request(&self) -> Request<()> {
        let field = |field: &Header<'_>| {
            Some((HeaderName::from_bytes(field.name.as_bytes()).ok()?, HeaderValue::from_bytes(field.value).ok()?))
        };
        let mut fields = HeaderMap::new();
        for (name, value) in self.fields.iter().filter_map(field) {
            fields.append(name, value);
        }
        let mut request = Request::new(());
        *request.method_mut() = self.method.clone();
        *request.version_mut() = self.version;
        *request.headers_mut() = fields;
        request
    }
}

fn is(field: &Header<'_>, name: &str) -> bool {
    field.name.len() == name.len() && field.name.eq_ignore_ascii_case(name)
}

/// The fields that hyper has read, for [`Head::of`].
pub(crate) fn fields(headers: &HeaderMap) -> Vec<Header<'_>> {
    headers.iter().map(|(name, value)| Header { name: name.as_str(), value: value.as_bytes() }).collect()
}

/// Room for the fields of a plain request. Chosen here: browsers send some twenty.
pub(super) type Room<'a> = [MaybeUninit<Header<'a>>; 64];

/// Room without anything in it.
pub(super) const fn room<'a>() -> Room<'a> {
    [const { MaybeUninit::uninit() }; 64]
}

/// A request that is plainly right.
#[derive(Debug)]
pub(super) struct Plain<'a> {
    pub(super) head: Head<'a>,
    /// How long the head is.
    pub(super) length: usize,
    /// How long the body after it is.
    pub(super) body: usize,
    /// Whether the connection is to end with the answer.
    pub(super) closes: bool,
}

/// What bytes begin with.
#[derive(Debug)]
pub(super) enum Parsed<'a> {
    Plain(Plain<'a>),
    /// A head that goes on.
    Partial,
    /// What hyper is to judge.
    Unusual,
}

/// Reads a head.
pub(super) fn parse<'a>(read: &'a [u8], room: &'a mut Room<'a>) -> Parsed<'a> {
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(read, room) {
        Ok(Status::Complete(length)) => {
            let httparse::Request { method: Some(method), path: Some(target), version: Some(1), headers } = request
            else {
                return Parsed::Unusual;
            };
            plain(method, target, headers, &read[..length]).map_or(Parsed::Unusual, Parsed::Plain)
        }
        Ok(Status::Partial) if read.len() < limits::HEAD_BYTES => Parsed::Partial,
        Ok(Status::Partial) | Err(_) => Parsed::Unusual,
    }
}

fn plain<'a>(method: &str, target: &'a str, fields: &'a [Header<'a>], head: &[u8]) -> Option<Plain<'a>> {
    let is_right = target.starts_with('/')
        && target.bytes().all(is_plain)
        && head.len() <= limits::HEAD_BYTES
        && every_line_ends_in_full(head);
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (mut length, mut closes) = (None, false);
    for field in fields {
        if is(field, "content-length") {
            let given = decimal(field.value).filter(|_| length.is_none())?;
            length = Some(given);
        } else if is(field, "transfer-encoding") || is(field, "expect") {
            return None;
        } else if is(field, "connection") {
            closes |=
                field.value.split(|&byte| byte == b',').any(|token| token.trim_ascii().eq_ignore_ascii_case(b"close"));
        }
    }
    let body = length.unwrap_or(0);
    let may_have_body = method == Method::POST;
    let length = head.len();
    let head = Head { method, path, query, version: Version::HTTP_11, takes_chunks: true, fields };
    (is_right && (body == 0 || may_have_body)).then_some(Plain { head, length, body, closes })
}

/// Whether each line feed comes after a carriage return, and none before the first line: httparse
/// takes either for the end of a line, and others do not.
fn every_line_ends_in_full(head: &[u8]) -> bool {
    head.first().is_some_and(u8::is_ascii_alphabetic)
        && memchr::memchr_iter(b'\n', head).all(|at| at > 0 && head[at - 1] == b'\r')
}

/// Digits alone, and no more than any body needs.
fn decimal(value: &[u8]) -> Option<usize> {
    let is_number = (1..=15).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| is_number)?.parse().ok()
}

/// What a path and a query consist of (RFC 3986 §3.3 and §3.4).
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'/' | b'?'
                | b'-'
                | b'.'
                | b'_'
                | b'~'
                | b'%'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(read: &str) -> String {
        match parse(read.as_bytes(), &mut room()) {
            Parsed::Plain(Plain { head, length, body, closes }) => {
                format!("{} {} {} {length} {body} {closes}", head.method, head.path, head.query)
            }
            Parsed::Partial => "partial".to_owned(),
            Parsed::Unusual => "unusual".to_owned(),
        }
    }

    #[test]
    fn a_plain_request_is_read_here() {
        assert_eq!(parsed("GET /a?b=c&d HTTP/1.1\r\nHost: t\r\n\r\nGET"), "GET /a b=c&d 34 0 false");
        assert_eq!(parsed("POST /a HTTP/1.1\r\ncontent-length: 12\r\n\r\nhello"), "POST /a  40 12 false");
        for (connection, closes) in [("close", true), ("keep-alive, Close", true), ("Upgrade", false)] {
            let head = format!("GET / HTTP/1.1\r\nConnection: {connection}\r\n\r\n");
            assert_eq!(parsed(&head), format!("GET /  {} 0 {closes}", head.len()));
        }
    }

    #[test]
    fn a_head_that_goes_on_is_waited_for_up_to_the_limit() {
        for part in ["", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: t\r\n\r"] {
            assert_eq!(parsed(part), "partial", "{part:?}");
        }
        let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(limits::HEAD_BYTES));
        assert_eq!(parsed(&long), "unusual");
        assert_eq!(parsed(&format!("{long}\r\n\r\n")), "unusual");
    }

    #[test]
    fn what_leaves_a_doubt_is_not() {
        for (line, fields) in [
            ("GET / HTTP/1.0", "Host: t"),
            ("GET  / HTTP/1.1", "Host: t"),
            ("GET http://t/ HTTP/1.1", "Host: t"),
            ("OPTIONS * HTTP/1.1", "Host: t"),
            ("GET /# HTTP/1.1", "Host: t"),
            ("GET /\u{e9} HTTP/1.1", "Host: t"),
            ("\r\nGET / HTTP/1.1", "Host: t"),
            ("GET / HTTP/1.1", "Host : t"),
            ("GET / HTTP/1.1", "Host: t\nX: y"),
            ("GET / HTTP/1.1", "Host: t\r\n folded"),
            ("GET / HTTP/1.1", "Host: t\0"),
            ("POST / HTTP/1.1", "Transfer-Encoding: chunked"),
            ("POST / HTTP/1.1", "Content-Length: 5\r\ntransfer-encoding: identity"),
            ("POST / HTTP/1.1", "Content-Length: 5\r\nContent-Length: 5"),
            ("POST / HTTP/1.1", "Content-Length: 5, 5"),
            ("POST / HTTP/1.1", "Content-Length: +5"),
            ("POST / HTTP/1.1", "Content-Length: -5"),
            ("POST / HTTP/1.1", "Content-Length: 0x5"),
            ("POST / HTTP/1.1", "Content-Length:"),
            ("POST / HTTP/1.1", "Content-Length: 99999999999999999999"),
            ("POST / HTTP/1.1", "Content-Length: 5\r\nExpect: 100-continue"),
            ("GET / HTTP/1.1", "Content-Length: 5"),
        ] {
            assert_eq!(parsed(&format!("{line}\r\n{fields}\r\n\r\nhello")), "unusual", "{line} {fields}");
        }
        assert_eq!(parsed("GET / HTTP/1.1\nHost: t\n\n"), "unusual");
        let many = "X: y\r\n".repeat(65);
        assert_eq!(parsed(&format!("GET / HTTP/1.1\r\n{many}\r\n")), "unusual");
    }
}
