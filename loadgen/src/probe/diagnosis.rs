//! Turns a failed probe into one sentence that names transport and URL and says what to do.
//!
//! The measuring client reports little about an answer that it cannot use. So the same request is sent once more by a
//! plain client, and its answer is examined.

use std::time::Duration;

use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, LOCATION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use pushoff_model::foreign::{SENTENCE, shown};
use pushoff_model::target::{Pointer, Units, Variable};
use pushoff_model::workload::Polling;
use pushoff_model::{RunClock, Transport};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;

use super::fault::{Fault, Symptom};
use super::{PATIENCE, unguessable_topic};
use crate::clients::{ConnectionError, SubscribeError, Subscription, http_client, newcomers_request, technique};
use crate::failure::chain;
use crate::origin::Origin;
use crate::server::Server;

/// How long to wait for an answer's head, and then for the first bytes of its body.
const LOOK: Duration = Duration::from_secs(2);
/// How many bytes of a text are quoted.
const SHOWN_BYTES: usize = 80;

/// Why a probe failed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A complete sentence.
    Plain(String),
    /// The client gave up.
    Subscribing(Box<SubscribeError>),
    /// Content without a payload was received; its first bytes.
    NotFound(Vec<u8>),
    /// The first message arrived only after many others were published.
    Buffered,
    /// No message arrived at all.
    Silence,
    /// This message never arrived, although the first did.
    Held(u64),
    /// The connection broke without a cut; the cause.
    Breaks(String),
    /// A message arrived twice on one connection, or in one answer.
    Twice,
    /// A message arrived after a later one.
    Disordered,
    /// This message never arrived, although later ones did on the same connection or in the same answer.
    Dropped(u64),
    /// Messages arrived again on another connection, or in another answer.
    Repeated,
    /// This many messages were missing when later ones arrived.
    Lost(u64),
}

impl Trouble {
    /// Whether examining an answer would add nothing.
    fn is_plain(&self) -> bool {
        if let Self::Subscribing(error) = self {
            return error.cause().is_plain();
        }
        matches!(self, Self::Plain(_) | Self::Twice | Self::Disordered | Self::Dropped(_))
    }

    /// The faults that show without an answer.
    fn symptoms(&self) -> Vec<Symptom> {
        let is_held = matches!(self, Self::Buffered);
        is_held
            .then(|| Symptom::of(Fault::Buffering, "messages come only when more are published"))
            .into_iter()
            .collect()
    }
}

/// The explanation of a failed probe.
#[derive(Debug)]
pub(super) struct Told {
    /// One sentence that names transport and URL and says what to do.
    pub(super) sentence: String,
    /// The faults that show.
    pub(super) symptoms: Vec<Symptom>,
}

/// The coding whose magic number these bytes begin with (RFC 1952 §2.3.1, RFC 8878 §3.1.1).
fn coding_of(bytes: &[u8]) -> Option<&'static str> {
    [("gzip", &b"\x1f\x8b"[..]), ("zstd", b"\x28\xb5\x2f\xfd")]
        .into_iter()
        .find(|(_, magic)| bytes.starts_with(magic))
        .map(|(coding, _)| coding)
}

fn unsaid_coding(coding: &str) -> String {
    format!("the content is compressed ({coding}) without a Content-Encoding; switch compression off for this path")
}

/// The server and the transport that were probed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probed<'a> {
    pub(super) server: &'a Server,
    pub(super) transport: Transport,
}

/// The examined part of an answer.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    head: HeaderMap,
    /// The first bytes of its body.
    body: Vec<u8>,
}

