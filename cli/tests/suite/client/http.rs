//! HTTP/1.1 as a client speaks it: requests out, heads and bodies in.
//!
//! A body that breaks off is an error and one that ends properly is not: the tests of shutdown and
//! completion stand on that difference. Source: RFC 9112 §6 and §7.1.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use pushoff_model::Cursor;
use serde_json::Value;

use crate::server::DEADLINE;

/// What a client asks.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    /// A request without a body.
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), body: None }
    }

    /// A `GET`.
    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// A `POST` of `body` to `topic`.
    pub(crate) fn post(topic: &str, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        Self::new("POST", &format!("/topics/{topic}")).header("Content-Type", content_type).body(body)
    }

    /// A `POST` of one JSON payload to `topic`.
    pub(crate) fn post_json(topic: &str, payload: impl AsRef<[u8]>) -> Self {
        Self::post(topic, "application/json", payload)
    }

    /// The same with one more header.
    pub(crate) fn header(mut self, name: &str, value: &(impl ToString + ?Sized)) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// The same with this body.
    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = Some(body.as_ref().to_vec());
        self
    }

    /// The bytes as they go out to `host`.
    pub(crate) fn bytes(&self, host: SocketAddr) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {host}\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        if let Some(body) = &self.body {
            write!(head, "Content-Length: {}\r\n", body.len()).unwrap();
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }
}

/// Status and headers of a response.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// The status code.
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    /// A header's value, by its name in any case; several are joined with a comma.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .headers
            .iter()
            .filter(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Whether a comma-separated header holds `token`, in any case.
    pub(crate) fn lists(&self, name: &str, token: &str) -> bool {
        self.header(name).is_some_and(|list| {
            list.split(',').any(|entry| entry.trim().eq_ignore_ascii_case(token) || entry.trim() == "*")
        })
    }

    /// The cursor that a poll hands out for the next one.
    pub(crate) fn cursor(&self) -> Cursor {
        self.header("Last-Event-ID").unwrap_or_else(|| panic!("no Last-Event-ID in {self:?}")).parse().unwrap()
    }

    /// Asserts what holds for every response.
    pub(crate) fn assert_uncached_and_uncompressed(&self) {
        assert_eq!(self.header("Cache-Control").as_deref(), Some("no-store"), "{self:?}");
        assert_eq!(self.header("Content-Encoding"), None, "{self:?}");
    }

    /// The media type, without its parameters.
    pub(crate) fn media_type(&self) -> Option<String> {
        self.header("Content-Type").map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }
}

/// A whole response.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    head: Head,
    /// Its body, as text.
    pub(crate) text: String,
}

impl std::ops::Deref for Response {
    type Target = Head;

    fn deref(&self) -> &Head {
        &self.head
    }
}

impl Response {
    /// A response whose body was read otherwise.
    pub(crate) const fn of(head: Head, text: String) -> Self {
        Self { head, text }
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The lines of an NDJSON body.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Asserts that this is a problem document of that status.
    pub(crate) fn assert_problem(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.media_type().as_deref(), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], status, "{problem}");
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "{problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
        self.assert_uncached_and_uncompressed();
    }
}

/// One TCP connection to an HTTP server.
pub(crate) struct Connection {
    host: SocketAddr,
    stream: BufReader<TcpStream>,
    bodiless: bool,
}

impl Connection {
    /// Connects.
    pub(crate) fn open(host: SocketAddr) -> Self {
        Self::over(TcpStream::connect(host).unwrap(), host)
    }

    /// Speaks HTTP over a socket that is connected already.
    pub(crate) fn over(socket: TcpStream, host: SocketAddr) -> Self {
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.set_write_timeout(Some(DEADLINE)).unwrap();
        Self { host, stream: BufReader::new(socket), bodiless: false }
    }

