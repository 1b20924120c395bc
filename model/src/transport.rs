//! The five push techniques and the raw TCP floor: the closed list that everything matches on.
//!
//! A seventh transport is a variant and a row of [`Traits`] here, its bytes in `overhead.rs`, a file and a
//! match arm on each side (`server/src/transports`, `loadgen/src/clients`), and a section of
//! `docs/TRANSPORTS.md`. Reports, planner and command line read [`Traits`] and name no variant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A way for a server to push messages to a client.
///
/// Sources: RFC 6202 (polling, HTTP streaming), WHATWG HTML §9.2 (SSE), RFC 6455 (WebSocket).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// The client asks again on a timer; every response ends at once.
    ShortPolling,
    /// The client asks again when it was answered; a response waits for the first message.
    LongPolling,
    /// One response that never ends, one JSON line a message.
    HttpStreaming,
    /// An event stream, as the browser's `EventSource` reads it.
    Sse,
    /// Text frames over an upgraded connection, in both directions.
    #[serde(rename = "websocket")]
    WebSocket,
    /// Length-prefixed messages on a bare socket: what the machine itself costs. Never ranked.
    RawTcp,
}

impl Transport {
    /// Every transport, the floor last.
    pub const ALL: [Self; 6] =
        [Self::ShortPolling, Self::LongPolling, Self::HttpStreaming, Self::Sse, Self::WebSocket, Self::RawTcp];

    /// Every fact about the transport that is not code: one row each.
    #[must_use]
    pub const fn traits(self) -> &'static Traits {
        match self {
            Self::ShortPolling => &SHORT_POLLING,
            Self::LongPolling => &LONG_POLLING,
            Self::HttpStreaming => &HTTP_STREAMING,
            Self::Sse => &SSE,
            Self::WebSocket => &WEBSOCKET,
            Self::RawTcp => &RAW_TCP,
        }
    }

    /// The name used in URLs, files, TOML and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.traits().name
    }

    /// The name as prose writes it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.traits().label
    }

    /// The technique in one sentence, for `pushoff list` and the report.
    #[must_use]
    pub const fn summary(self) -> &'static str {
        self.traits().summary
    }

    /// Whether the transport is a candidate. The floor is shown beside the five and never ranked.
    #[must_use]
    pub const fn is_ranked(self) -> bool {
        self.traits().is_ranked
    }

    /// Whether a message costs the client a request: its figures carry requests and empty polls.
    #[must_use]
    pub const fn is_polling(self) -> bool {
        self.traits().polls.is_some()
    }

    /// Whether the client asks at an interval, whether or not there is a message.
    #[must_use]
    pub const fn polls_on_a_timer(self) -> bool {
        matches!(self.traits().polls, Some(Polls::OnATimer))
    }

    /// Whether a client can publish on the connection that it subscribes with. The others send
    /// by `POST` beside it.
    #[must_use]
    pub const fn sends_on_its_own_connection(self) -> bool {
        self.traits().is_duplex
    }

    /// How little a team must build and operate, 1 the least: see [`Traits::simplicity`].
    #[must_use]
    pub const fn simplicity(self) -> u8 {
        self.traits().simplicity
    }
}

/// The facts about a transport that reports, planner and command line read instead of its name.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    /// The name used in URLs, files, TOML and on the command line.
    pub name: &'static str,
    /// Other names that the command line takes, and nothing else does.
    pub aliases: &'static [&'static str],
    /// The name as prose writes it.
    pub label: &'static str,
    /// The technique in one sentence.
    pub summary: &'static str,
    /// Whether the transport is a candidate: the floor is not.
    pub is_ranked: bool,
    /// How a client polls; `None` where the server pushes into an open connection.
    pub polls: Option<Polls>,
    /// Whether a client publishes on the connection that it subscribes with.
    pub is_duplex: bool,
    /// Whether it is carried by HTTP, so that requests have heads.
    pub is_http: bool,
    /// The crate with which a Rust program receives: the library client.
    pub library: &'static str,
    /// Round trips before the first message can arrive, without TLS and name resolution: one for TCP
    /// (RFC 9293 §3.5) and one for the request, which the upgrade of RFC 6455 §4 is too.
    pub round_trips_to_open: u8,
    /// How little a team must build and operate, 1 the least: decides where figures cannot. Chosen here.
    pub simplicity: u8,
    /// Why [`Self::simplicity`] is what it is.
    pub why_so_simple: &'static str,
    /// Its colour on paper and at night, variants of Okabe & Ito's, and among a terminal's 256.
    pub colour: Colour,
    /// The outline of its marker around the origin, as SVG path data, some 20 units wide.
    pub marker: &'static str,
    /// The dashes of its line in a chart, as SVG has them.
    pub dashes: &'static str,
}

/// How a client polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polls {
    /// At an interval; every response ends at once.
    OnATimer,
    /// Again as soon as it was answered; a response waits for the first message.
    WhenAnswered,
}

