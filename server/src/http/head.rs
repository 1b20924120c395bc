//! The head of a request, parsed strictly, in place.
//!
//! A request that breaks the standard is refused, and its connection closed. Some allowed forms that careful
//! clients do not send (HTTP/1.0, bare line feeds, an absolute target, a length beside chunks) are understood,
//! but end the connection: a proxy in front could find the end of such a request elsewhere, so nothing may
//! follow it. Sources: RFC 9112 §2 to §7 and §11.2, RFC 3986 §3.

use std::mem::MaybeUninit;

use http::{HeaderName, Method, StatusCode};
use httparse::{Header, Status};

use super::problem::Problem;
use crate::limits;

/// The head of a request.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    /// Empty where the target has no query.
    pub(crate) query: &'a str,
    /// The server's name in the request: the authority of its target, or its `Host`. Empty where neither is
    /// given.
    pub(crate) host: &'a str,
    pub(crate) version: Version,
    pub(crate) fields: &'a [Header<'a>],
}

/// The version of HTTP that a request is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// HTTP/1.0, which has no chunks and needs no `Host`.
    Old,
    /// HTTP/1.1.
    One,
    /// HTTP/2, whose frames say where a body ends.
    Two,
    /// HTTP/2, by an extended CONNECT to a WebSocket (RFC 8441).
    TwoTunnel,
}

impl Version {
    /// Whether a body without a length comes in chunks.
    pub(crate) fn takes_chunks(self) -> bool {
        self == Self::One
    }
}

impl<'a> Head<'a> {
    /// The first value of a field.
    pub(crate) fn field(&self, name: &HeaderName) -> Option<&'a [u8]> {
        self.every(name).next()
    }

    /// The first value of a field, if it is UTF-8.
    pub(crate) fn text(&self, name: &HeaderName) -> Option<&'a str> {
        self.field(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Every value of a field.
    pub(crate) fn every(&self, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
        let name = name.as_str();
        self.fields.iter().filter(move |field| is(field, name)).map(|field| field.value)
    }

    /// Whether a list field, on one line or on several, has a member. Source: RFC 9110 §5.3.
    pub(crate) fn lists(&self, name: &HeaderName, member: &str) -> bool {
        self.every(name).flat_map(members).any(|it| it.eq_ignore_ascii_case(member.as_bytes()))
    }
}

fn is(field: &Header<'_>, name: &str) -> bool {
    field.name.len() == name.len() && field.name.eq_ignore_ascii_case(name)
}

/// The members of a list, without empty ones.
fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// Space for the fields of a request.
pub(crate) type Room<'a> = [MaybeUninit<Header<'a>>; limits::HEAD_FIELDS];

/// Empty space for the fields of a request.
pub(crate) const fn room<'a>() -> Room<'a> {
    [const { MaybeUninit::uninit() }; limits::HEAD_FIELDS]
}

/// A request up to the end of its head.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) head: Head<'a>,
    /// The length of the head, in bytes.
    pub(crate) length: usize,
    pub(crate) body: BodyLength,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub(crate) expects: bool,
    /// Whether the response is the last of its connection.
    pub(crate) closes: bool,
}

/// The end of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyLength {
    /// After so many bytes.
    Known(usize),
    /// After the last chunk.
    Chunked,
}

/// The result of parsing.
#[derive(Debug)]
pub(crate) enum Parsed<'a> {
    Request(Request<'a>),
    /// The end of the head has not arrived.
    Partial,
    /// Not a request: the connection closes after this problem.
    Refused(Problem),
}

/// Parses a head.
pub(crate) fn parse<'a>(read: &'a [u8], room: &'a mut Room<'a>) -> Parsed<'a> {
    let mut request = httparse::Request::new(&mut []);
    let refused = match request.parse_with_uninit_headers(read, room) {
        Ok(Status::Complete(length)) if length <= limits::HEAD_BYTES => match understand(request, &read[..length]) {
            Ok(request) => return Parsed::Request(request),
            Err(problem) => problem,
        },
        Ok(Status::Partial) if read.len() < limits::HEAD_BYTES => return Parsed::Partial,
        Ok(_) | Err(httparse::Error::TooManyHeaders) => {
            let (bytes, fields) = (limits::HEAD_BYTES, limits::HEAD_FIELDS);
            let detail = format!("the head of a request is at most {bytes} bytes and {fields} fields");
            Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail)
        }
        Err(error) => malformed(&error.to_string()),
    };
    Parsed::Refused(refused.closing())
}