    /// Sends a request.
    pub(crate) fn send(&mut self, request: &Request) {
        self.bodiless = request.method == "HEAD";
        self.send_bytes(&request.bytes(self.host)).unwrap();
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// Where the server has closed already.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// The socket beneath.
    pub(crate) fn socket(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// Reads a response's head.
    pub(crate) fn receive_head(&mut self) -> Head {
        read_head(&mut self.stream).unwrap_or_else(|error| panic!("reading a response's head: {error}"))
    }

    /// Reads a whole response; the connection is then free for the next request.
    pub(crate) fn receive(&mut self) -> Response {
        self.try_receive().unwrap_or_else(|error| panic!("reading a response: {error}"))
    }

    /// Reads a whole response.
    ///
    /// # Errors
    /// Where the server closes before its end.
    pub(crate) fn try_receive(&mut self) -> io::Result<Response> {
        let head = read_head(&mut self.stream)?;
        let mut body = Body { framing: Framing::of(&head, self.bodiless), stream: &mut self.stream };
        let mut text = String::new();
        body.read_to_string(&mut text)?;
        Ok(Response { head, text })
    }

    /// Reads the head of a response that stays open and hands over its body.
    pub(crate) fn into_body(mut self) -> (Head, BufReader<Body<BufReader<TcpStream>>>) {
        let head = self.receive_head();
        let framing = Framing::of(&head, self.bodiless);
        (head, BufReader::new(Body { framing, stream: self.stream }))
    }

    /// The bare stream, after an upgrade.
    pub(crate) fn into_stream(self) -> BufReader<TcpStream> {
        self.stream
    }

    /// Whether the server closes the connection without another byte.
    pub(crate) fn is_closed_by_server(&mut self) -> bool {
        match self.stream.fill_buf() {
            Ok(bytes) => bytes.is_empty(),
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }
}

fn read_head(stream: &mut impl BufRead) -> io::Result<Head> {
    let status_line = read_crlf_line(stream)?;
    let mut parts = status_line.splitn(3, ' ');
    assert!(parts.next().is_some_and(|version| version.starts_with("HTTP/1.")), "{status_line:?}");
    let status = parts.next().and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{status_line:?}"));
    let mut headers = Vec::new();
    loop {
        let line = read_crlf_line(stream)?;
        if line.is_empty() {
            return Ok(Head { status, headers });
        }
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{line:?}"));
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn read_crlf_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(io::Error::new(ErrorKind::UnexpectedEof, format!("a line broke off: {line:?}"))),
    }
}

/// How a body's end is told. Source: RFC 9112 §6.3.
#[derive(Clone, Copy, Debug)]
enum Framing {
    Length(u64),
    /// Bytes left of the present chunk; `None` before its size line.
    Chunked(Option<u64>),
    UntilClose,
}

impl Framing {
    fn of(head: &Head, bodiless: bool) -> Self {
        if bodiless || head.status < 200 || head.status == 204 || head.status == 304 {
            return Self::Length(0);
        }
        if head.lists("Transfer-Encoding", "chunked") {
            return Self::Chunked(None);
        }
        head.header("Content-Length").map_or(Self::UntilClose, |length| Self::Length(length.parse().unwrap()))
    }
}

/// A body without its framing: reads 0 at its proper end and fails where it breaks off.
pub(crate) struct Body<S> {
    framing: Framing,
    stream: S,
}

impl<S: BufRead> Body<S> {
    /// The size of the next chunk, its line included in what is read.
    fn next_chunk(&mut self) -> io::Result<u64> {
        let line = read_crlf_line(&mut self.stream)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        u64::from_str_radix(size, 16).map_err(|error| io::Error::other(format!("chunk size {line:?}: {error}")))
    }

    fn read_at_most(&mut self, limit: u64, buffer: &mut [u8]) -> io::Result<u64> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(buffer.len());
        if limit == 0 {
            // Reading nothing would still wait for the buffer beneath to have something.
            return Ok(0);
        }
        match self.stream.read(&mut buffer[..limit])? {
            0 => Err(io::Error::new(ErrorKind::UnexpectedEof, "the body broke off")),
            read => Ok(read as u64),
        }
    }
}

impl<S: BufRead> Read for Body<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match self.framing {
            Framing::UntilClose => return self.stream.read(buffer),
            Framing::Length(left) => {
                let read = self.read_at_most(left, buffer)?;
                self.framing = Framing::Length(left - read);
                read
            }
            Framing::Chunked(left) => {
                let left = left.map_or_else(|| self.next_chunk(), Ok)?;
                if left == 0 {
                    let trailer = read_crlf_line(&mut self.stream)?;
                    assert_eq!(trailer, "", "no trailers are expected");
                    self.framing = Framing::Length(0);
                    return Ok(0);
                }
                let read = self.read_at_most(left, buffer)?;
                self.framing = Framing::Chunked(Some(left - read));
                if left == read {
                    assert_eq!(read_crlf_line(&mut self.stream)?, "", "a chunk ends with CRLF");
                    self.framing = Framing::Chunked(None);
                }
                read
            }
        };
        Ok(usize::try_from(read).unwrap_or(usize::MAX))
    }
}