impl Probed<'_> {
    /// Explains a failed probe.
    pub(super) async fn told(self, trouble: Trouble) -> Told {
        let key = self.transport.name();
        if let Trouble::Plain(text) = trouble {
            return Told { sentence: format!("{key}: {text}"), symptoms: Vec::new() };
        }
        // The answer itself shows more than the client's error, unless that error is already complete.
        let seen = if trouble.is_plain() { None } else { self.seen().await };
        let (said, symptoms) = seen.unwrap_or_else(|| (self.alone(&trouble), trouble.symptoms()));
        Told { sentence: format!("{key} at {}: {said}", self.url()), symptoms }
    }

    /// Explains the failure from the client's error alone.
    fn alone(self, trouble: &Trouble) -> String {
        let key = self.transport.name();
        match trouble {
            Trouble::NotFound(unit) if coding_of(unit).is_some() => unsaid_coding(coding_of(unit).unwrap_or_default()),
            Trouble::NotFound(unit) => format!(
                "no message is found at {} of the content, which begins with {:?}; correct `payload` and `units` in [{key}]",
                pointer(self.payload()),
                String::from_utf8_lossy(unit)
            ),
            Trouble::Buffered => {
                "messages are held back: they come only when more are published; let the server send each at once, and \
                 let no proxy buffer this path (X-Accel-Buffering: no, proxy_buffering off)"
                    .into()
            }
            Trouble::Silence => format!(
                "no published message comes within {PATIENCE:?}: let no proxy buffer this path \
                 (X-Accel-Buffering: no, proxy_buffering off), and let [publish] and [{key}] name the same topic"
            ),
            Trouble::Held(index) => format!(
                "message {} does not come within {PATIENCE:?}: let no proxy buffer this path \
                 (proxy_buffering off), and compare `resume` in [{key}] with the server's ids",
                index + 1
            ),
            Trouble::Breaks(cause) => {
                format!("the connection breaks again and again: {cause}; correct the server, or the proxy before it")
            }
            Trouble::Twice => "a message comes twice on one connection: the server, or a proxy before it, sends it \
                               twice; let each be sent once"
                .into(),
            Trouble::Disordered => "messages come in another order than they were published in: the server, or a \
                                    proxy before it, reorders them; let it keep the order"
                .into(),
            Trouble::Dropped(index) => format!(
                "message {} never comes, although later ones do on the same connection: the server, or a proxy before it, \
                 drops it",
                index + 1
            ),
            Trouble::Repeated => format!(
                "a subscriber that reconnects receives messages again: it cannot resume by these ids; correct `id` and \
                 `resume` in [{key}], or leave `resume` out"
            ),
            Trouble::Lost(count) => format!(
                "a subscriber that reconnects, or polls again, misses {count} messages: it cannot resume by these ids; \
                 correct `id` and `resume` in [{key}], or leave `resume` out"
            ),
            Trouble::Subscribing(error) => match error.cause() {
                cause if cause.is_plain() => cause.to_string(),
                _other => format!("{}; correct [{key}]", chain(error)),
            },
            Trouble::Plain(text) => text.clone(),
        }
    }

    /// Explains the failure from a plain answer, if that shows the cause.
    async fn seen(self) -> Option<(String, Vec<Symptom>)> {
        let request = self.request()?;
        match timeout(LOOK, request.send()).await {
            Ok(Ok(answer)) => {
                let answer = read(answer).await;
                let symptoms = self.symptoms(&answer);
                self.said(answer).map(|said| (said, symptoms))
            }
            Ok(Err(_)) => None,
            Err(_elapsed) if self.transport == Transport::LongPolling => None,
            Err(_elapsed) => {
                let said = "the head of the answer does not come: a proxy holds the stream back until it has more or ends; \
                            let it not buffer this path (X-Accel-Buffering: no, proxy_buffering off)";
                let evidence = format!("not even the head of the answer comes within {LOOK:?}");
                Some((said.into(), vec![Symptom::of(Fault::Buffering, evidence)]))
            }
        }
    }

    /// The faults in a plain answer.
    fn symptoms(self, answer: &Answer) -> Vec<Symptom> {
        let Answer { status, body, .. } = answer;
        // Other refusals have other causes, which the sentence names.
        let is_of_the_handshake = match *status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => false,
            StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED => true,
            status => status.is_success() || status.is_client_error(),
        };
        if self.transport != Transport::WebSocket || !is_of_the_handshake {
            return Vec::new();
        }
        let mut symptoms = Vec::new();
        let says_old = memchr::memmem::find(body, b"HTTP/1.0").is_some();
        if says_old {
            let problem: Option<serde_json::Value> = serde_json::from_slice(body).ok();
            let detail = problem.as_ref().and_then(|problem| problem["detail"].as_str());
            let said = detail.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned);
            let evidence = format!("the server answers a handshake with {status}: {}", shown(said.trim(), SENTENCE));
            symptoms.push(Symptom::of(Fault::OldHttp, evidence));
        }
        // RFC 9110 §15.5.22: 426 asks for the Upgrade that was sent, and so did not arrive.
        let is_asked_for = *status == StatusCode::UPGRADE_REQUIRED;
        if !says_old || is_asked_for {
            let lost = if is_asked_for { ", which reached the server without Upgrade" } else { "" };
            symptoms.push(Symptom::of(Fault::NoUpgrade, format!("{status} to a WebSocket handshake{lost}")));
        }
        symptoms
    }

    /// Explains the failure from this answer.
    fn said(self, answer: Answer) -> Option<String> {
        let key = self.transport.name();
        let Answer { status, head, body } = answer;
        let begins = String::from_utf8_lossy(&body[..body.len().min(SHOWN_BYTES)]).into_owned();
        let field = |name| head.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
        let is_websocket = self.transport == Transport::WebSocket;
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            let location = field(LOCATION);
            return Some(format!("{status} to {location}: redirects are not followed; give that address instead"));
        }
        if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
            return Some(format!("{status}: add what the server asks for to `headers`, e.g. Authorization"));
        }
        if status == StatusCode::NOT_FOUND {
            return Some(format!("{status}: nothing is found at this path; correct `path` in [{key}]"));
        }
        if is_websocket && status != StatusCode::SWITCHING_PROTOCOLS {
            return Some(format!(
                "{status} to a WebSocket handshake: correct `path` in [{key}], or let the proxy pass Upgrade on"
            ));
        }
        if status.is_client_error() || status.is_server_error() {
            return Some(format!("{status}, {begins:?}: correct [{key}]"));
        }
        let encoding = field(CONTENT_ENCODING);
        if !encoding.is_empty() && encoding != "identity" {
            return Some(ConnectionError::Compressed(encoding.to_owned()).to_string());
        }
        if let Some(coding) = coding_of(&body) {
            return Some(unsaid_coding(coding));
        }
        let kind = field(CONTENT_TYPE);
        if kind.starts_with("text/html") || body.trim_ascii_start().starts_with(b"<") {
            return Some(format!(
                "HTML where {} should be: it begins with {begins:?}; correct `path` in [{key}]",
                self.wanted()
            ));
        }
        if self.transport == Transport::Sse && !kind.starts_with("text/event-stream") && status == StatusCode::OK {
            return Some(format!("content type {kind:?} where an event stream should be; correct `path` in [{key}]"));
        }
        None
    }

    /// The request of the measuring client, for a plain client.
    fn request(self) -> Option<reqwest::RequestBuilder> {
        let technique = self.server.target.dialect.technique(self.transport)?;
        let polling = Polling { interval: LOOK, wait: LOOK };
        let subscription = Subscription::new(self.server.clone(), unguessable_topic()?, polling, RunClock::start());
        let (url, mut fields) = newcomers_request(&subscription, technique).ok()?;
        if self.transport == Transport::WebSocket {
            fields.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
            fields.insert(UPGRADE, HeaderValue::from_static("websocket"));
            fields.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            fields.insert(SEC_WEBSOCKET_KEY, HeaderValue::try_from(generate_key()).ok()?);
        }
        Some(http_client(self.server, &Origin::default()).ok()?.get(url).headers(fields))
    }

    /// The URL, with a placeholder for the random topic.
    fn url(self) -> String {
        let (server, transport) = (self.server, self.transport);
        if transport == Transport::RawTcp {
            return server.raw_tcp.map_or_else(String::new, |address| format!("tcp://{address}"));
        }
        let mut path = String::new();
        if let Some(technique) = server.target.dialect.technique(transport) {
            technique.path.fill(&mut path, |variable| Some(if *variable == Variable::Topic { "TOPIC" } else { "25" }));
        }
        format!("{}://{}{}{path}", server.scheme(), server.authority, server.base)
    }

    fn payload(self) -> Option<Pointer> {
        technique(&self.server.target, self.transport).map(|technique| technique.parts.payload.clone())
    }

    fn wanted(self) -> &'static str {
        match self.server.target.dialect.technique(self.transport).map(|technique| &technique.units) {
            Some(Units::Events { .. }) => "an event stream",
            Some(Units::Lines) => "a line a message (NDJSON)",
            Some(Units::Texts | Units::Whole | Units::Array(_) | Units::Frames) | None => "JSON",
        }
    }
}

