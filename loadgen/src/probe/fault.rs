//! The faults between a server and its clients, each with its cure.
//!
//! A fault is found once, whatever the number of techniques that show it. The cures for nginx are directives of
//! `ngx_http_proxy_module` and `ngx_http_gzip_module`; docs/PROXIES.md shows them in their place.

use std::time::Duration;

use serde::Serialize;

/// A fault between a server and its clients. Each has one cure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Messages are held back until there are more, or until the end.
    Buffering,
    /// Compression holds messages back: its output is not flushed after each.
    Compression,
    /// A stream without data is cut.
    IdleCut,
    /// The server is spoken to by HTTP/1.0.
    OldHttp,
    /// The handshake of a WebSocket is not passed on, or is refused.
    NoUpgrade,
}

impl Fault {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 5] = [Self::Buffering, Self::Compression, Self::IdleCut, Self::OldHttp, Self::NoUpgrade];

    /// The fault in a few words.
    #[must_use]
    pub const fn says(self) -> &'static str {
        match self {
            Self::Buffering => "messages are held back in a buffer",
            Self::Compression => "compression holds messages back",
            Self::IdleCut => "a stream without data is cut",
            Self::OldHttp => "the server is spoken to by HTTP/1.0",
            Self::NoUpgrade => "the WebSocket handshake is refused",
        }
    }

    /// The lines for nginx, inside `location` unless a line says otherwise.
    #[must_use]
    pub const fn nginx(self) -> &'static [&'static str] {
        match self {
            Self::Buffering => &["proxy_buffering off;"],
            Self::Compression => &["gzip off;", "proxy_set_header Accept-Encoding \"\";"],
            Self::IdleCut => &["proxy_read_timeout 1h;"],
            Self::OldHttp => &["proxy_http_version 1.1;"],
            Self::NoUpgrade => &[
                "map $http_upgrade $connection_upgrade { default upgrade; '' ''; }  # in http { }",
                "proxy_http_version 1.1;",
                "proxy_set_header Upgrade $http_upgrade;",
                "proxy_set_header Connection $connection_upgrade;",
            ],
        }
    }

    /// The cure elsewhere.
    #[must_use]
    pub const fn elsewhere(self) -> &'static str {
        match self {
            Self::Buffering => {
                "switch response buffering off for this path; in the application, flush after each message and send \
                 X-Accel-Buffering: no"
            }
            Self::Compression => {
                "exclude text/event-stream and application/x-ndjson from compression, or have the compressor flush after \
                 each message"
            }
            Self::IdleCut => {
                "raise the idle or read time-out of this path, or have the server send a heartbeat more often than it (a \
                 comment in an event stream, an empty line, a WebSocket ping)"
            }
            Self::OldHttp => "have the proxy speak HTTP/1.1 to the server",
            Self::NoUpgrade => {
                "have the proxy pass on the fields Upgrade and Connection, over HTTP/1.1; if there is no proxy, correct \
                 the path"
            }
        }
    }
}

/// A fault as one technique shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symptom {
    /// The fault.
    pub fault: Fault,
    /// How that was seen.
    pub evidence: String,
}

impl Symptom {
    pub(super) fn of(fault: Fault, evidence: impl Into<String>) -> Self {
        Self { fault, evidence: evidence.into() }
    }
}

/// How messages come by one technique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// Each as it is sent.
    Streaming,
    /// Several at a time, though they were due apart.
    Batched,
    /// Only when there are more of them, or at the end.
    Buffered,
    /// Each as it is sent, until a silence cuts the stream.
    Cut,
    /// Not at all: the handshake of the WebSocket is refused.
    UpgradeRefused,
    /// None came, so that nothing is known.
    Silent,
}

impl Flow {
    /// The flow in words.
    #[must_use]
    pub const fn says(self) -> &'static str {
        match self {
            Self::Streaming => "streaming",
            Self::Batched => "batched",
            Self::Buffered => "buffered",
            Self::Cut => "cut when idle",
            Self::UpgradeRefused => "upgrade refused",
            Self::Silent => "silent",
        }
    }

    /// The flow with these symptoms.
    pub(super) fn with(self, symptoms: &[Symptom]) -> Self {
        let shows = |fault| symptoms.iter().any(|symptom| symptom.fault == fault);
        if !matches!(self, Self::Streaming | Self::Silent) {
            self
        } else if shows(Fault::Buffering) {
            Self::Buffered
        } else if shows(Fault::IdleCut) {
            Self::Cut
        } else {
            self
        }
    }
}

/// How a stream lived through silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idle {
    /// For how long no byte came, at the longest.
    pub silence: Duration,
    /// Whether the stream was cut at its end.
    pub is_cut: bool,
}

/// How the messages of one technique came.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// The verdict.
    pub flow: Flow,
    /// From the request to the first message.
    pub first: Option<Duration>,
    /// From the publication of a message to its arrival, at the median; `None` without a schedule.
    pub late: Option<Duration>,
    /// How many came, and how many at another time than the one before.
    pub events: usize,
    /// See [`Self::events`].
    pub arrivals: usize,
    /// The content coding of an answer, where one is compressed if a client takes that.
    pub coding: Option<String>,
    /// How the stream lived through silence, where that was tried.
    pub idle: Option<Idle>,
    /// The fault.
    pub symptoms: Vec<Symptom>,
}

impl Course {
    /// Adds what shows only beside what the same server sent meanwhile without a proxy.
    pub fn beside(&mut self, direct: &Self) {
        let is_held = direct.flow == Flow::Streaming && matches!(self.flow, Flow::Silent | Flow::Batched);
        if is_held && self.symptoms.is_empty() {
            let evidence = format!(
                "{} events come in {} reads, and without the proxy {} events in {}",
                self.events, self.arrivals, direct.events, direct.arrivals
            );
            self.symptoms.push(Symptom::of(Fault::Buffering, evidence));
            self.flow = self.flow.with(&self.symptoms);
        }
    }

    /// Whether something is wrong.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        !self.symptoms.is_empty() || self.flow == Flow::Cut
    }
}
