//! The five push techniques and the raw TCP floor: the closed list that everything matches on.
//!
//! A seventh transport is a variant here, a file and a match arm in `server/transports`, the same
//! in `loadgen/clients`, and a section of `docs/TRANSPORTS.md`. Nothing else changes.

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

    /// The name used in URLs, files, TOML and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ShortPolling => "short-polling",
            Self::LongPolling => "long-polling",
            Self::HttpStreaming => "http-streaming",
            Self::Sse => "sse",
            Self::WebSocket => "websocket",
            Self::RawTcp => "raw-tcp",
        }
    }

    /// The name as prose writes it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ShortPolling => "short polling",
            Self::LongPolling => "long polling",
            Self::HttpStreaming => "HTTP streaming",
            Self::Sse => "SSE",
            Self::WebSocket => "WebSocket",
            Self::RawTcp => "raw TCP",
        }
    }

    /// The technique in one sentence, for `pushoff list` and the report.
    #[must_use]
    pub const fn summary(self) -> &'static str {
        match self {
            Self::ShortPolling => "the client asks on a timer and is answered at once",
            Self::LongPolling => "the client asks and is answered when there is something to say",
            Self::HttpStreaming => "one HTTP response that never ends, a JSON line a message",
            Self::Sse => "an event stream, read by the browser's EventSource",
            Self::WebSocket => "text frames in both directions on one upgraded connection",
            Self::RawTcp => "length-prefixed messages on a bare socket: the floor, never ranked",
        }
    }

    /// Whether the transport is a candidate. The floor is shown beside the five and never ranked.
    #[must_use]
    pub const fn is_ranked(self) -> bool {
        match self {
            Self::ShortPolling | Self::LongPolling | Self::HttpStreaming | Self::Sse | Self::WebSocket => true,
            Self::RawTcp => false,
        }
    }

    /// Whether a message costs the client a request: its figures carry requests and empty polls.
    #[must_use]
    pub const fn is_polling(self) -> bool {
        match self {
            Self::ShortPolling | Self::LongPolling => true,
            Self::HttpStreaming | Self::Sse | Self::WebSocket | Self::RawTcp => false,
        }
    }

    /// Whether a client can publish on the connection that it subscribes with. The others send
    /// by `POST` beside it.
    #[must_use]
    pub const fn sends_on_its_own_connection(self) -> bool {
        match self {
            Self::WebSocket => true,
            Self::ShortPolling | Self::LongPolling | Self::HttpStreaming | Self::Sse | Self::RawTcp => false,
        }
    }

    /// How little a team must build and operate, 1 the least: what decides where figures cannot.
    ///
    /// Chosen here: short polling is a timer and an ordinary request; SSE reconnects and resumes
    /// in the browser by itself; HTTP streaming needs a parser; long polling a re-arming loop and
    /// a server that parks requests; WebSocket another protocol, its own reconnect and resume,
    /// and proxies that let it through.
    #[must_use]
    pub const fn simplicity(self) -> u8 {
        match self {
            Self::ShortPolling => 1,
            Self::Sse => 2,
            Self::HttpStreaming => 3,
            Self::LongPolling => 4,
            Self::WebSocket => 5,
            Self::RawTcp => 6,
        }
    }
}

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
