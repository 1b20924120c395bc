//! A small, slow server of pushoff's protocol that can be told to misbehave.
//!
//! It is written from the protocol and the standards alone, so that the generator is not tested against code that
//! shares its mistakes.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::fake_transports;

/// What the server does with the message of one sequence number, on every topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Drops it silently.
    Loses(u64),
    /// Reports it missed instead of delivering it.
    Tells(u64),
    /// Delivers it twice.
    Repeats(u64),
    /// Delivers something else instead.
    Garbles(u64),
    /// Refuses every message but the greeting.
    Refuses,
    /// Refuses every n-th publish of a topic, with a text full of terminal control characters.
    RefusesEach(usize),
    /// Closes the connection instead of answering every n-th publish of a topic.
    HangsUpOnEach(usize),
    /// Drops it silently, and breaks every subscriber's first stream after the next message.
    LosesAndBreaks(u64),
    /// Delivers it altered.
    Alters(u64, Altered),
    /// Closes the connection instead of answering the n-th poll of all.
    HangsUpOnPoll(u32),
    /// Answers long polls at once, even without a message.
    NeverWaits,
    /// Never answers a publisher after the greeting.
    Stalls,
    /// Takes this long to answer the message of a topic that follows so many others.
    Pauses(u64, Duration),
}

/// How a message is altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Altered {
    /// An empty string replaces the body.
    Emptied,
    /// One letter of the body differs.
    Letter,
    /// An earlier due time.
    Due,
    /// The body of the previous message.
    Swapped,
}

#[derive(Debug)]
pub(crate) struct FakeServer {
    pub(crate) http: SocketAddr,
    pub(crate) raw_tcp: SocketAddr,
    logs: Arc<Logs>,
}

#[derive(Debug)]
pub(crate) struct Logs {
    pub(crate) fault: Fault,
    topics: Mutex<HashMap<String, Log>>,
    publishes: Mutex<HashMap<String, usize>>,
    /// How often it was asked what it uses.
    asked: AtomicU32,
    /// How often it was polled.
    polls: AtomicU32,
    pub(crate) changed: watch::Sender<()>,
}

#[derive(Clone, Debug, Default)]
struct Log {
    messages: Vec<String>,
    complete: bool,
}

/// What a subscriber receives.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Message(u64, String),
    Missed(u64),
}

/// Listens at a free port, and serves each connection by this function.
pub(crate) async fn listen<F>(serve: impl Fn(BufReader<TcpStream>) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(BufReader::new(stream)));
        }
    });
    address
}

impl FakeServer {
    pub(crate) async fn start(fault: Fault) -> Self {
        let logs = Logs::new(fault);
        let (for_http, for_raw) = (logs.clone(), logs.clone());
        Self {
            http: listen(move |stream| serve(stream, for_http.clone())).await,
            raw_tcp: listen(move |stream| fake_transports::raw_tcp(stream, for_raw.clone())).await,
            logs,
        }
    }

    /// Waits until a topic has that many messages.
    pub(crate) async fn has_taken(&self, messages: usize) {
        self.logs.have_taken(messages).await;
    }
}

impl Logs {
    pub(crate) fn new(fault: Fault) -> Arc<Self> {
        let (topics, publishes) = (Mutex::default(), Mutex::default());
        let (asked, polls) = (AtomicU32::default(), AtomicU32::default());
        Arc::new(Self { fault, topics, publishes, asked, polls, changed: watch::Sender::new(()) })
    }

    /// Waits until a topic has that many messages.
    pub(crate) async fn have_taken(&self, messages: usize) {
        let longest = || self.topics.lock().unwrap().values().map(|log| log.messages.len()).max();
        self.changed.subscribe().wait_for(|()| longest() >= Some(messages)).await.unwrap();
    }

    /// The events after a sequence number, the head, and whether the topic is complete.
    pub(crate) fn after(&self, topic: &str, after: u64) -> (Vec<Event>, u64, bool) {
        let log = self.topics.lock().unwrap().entry(topic.into()).or_default().clone();
        let mut events = Vec::new();
        for (sequence, payload) in (1..).zip(&log.messages).skip(usize::try_from(after).unwrap()) {
            let message = |payload: &str| Event::Message(sequence, payload.to_owned());
            match self.fault {
                Fault::Loses(n) | Fault::LosesAndBreaks(n) if n == sequence => {}
                Fault::Tells(n) if n == sequence => events.push(Event::Missed(1)),
                Fault::Repeats(n) if n == sequence => events.extend([message(payload), message(payload)]),
                Fault::Garbles(n) if n == sequence => events.push(message("\"noise\"")),
                Fault::Alters(n, what) if n == sequence => {
                    let before = &log.messages[usize::try_from(sequence).unwrap() - 2];
                    events.push(message(&altered(payload, before, what)));
                }
                _ => events.push(message(payload)),
            }
        }
        (events, log.messages.len() as u64, log.complete)
    }

    /// The number of this publish among those of its topic, from 1. The greeting is the first.
    fn numbered(&self, topic: &str) -> usize {
        let mut publishes = self.publishes.lock().unwrap();
        let number = publishes.entry(topic.into()).or_default();
        *number += 1;
        *number
    }

    /// Counts a poll; whether the connection is closed instead of answering it.
    pub(crate) fn hangs_up_on_this_poll(&self) -> bool {
        self.fault == Fault::HangsUpOnPoll(self.polls.fetch_add(1, Ordering::Relaxed) + 1)
    }

