//! Who receives: the libraries that Rust developers use, lean clients of our own, or a browser.
//!
//! What a library or a browser costs is measured by running the same cell with several. Nothing else
//! differs between them: same plan, same ledger, same histograms.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::transport::Transport;
use crate::wire::Wire;

/// A kind of client. Of several that received the same, the first in this order answers the question, because an answer
/// is the transport's and not a library's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Client {
    /// HTTP/1.1 and one parser a framing, of our own: the latency is the transport's, not a library's.
    #[default]
    Lean,
    /// reqwest, eventsource-client and tokio-tungstenite: what an application would use.
    Library,
    /// Pages in headless Chromium, with the small clients that the server offers: what a reader has.
    Browser,
}

impl Client {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Lean, Self::Library, Self::Browser];

    /// Those that are part of the generator's own process.
    pub const OF_THE_PROCESS: [Self; 2] = [Self::Lean, Self::Library];

    /// The name used in TOML, records and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::Lean => "lean",
            Self::Browser => "browser",
        }
    }

    /// Whether it can be had by a transport on a wire: a browser opens no raw TCP connection, and tokio-tungstenite has no
    /// permessage-deflate.
    #[must_use]
    pub const fn speaks(self, transport: Transport, wire: Wire) -> bool {
        match (self, transport) {
            (Self::Browser, Transport::RawTcp) => false,
            (Self::Library, Transport::WebSocket) => !wire.compressed,
            (Self::Library | Self::Lean | Self::Browser, _) => true,
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no client has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a client: take library, lean or browser")]
pub struct UnknownClient(pub String);

impl FromStr for Client {
    type Err = UnknownClient;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|client| client.name() == name).ok_or_else(|| UnknownClient(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_and_serialises_as_itself() {
        for client in Client::ALL {
            assert_eq!(client.name().parse(), Ok(client));
            assert_eq!(serde_json::to_string(&client).unwrap(), format!("\"{client}\""));
        }
        assert!("curl".parse::<Client>().unwrap_err().to_string().contains("library, lean or browser"));
    }
}