fn malformed(reason: &str) -> Problem {
    Problem::bad_request(format!("this is not HTTP/1.1: {reason}"))
}

fn understand<'a>(request: httparse::Request<'a, 'a>, head: &[u8]) -> Result<Request<'a>, Problem> {
    let httparse::Request { method: Some(method), path: Some(target), version: Some(version), headers } = request
    else {
        return Err(malformed("a part of the request line is missing"));
    };
    let fields: &'a [Header<'a>] = headers;
    let method = Method::from_bytes(method.as_bytes()).ok().ok_or_else(|| malformed("the method is no token"))?;
    let target = Target::parse(target, &method)?;
    let found = Found::among(fields)?;
    let is_old = version == 0;
    let version = if is_old { Version::Old } else { Version::One };
    let (body, is_doubtful) = found.body(is_old)?;
    let is_doubtful = is_doubtful || target.host.is_some() || has_bare_line_feed(head) || head.starts_with(b"\r\n");
    let closes = is_old || is_doubtful || found.closes;
    let host = match (target.host, found.host) {
        (Some(host), _) | (None, Some(host)) => host,
        (None, None) => "",
    };
    let head_length = head.len();
    let head = Head { method, path: target.path, query: target.query, host, version, fields };
    if found.host.is_none() && !is_old {
        return Err(Problem::bad_request("a request has exactly one Host field (RFC 9112 §3.2)"));
    }
    Ok(Request { head, length: head_length, body, expects: found.expects && !is_old, closes })
}

/// The target of a request.
struct Target<'a> {
    host: Option<&'a str>,
    path: &'a str,
    query: &'a str,
}

impl<'a> Target<'a> {
    /// Source: RFC 9112 §3.2.
    fn parse(target: &'a str, method: &Method) -> Result<Self, Problem> {
        let wrong = || Problem::bad_request("the target of a request is a path, or a URL that begins with http://");
        if target == "*" && method == Method::OPTIONS {
            return Ok(Self { host: None, path: target, query: "" });
        }
        if !target.bytes().all(is_plain) {
            return Err(wrong());
        }
        let (host, target) =
            if target.starts_with('/') { (None, target) } else { absolute(target).ok_or_else(wrong)? };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Ok(Self { host, path: if path.is_empty() { "/" } else { path }, query })
    }
}

/// The authority of a URL, and the rest after it.
fn absolute(target: &str) -> Option<(Option<&str>, &str)> {
    let (scheme, rest) = target.split_once("://")?;
    let is_known = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let (host, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    (is_known && !host.is_empty()).then_some((Some(host), target))
}

/// The fields that decide how a request is read.
#[derive(Default)]
struct Found<'a> {
    host: Option<&'a str>,
    length: Option<usize>,
    codings: Option<Vec<&'a [u8]>>,
    expects: bool,
    closes: bool,
}

impl<'a> Found<'a> {
    fn among(fields: &'a [Header<'a>]) -> Result<Self, Problem> {
        let mut found = Self::default();
        for field in fields {
            if is(field, "host") {
                let host = std::str::from_utf8(field.value).ok().filter(|_| found.host.is_none());
                let wrong = || Problem::bad_request("a request has exactly one Host field (RFC 9112 §3.2)");
                found.host = Some(host.ok_or_else(wrong)?);
            } else if is(field, "content-length") {
                let length = decimal(field.value).filter(|_| found.length.is_none());
                found.length = Some(length.ok_or_else(|| malformed("the length of the body is no number"))?);
            } else if is(field, "transfer-encoding") {
                found.codings.get_or_insert_default().extend(members(field.value));
            } else if is(field, "connection") {
                found.closes |= members(field.value).any(|option| option.eq_ignore_ascii_case(b"close"));
            } else if is(field, "expect") {
                if !field.value.trim_ascii().eq_ignore_ascii_case(b"100-continue") {
                    let detail = "there is no expectation but 100-continue (RFC 9110 §10.1.1)";
                    return Err(Problem::new(StatusCode::EXPECTATION_FAILED, detail));
                }
                found.expects = true;
            }
        }
        Ok(found)
    }

    /// The end of the body, and whether a proxy could see another end. Source: RFC 9112 §6.1 and §6.3.
    fn body(&self, is_old: bool) -> Result<(BodyLength, bool), Problem> {
        let Some(codings) = &self.codings else {
            return Ok((BodyLength::Known(self.length.unwrap_or(0)), false));
        };
        match &codings[..] {
            _ if is_old => Err(malformed("HTTP/1.0 has no Transfer-Encoding")),
            [coding] if coding.eq_ignore_ascii_case(b"chunked") => Ok((BodyLength::Chunked, self.length.is_some())),
            [.., last] if last.eq_ignore_ascii_case(b"chunked") => {
                Err(Problem::new(StatusCode::NOT_IMPLEMENTED, "the only transfer coding that is taken is chunked"))
            }
            _ => Err(malformed("a body whose last transfer coding is not chunked has no end")),
        }
    }
}