/// A transport's colour, wherever it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Colour {
    /// On a light ground, `#RRGGBB`.
    pub light: &'static str,
    /// On a dark ground, `#RRGGBB`.
    pub dark: &'static str,
    /// The nearest among the 256 of a terminal that reads on either ground.
    pub terminal: u8,
}

const SHORT_POLLING: Traits = Traits {
    name: "short-polling",
    aliases: &["polling", "short-poll"],
    label: "short polling",
    summary: "the client asks on a timer and is answered at once",
    is_ranked: true,
    polls: Some(Polls::OnATimer),
    is_duplex: false,
    is_http: true,
    library: "reqwest",
    round_trips_to_open: 2,
    simplicity: 1,
    why_so_simple: "a timer and an ordinary request",
    colour: Colour { light: "#946000", dark: "#F0B840", terminal: 136 },
    marker: "M-10,0a10,10 0 1,0 20,0a10,10 0 1,0 -20,0z",
    dashes: "3 9",
};

const LONG_POLLING: Traits = Traits {
    name: "long-polling",
    aliases: &["long-poll", "longpolling"],
    label: "long polling",
    summary: "the client asks and is answered when there is something to say",
    is_ranked: true,
    polls: Some(Polls::WhenAnswered),
    is_duplex: false,
    is_http: true,
    library: "reqwest",
    round_trips_to_open: 2,
    simplicity: 4,
    why_so_simple: "a loop that asks again, and a server that holds requests",
    colour: Colour { light: "#C04A00", dark: "#F58A4B", terminal: 166 },
    marker: "M-9,-9h18v18h-18z",
    dashes: "24 9 3 9",
};

const HTTP_STREAMING: Traits = Traits {
    name: "http-streaming",
    aliases: &["streaming", "http-stream"],
    label: "HTTP streaming",
    summary: "one HTTP response that never ends, a JSON line a message",
    is_ranked: true,
    polls: None,
    is_duplex: false,
    is_http: true,
    library: "reqwest",
    round_trips_to_open: 2,
    simplicity: 3,
    why_so_simple: "a parser of lines, and a reconnect and resume of one's own",
    colour: Colour { light: "#00795A", dark: "#2FC79A", terminal: 35 },
    marker: "M0,-12L12,9H-12z",
    dashes: "36 12",
};

const SSE: Traits = Traits {
    name: "sse",
    aliases: &["event-stream", "eventsource", "server-sent-events"],
    label: "SSE",
    summary: "an event stream, read by the browser's EventSource",
    is_ranked: true,
    polls: None,
    is_duplex: false,
    is_http: true,
    library: "eventsource-client",
    round_trips_to_open: 2,
    simplicity: 2,
    why_so_simple: "the browser parses, reconnects and resumes by itself",
    colour: Colour { light: "#005C94", dark: "#5CB3EC", terminal: 32 },
    marker: "M0,-13L13,0L0,13L-13,0z",
    dashes: "18 9",
};

const WEBSOCKET: Traits = Traits {
    name: "websocket",
    aliases: &["ws", "websockets", "web-socket"],
    label: "WebSocket",
    summary: "text frames in both directions on one upgraded connection",
    is_ranked: true,
    polls: None,
    is_duplex: true,
    is_http: true,
    library: "tokio-tungstenite",
    round_trips_to_open: 2,
    simplicity: 5,
    why_so_simple: "a protocol of its own, a reconnect and resume of one's own, and proxies that must let it through",
    colour: Colour { light: "#9C3F74", dark: "#E394C0", terminal: 169 },
    marker: "M-10,-6L-6,-10L0,-4L6,-10L10,-6L4,0L10,6L6,10L0,4L-6,10L-10,6L-4,0z",
    dashes: "none",
};

/// The floor's marker is a plain dot, small enough to read as none.
const RAW_TCP: Traits = Traits {
    name: "raw-tcp",
    aliases: &["tcp", "raw"],
    label: "raw TCP",
    summary: "length-prefixed messages on a bare socket: the floor, never ranked",
    is_ranked: false,
    polls: None,
    is_duplex: false,
    is_http: false,
    library: "tokio",
    round_trips_to_open: 1,
    simplicity: 6,
    why_so_simple: "no browser speaks it",
    colour: Colour { light: "#6B6B6B", dark: "#9A9A9A", terminal: 245 },
    marker: "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0z",
    dashes: "none",
};

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no transport has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a transport: take one of short-polling, long-polling, http-streaming, sse, websocket, raw-tcp")]
pub struct UnknownTransport(pub String);

impl FromStr for Transport {
    type Err = UnknownTransport;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|transport| transport.name() == name)
            .ok_or_else(|| UnknownTransport(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_and_serialises_as_itself() {
        for transport in Transport::ALL {
            assert_eq!(transport.name().parse(), Ok(transport));
            assert_eq!(serde_json::to_string(&transport).unwrap(), format!("\"{transport}\""));
        }
    }

    #[test]
    fn the_error_for_an_unknown_name_lists_every_name() {
        let message = "http3".parse::<Transport>().unwrap_err().to_string();
        for transport in Transport::ALL {
            assert!(message.contains(transport.name()), "{message}");
        }
    }
}
