//! Listens to a URL and publishes nothing: what arrivals alone tell about a stream.
//!
//! The same URL is asked for twice at once, with and without `Accept-Encoding: gzip`, so that what compression holds back
//! shows beside what it does not.

use std::time::Duration;

use futures_util::future::join;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, SERVER, VIA};
use http::{HeaderMap, HeaderValue, StatusCode, Version};
use pushoff_model::RunClock;
use pushoff_model::foreign::{NAME, shown};
use tokio::time::{sleep, timeout};

use super::fault::{Course, Fault, Flow, Idle, Symptom};
use super::heard::{Cutter, Heard};
use crate::clients::{ConnectionError, EventStream, fields_of, http_client, url};
use crate::origin::Origin;
use crate::server::Server;

/// The `Accept` field for an event stream or a stream of lines.
const STREAMS: &str = "text/event-stream, application/x-ndjson;q=0.9, */*;q=0.1";
/// Events from which on their arrivals are judged. Chosen here.
const ENOUGH: usize = 5;
/// A head that takes longer than this was held back until there was more. Chosen here.
const HEAD_WITHIN: Duration = Duration::from_secs(1);

/// A connection that breaks after a shorter silence did not break for its sake. Chosen here: no proxy's time-out is shorter.
const SILENCE: Duration = Duration::from_secs(1);

/// A URL to listen to.
#[derive(Clone, Debug)]
pub struct Listening {
    /// The server, found at its address.
    pub server: Server,
    /// Path and query.
    pub target: String,
    /// For how long events are judged.
    pub listen: Duration,
    /// For how long the connection is then held, to see whether silence cuts it.
    pub idle: Duration,
}

/// The result of listening to a URL.
#[derive(Clone, Debug, PartialEq)]
pub struct Listened {
    /// The content type of the answer, as far as it came.
    pub kind: String,
    /// Protocol, server and what else its head says of the way.
    pub head: String,
    /// How its events came.
    pub course: Course,
}