    pub(crate) fn publish(&self, topic: &str, payloads: &str) {
        let mut topics = self.topics.lock().unwrap();
        topics.entry(topic.into()).or_default().messages.extend(payloads.lines().map(str::to_owned));
        drop(topics);
        self.changed.send_replace(());
    }

    /// A quarter of a second of processor time for each time that it is asked.
    fn metrics(&self) -> String {
        let used = f64::from(self.asked.fetch_add(1, Ordering::Relaxed)) / 4.0;
        format!("process_cpu_seconds_total {used}\nprocess_resident_memory_bytes 7000000\n")
    }

    fn complete(&self, topic: &str) {
        self.topics.lock().unwrap().entry(topic.into()).or_default().complete = true;
        self.changed.send_replace(());
    }
}

fn altered(payload: &str, before: &str, what: Altered) -> String {
    let (head, body) = payload.split_at(payload.find("\"body\":").unwrap() + 7);
    match what {
        Altered::Emptied => format!("{head}\"\"}}"),
        Altered::Letter => format!("{head}{}", body.replacen("PUSH", "PUSS", 1)),
        Altered::Swapped => format!("{head}{}", before.split_once("\"body\":").unwrap().1),
        Altered::Due => {
            let (before, due) = head.split_once("\"due\":").unwrap();
            format!("{before}\"due\":1{}{body}", due.split_once(',').map(|it| format!(",{}", it.1)).unwrap())
        }
    }
}

/// One request's head and body.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) topic: String,
    pub(crate) transport: String,
    pub(crate) query: String,
    pub(crate) after: Option<u64>,
    pub(crate) body: String,
    /// All fields, their names in lower case.
    pub(crate) fields: HashMap<String, String>,
}

impl Request {
    pub(crate) fn raw(topic: String, after: Option<u64>) -> Self {
        Self { topic, after, ..Self::default() }
    }

    /// The answer to the key of a WebSocket's handshake, if the request is one (RFC 6455 §4.2.2).
    pub(crate) fn accept(&self) -> String {
        let key = self.fields.get("sec-websocket-key").map_or("", String::as_str);
        derive_accept_key(key.as_bytes())
    }

    /// The head by which a WebSocket begins.
    pub(crate) fn upgraded(&self) -> String {
        let accept = self.accept();
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: {accept}\r\n\r\n"
        )
    }
}

async fn serve(mut stream: BufReader<TcpStream>, logs: Arc<Logs>) -> io::Result<()> {
    while let Some(request) = read(&mut stream).await? {
        match (request.method.as_str(), request.transport.as_str()) {
            ("POST", _) => answer_publisher(&mut stream, &request, &logs).await?,
            ("HEAD", _) => respond(&mut stream, "204 No Content", "", "").await?,
            ("DELETE", _) => {
                logs.complete(&request.topic);
                respond(&mut stream, "204 No Content", "", "").await?;
            }
            (_, "short-polling" | "long-polling") => fake_transports::poll(&mut stream, &request, &logs).await?,
            (_, "http-streaming") => return fake_transports::http_streaming(stream, request, logs).await,
            (_, "sse") => return fake_transports::sse(stream, request, logs).await,
            (_, "websocket") => return fake_transports::websocket(stream, request, logs).await,
            _ => respond(&mut stream, "200 OK", "", &logs.metrics()).await?,
        }
    }
    Ok(())
}

async fn answer_publisher(stream: &mut BufReader<TcpStream>, request: &Request, logs: &Logs) -> io::Result<()> {
    let head = logs.after(&request.topic, 0).1;
    let (greeting, number) = (head == 0, logs.numbered(&request.topic));
    if let Fault::Pauses(after, pause) = logs.fault
        && head == after
    {
        tokio::time::sleep(pause).await;
    }
    match logs.fault {
        Fault::Refuses if !greeting => respond(stream, "401 Unauthorized", "", "no token").await,
        Fault::Stalls if !greeting => std::future::pending().await,
        Fault::RefusesEach(n) if number.is_multiple_of(n) => {
            respond(stream, "503 Service Unavailable", "", "\u{1b}[31moverloaded\n# <b>").await
        }
        Fault::HangsUpOnEach(n) if number.is_multiple_of(n) => Err(io::ErrorKind::ConnectionAborted.into()),
        _ => {
            logs.publish(&request.topic, &request.body);
            respond(stream, "201 Created", "", "{}").await
        }
    }
}

pub(crate) async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut parts = path.split('/').skip(2).map(str::to_owned);
    let (topic, transport) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let after = target.contains("after=start").then_some(0);
    let query = query.to_owned();
    let mut request = Request { method, topic, transport, query, after, ..Request::default() };
    let mut length = 0;
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).await?;
        let Some((name, value)) = header.trim().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "last-event-id" => request.after = value.trim().rsplit('-').next().and_then(|n| n.parse().ok()),
            _ => {}
        }
        request.fields.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    request.body = String::from_utf8(body).unwrap();
    Ok(Some(request))
}

pub(crate) async fn respond(
    stream: &mut BufReader<TcpStream>,
    status: &str,
    headers: &str,
    body: &str,
) -> io::Result<()> {
    let length = if status.starts_with("204") { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    stream.write_all(format!("HTTP/1.1 {status}\r\n{length}{headers}\r\n{body}").as_bytes()).await
}