async fn read(mut answer: reqwest::Response) -> Answer {
    let (status, head) = (answer.status(), answer.headers().clone());
    let body = match timeout(LOOK, answer.chunk()).await {
        Ok(Ok(Some(chunk))) if status != StatusCode::SWITCHING_PROTOCOLS => chunk.to_vec(),
        _nothing_yet => Vec::new(),
    };
    Answer { status, head, body }
}

fn pointer(pointer: Option<Pointer>) -> String {
    let names = pointer.unwrap_or_default().0;
    if names.is_empty() { "the whole".to_owned() } else { names.iter().map(|name| format!("/{name}")).collect() }
}

/// The failure of a message that the server refused; `contract_at` is the address of a server that is only taken to
/// speak pushoff's wire contract.
pub(super) fn not_published(url: &str, reason: &str, contract_at: Option<&str>) -> Trouble {
    let says = |status: &str| reason.contains(&format!("answered {status}"));
    // Of a certificate the reason says what to do.
    if reason.contains("--ca FILE") {
        return Trouble::Plain(format!("publishing at {url} was refused: {reason}"));
    }
    if let (Some(at), Some(status)) = (contract_at, ["404", "405", "501"].into_iter().find(|status| says(status))) {
        return Trouble::Plain(format!(
            "nothing at {at} speaks pushoff's wire contract ({status}): correct the URL, or describe the server in a \
             TOML file (docs/TARGETS.md)"
        ));
    }
    let remedy = if says("401") || says("403") {
        "add what the server asks for to `headers`, e.g. Authorization"
    } else if says("404") {
        "correct `path` in [publish] of the file that describes this server (docs/TARGETS.md)"
    } else {
        "say under [publish] of a file how this server takes messages (docs/TARGETS.md)"
    };
    // Of an error page the status says it all.
    let reason = reason.split_once(": <").map_or(reason, |(status, _page)| status);
    Trouble::Plain(format!("publishing at {url} was refused: {reason}; {remedy}"))
}