/// Why a URL could not be listened to.
#[derive(Debug, thiserror::Error)]
pub enum NotListened {
    /// Nobody answered.
    #[error("asking for the stream")]
    Http(#[source] ConnectionError),
    /// The request cannot be made.
    #[error("making the request")]
    Request(#[from] ConnectionError),
    /// The answer is no success.
    #[error("the answer is {0}, and no stream: correct the URL")]
    Status(StatusCode),
}

/// Whether the answer of a URL is a stream: by its content type, or because its head is held back.
///
/// # Errors
/// When nobody answers.
pub async fn is_stream(what: &Listening) -> Result<bool, NotListened> {
    match timeout(HEAD_WITHIN, what.request()?.send()).await {
        Err(_held_back) => Ok(true),
        Ok(answer) => {
            let answer = answer.map_err(|error| NotListened::Http(error.into()))?;
            Ok(answer.status().is_success() && is_known(&text(answer.headers(), &CONTENT_TYPE)))
        }
    }
}

fn is_known(kind: &str) -> bool {
    ["text/event-stream", "ndjson", "jsonl", "json-seq", "stream+json"].iter().any(|known| kind.contains(known))
}

/// Listens to a URL and judges how its events come.
///
/// # Errors
/// When nobody answers, or with an error.
pub async fn listen(what: &Listening) -> Result<Listened, NotListened> {
    let whole = what.listen + what.idle;
    let plain = hear(what.request()?, IDENTITY, sleep(whole));
    let compressed = hear(what.request()?, GZIP, sleep(whole));
    let (plain, compressed) = join(plain, compressed).await;
    if let Some(status) = plain.status.filter(|status| !status.is_success()) {
        return Err(NotListened::Status(status));
    }
    let course = course(what, &plain, &compressed);
    match (plain.status, plain.ending) {
        (None, Some(Ending::Failed(error))) => Err(NotListened::Http(error.into())),
        _ => Ok(Listened { kind: plain.kind, head: plain.says, course }),
    }
}

/// The faults, and the course of both answers.
fn course(what: &Listening, plain: &Answer, compressed: &Answer) -> Course {
    let mut symptoms = Vec::new();
    symptoms.extend(plain.buffering());
    let (events, arrivals) = (plain.body.events(), plain.body.bringing().count());
    let is_batched = events >= ENOUGH && arrivals * 2 <= events;
    if events >= ENOUGH && arrivals > 1 {
        symptoms.extend(compressed.holds_back(events, arrivals));
    }
    let is_cut = plain.is_broken();
    let idle = (is_cut || !what.idle.is_zero()).then(|| Idle { silence: plain.silence(what.listen), is_cut });
    if let Some(Idle { silence, is_cut: true }) = idle.filter(|idle| idle.silence >= SILENCE) {
        symptoms.push(Symptom::of(Fault::IdleCut, format!("the connection broke after {silence:.1?} without a byte")));
    }
    if plain.version.is_some_and(|version| version < Version::HTTP_11) {
        symptoms.push(Symptom::of(
            Fault::OldHttp,
            "the answer is HTTP/1.0, in which a stream's end is no other than its break",
        ));
    }
    let flow = match events {
        _ if is_cut => Flow::Cut,
        0 => Flow::Silent,
        _ if is_batched => Flow::Batched,
        _ => Flow::Streaming,
    };
    let first = plain.body.bringing().next().map(|arrival| arrival.at);
    Course {
        flow: flow.with(&symptoms),
        first,
        late: None,
        events,
        arrivals,
        coding: compressed.coding.clone(),
        idle,
        symptoms,
    }
}

impl Listening {
    fn request(&self) -> Result<reqwest::RequestBuilder, NotListened> {
        let (url, mut fields) = (url(&self.server, &self.target)?, fields_of(&self.server)?);
        fields.insert(ACCEPT, HeaderValue::from_static(STREAMS));
        let client = http_client(&self.server, &Origin::default()).map_err(|error| NotListened::Http(error.into()))?;
        Ok(client.get(url).headers(fields))
    }
}

pub(super) const IDENTITY: HeaderValue = HeaderValue::from_static("identity");
pub(super) const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// How a response ended.
#[derive(Debug)]
enum Ending {
    /// As it should.
    Ended,
    /// The connection broke.
    Failed(reqwest::Error),
}

/// One response.
#[derive(Debug, Default)]
pub(super) struct Answer {
    status: Option<StatusCode>,
    version: Option<Version>,
    kind: String,
    says: String,
    pub(super) coding: Option<String>,
    head_after: Duration,
    body: Heard,
    ending: Option<Ending>,
    /// When it ended, or was left.
    left: Duration,
}

/// Sends a request and reads its answer `until` then.
pub(super) async fn hear(
    request: reqwest::RequestBuilder,
    coding: HeaderValue,
    until: impl Future<Output = ()>,
) -> Answer {
    let clock = RunClock::start();
    let begun = clock.now();
    let mut answer = Answer::default();
    let reading = async {
        let mut response = request.header(ACCEPT_ENCODING, coding).send().await?;
        answer.begins(&response, clock.now().since(begun));
        while let Some(bytes) = response.chunk().await? {
            answer.body.take(clock.now().since(begun), &bytes);
        }
        Ok(())
    };
    let ending = tokio::select! {
        biased;
        () = until => None,
        ended = reading => Some(ended.map_or_else(Ending::Failed, |()| Ending::Ended)),
    };
    Answer { ending, left: clock.now().since(begun), ..answer }
}

fn text(head: &HeaderMap, name: &HeaderName) -> String {
    head.get(name).and_then(|value| value.to_str().ok()).map(|value| shown(value, NAME)).unwrap_or_default()
}

impl Answer {
    fn begins(&mut self, response: &reqwest::Response, after: Duration) {
        let head = response.headers();
        (self.status, self.version, self.head_after) = (Some(response.status()), Some(response.version()), after);
        self.kind = text(head, &CONTENT_TYPE).to_ascii_lowercase();
        let coding = text(head, &CONTENT_ENCODING).to_ascii_lowercase();
        let is_stream = self.kind.starts_with("text/event-stream");
        let cutter = if is_stream { Cutter::Events(EventStream::default()) } else { Cutter::default() };
        self.body = Heard::new(cutter, coding == "gzip");
        self.coding = Some(coding).filter(|coding| !coding.is_empty() && coding != "identity");
        let accel = HeaderName::from_static("x-accel-buffering");
        let said = [SERVER, VIA, accel].map(|name| (text(head, &name), name));
        let said = said.iter().filter(|(value, _)| !value.is_empty()).map(|(value, name)| format!(", {name}: {value}"));
        self.says = format!("{:?} {}{}", response.version(), self.kind, said.collect::<String>());
    }

    fn is_broken(&self) -> bool {
        self.status.is_some() && matches!(self.ending, Some(Ending::Failed(_)))
    }

    /// The longest silence, as far as it lasted into the time after `listen`; of a broken connection the last one.
    fn silence(&self, listen: Duration) -> Duration {
        self.body.silence(if self.is_broken() { self.left } else { listen.min(self.left) }, self.left)
    }

    /// Whether a buffer shows.
    fn buffering(&self) -> Option<Symptom> {
        let said = |evidence| Some(Symptom::of(Fault::Buffering, evidence));
        let events = self.body.events();
        let arrivals = self.body.bringing().count();
        if self.status.is_none() {
            return said(format!("not even the head of the answer came within {:.1?}", self.left));
        }
        if let Some((bytes, cuts)) = self.body.buffer() {
            return said(format!("{cuts} reads of mostly {bytes} bytes end in the middle of an event"));
        }
        (self.head_after > HEAD_WITHIN && events > 1 && arrivals == 1)
            .then(|| format!("the head came after {:.1?}, and {events} events with it", self.head_after))
            .and_then(said)
    }

    /// Whether compression holds events back that came in that many reads without it.
    pub(super) fn holds_back(&self, events: usize, arrivals: usize) -> Option<Symptom> {
        let mine = self.body.bringing().count();
        if mine * 2 > arrivals.min(events) {
            return None;
        }
        let coding = match (&self.coding, self.status) {
            (Some(coding), _) => coding,
            (None, None) => "gzip",
            // It is the answer without compression that is otherwise: nothing follows from that.
            (None, Some(_)) => return None,
        };
        let had = match self.status {
            None => "not even the head of the answer comes".to_owned(),
            Some(_) => format!("{} of {events} events come, in {mine} reads", self.body.events()),
        };
        Some(Symptom::of(
            Fault::Compression,
            format!("with Accept-Encoding: {coding}, {had}; without it they come in {arrivals}"),
        ))
    }
}