/// Whether a line ends without a carriage return, which httparse accepts and other parsers do not.
pub(crate) fn has_bare_line_feed(lines: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', lines).any(|at| at == 0 || lines[at - 1] != b'\r')
}

/// Parses up to 15 digits, without a sign.
fn decimal(value: &[u8]) -> Option<usize> {
    let is_number = (1..=15).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| is_number)?.parse().ok()
}

/// Whether a byte may stand in a URL, whose fragment is never sent (RFC 3986 §3).
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-._~%?=&!$'()*+,;:@[]".contains(&byte)
}

/// Parses a head for a test.
#[cfg(test)]
pub(crate) fn with<T>(text: &str, test: impl FnOnce(&Head<'_>) -> T) -> T {
    match parse(text.as_bytes(), &mut room()) {
        Parsed::Request(request) => test(&request.head),
        other @ (Parsed::Partial | Parsed::Refused(_)) => panic!("{text:?} is {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(read: &str) -> String {
        match parse(read.as_bytes(), &mut room()) {
            Parsed::Request(Request { head, length, body, expects, closes }) => {
                let body = match body {
                    BodyLength::Known(length) => length.to_string(),
                    BodyLength::Chunked => "chunked".to_owned(),
                };
                let flags = [(closes, " closes"), (expects, " expects"), (head.version == Version::Old, " old")];
                let flags: String = flags.iter().filter(|(is_so, _)| *is_so).map(|(_, flag)| *flag).collect();
                format!("{} {} {} {} {length} {body}{flags}", head.method, head.host, head.path, head.query)
            }
            Parsed::Partial => "partial".to_owned(),
            Parsed::Refused(problem) => problem.status().as_str().to_owned(),
        }
    }

    #[test]
    fn a_plain_request_is_taken_apart() {
        assert_eq!(parsed("GET /a?b=c&d HTTP/1.1\r\nHost: t\r\n\r\nGET"), "GET t /a b=c&d 34 0");
        assert_eq!(parsed("POST /a HTTP/1.1\r\nHost: t\r\ncontent-length: 12\r\n\r\nhello"), "POST t /a  49 12");
        for (connection, closes) in [("close", " closes"), ("keep-alive, Close", " closes"), ("Upgrade", "")] {
            let head = format!("GET / HTTP/1.1\r\nHost: t\r\nConnection: {connection}\r\n\r\n");
            assert_eq!(parsed(&head), format!("GET t /  {} 0{closes}", head.len()));
        }
        let expecting = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: , Chunked\r\nExpect: 100-Continue\r\n\r\n";
        assert_eq!(parsed(expecting), format!("POST t /  {} chunked expects", expecting.len()));
    }

    #[test]
    fn a_partial_head_is_waited_for_up_to_the_limits() {
        for part in ["", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: t\r\n\r"] {
            assert_eq!(parsed(part), "partial", "{part:?}");
        }
        let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(limits::HEAD_BYTES));
        assert_eq!(parsed(&long), "431");
        assert_eq!(parsed(&format!("{long}\r\n\r\n")), "431");
        for (more, ended, unended) in [(63, "GET", "par"), (64, "GET", "par"), (99, "GET", "par"), (100, "431", "431")]
        {
            let head = format!("GET / HTTP/1.1\r\nHost: t\r\n{}", "X: y\r\n".repeat(more));
            assert_eq!(parsed(&format!("{head}\r\n"))[..3], *ended, "{more}");
            assert_eq!(parsed(&head)[..3], *unended, "{more}");
        }
    }

    #[test]
    fn an_ambiguous_request_is_the_last_of_its_connection() {
        for (request, understood) in [
            ("GET / HTTP/1.0\r\nHost: t\r\n\r\n", "GET t /  27 0 closes old"),
            ("GET / HTTP/1.0\r\n\r\n", "GET  /  18 0 closes old"),
            ("GET http://o:1/a?b HTTP/1.1\r\nHost: t\r\n\r\n", "GET o:1 /a b 40 0 closes"),
            ("GET HTTPS://o?b HTTP/1.1\r\nHost: t\r\n\r\n", "GET o / b 37 0 closes"),
            ("GET / HTTP/1.1\nHost: t\n\n", "GET t /  24 0 closes"),
            ("\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\n", "GET t /  29 0 closes"),
            (
                "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
                "POST t /  75 chunked closes",
            ),
            ("OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n", "OPTIONS t *  31 0"),
        ] {
            assert_eq!(parsed(request), understood, "{request:?}");
        }
    }

    #[test]
    fn a_request_that_breaks_the_standard_is_refused() {
        for (line, fields, status) in [
            ("GET  / HTTP/1.1", "Host: t", 400),
            ("GET healthz HTTP/1.1", "Host: t", 400),
            ("GET t:80 HTTP/1.1", "Host: t", 400),
            ("GET ftp://t/ HTTP/1.1", "Host: t", 400),
            ("GET http:/// HTTP/1.1", "Host: t", 400),
            ("GET * HTTP/1.1", "Host: t", 400),
            ("CONNECT t:80 HTTP/1.1", "Host: t", 400),
            ("GET /# HTTP/1.1", "Host: t", 400),
            ("GET /\u{e9} HTTP/1.1", "Host: t", 400),
            ("GET / HTTP/1.2", "Host: t", 400),
            ("GET / HTTP/1.1", "Host : t", 400),
            ("GET / HTTP/1.1", "Host: t\r\n folded", 400),
            ("GET / HTTP/1.1", "Host: t\0", 400),
            ("GET / HTTP/1.1", "X: no host", 400),
            ("GET / HTTP/1.1", "Host: t\r\nHost: t", 400),
            ("POST / HTTP/1.0", "Host: t\r\nTransfer-Encoding: chunked", 400),
            ("POST / HTTP/1.1", "Host: t\r\nTransfer-Encoding: gzip, chunked", 501),
            ("POST / HTTP/1.1", "Host: t\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked", 501),
            ("POST / HTTP/1.1", "Host: t\r\nTransfer-Encoding: chunked, gzip", 400),
            ("POST / HTTP/1.1", "Host: t\r\nTransfer-Encoding: identity", 400),
            ("POST / HTTP/1.1", "Host: t\r\nTransfer-Encoding:", 400),
            ("POST / HTTP/1.1", "Host: t\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 501),
            ("POST / HTTP/1.1", "Host: t\r\nContent-Length: 5\r\nContent-Length: 5", 400),
            ("POST / HTTP/1.1", "Host: t\r\nContent-Length: 5, 5", 400),
            ("POST / HTTP/1.1", "Host: t\r\nContent-Length: +5", 400),
            ("POST / HTTP/1.1", "Host: t\r\nContent-Length: -5", 400),
            ("POST / HTTP/1.1", "Host: t\r\nContent-Length: 0x5", 400),
            ("POST / HTTP/1.1", "Host: t\r\nContent-Length:", 400),
            ("POST / HTTP/1.1", "Host: t\r\nContent-Length: 99999999999999999999", 400),
            ("POST / HTTP/1.1", "Host: t\r\nExpect: the best", 417),
        ] {
            assert_eq!(parsed(&format!("{line}\r\n{fields}\r\n\r\nhello")), status.to_string(), "{line} {fields}");
        }
    }

    #[test]
    fn a_list_may_be_on_several_lines() {
        let upgrade = HeaderName::from_static("upgrade");
        with("GET / HTTP/1.1\r\nHost: t\r\nUpgrade: h2c,\r\nupgrade: a, WebSocket\r\n\r\n", |head| {
            assert!(head.lists(&upgrade, "websocket") && head.lists(&upgrade, "H2C"));
            assert!(!head.lists(&upgrade, "web") && !head.lists(&upgrade, ""));
        });
    }
}
