//! The options of `pushoff serve`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use pushoff_model::ByteCount;
use pushoff_server::{AllowedOrigin, HostName};

use super::percent;
use crate::values::{duration_in, processor, size_in, whole_in};

#[derive(Clone, Debug, Args)]
pub(crate) struct ServeOptions {
    /// Address for HTTP and WebSocket in the clear; port 0 takes a free port, "none" listens over TLS alone
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080", value_parser = listen)]
    pub(crate) listen: Listen,
    /// Listen over TLS as well, with a certificate made at the start for this server's addresses and --allow-host
    /// names; the readiness line has its fingerprint
    #[arg(long, value_name = "self-signed", value_parser = ["self-signed"])]
    pub(crate) tls: Option<String>,
    /// Listen over TLS as well, with the certificate chain of this PEM file
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with = "tls")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert, a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Address for HTTP and WebSocket over TLS [default: port 8443 of the --listen address, or a free one if that has
    /// port 0]
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    pub(crate) tls_listen: Option<SocketAddr>,
    /// Address for the raw TCP floor [default: none]
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    pub(crate) raw_tcp: Option<SocketAddr>,
    /// A host name or address of this server, besides loopback and the listen address; requests for any
    /// other host are answered 421; may be repeated
    #[arg(long, value_name = "HOST")]
    pub(crate) allow_host: Vec<HostName>,
    /// Another origin whose pages may connect (scheme, host and port; * for any); may be repeated
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<AllowedOrigin>,
    /// Keep topics in NATS JetStream, which several servers share: one or more servers of NATS with commas,
    /// nats:// or tls:// and HOST:PORT, before it USER:PASSWORD@ or TOKEN@, after a ? storage=file|memory or replicas=1 to 5
    /// (docs/FLEET.md) [default: in this process's memory]
    #[arg(long, value_name = "URL", env = "PUSHOFF_STORE", hide_env_values = true)]
    pub(crate) store: Option<String>,
    /// The credentials of --store: a .creds file of NATS, or a file with an nkey seed
    #[arg(long, value_name = "FILE", requires = "store", env = "PUSHOFF_STORE_CREDENTIALS")]
    pub(crate) store_credentials: Option<PathBuf>,
    /// Bearer token that publishing requires
    #[arg(long, value_name = "TOKEN", env = "PUSHOFF_PUBLISH_TOKEN", hide_env_values = true, value_parser = token)]
    pub(crate) publish_token: Option<String>,
    /// Let the live page cut all connections and stall the server, to show how each transport recovers
    #[arg(long)]
    pub(crate) demo: bool,
    /// A network that the live page offers its lanes: a built-in one (`pushoff list`) or a TOML file
    /// (docs/NETWORKS.md); several with commas, or the flag repeated. Each gets a free port of the --listen address
    #[arg(long, value_name = "NAME|FILE", value_delimiter = ',')]
    pub(crate) network: Vec<OsString>,
    /// Compress for clients that take it: polls and streams with zstd, gzip or br, a WebSocket with
    /// permessage-deflate; each connection then costs memory and processor time (docs/TRANSPORTS.md)
    #[arg(long)]
    pub(crate) compress: bool,
    /// Serve a WebSocket at /echo that sends each message back, for conformance suites
    #[arg(long)]
    pub(crate) echo: bool,
    /// Most memory that the server keeps, 16 MiB to 1 TiB and at least 64 times --max-payload
    /// [default: a quarter of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = size_in(MEMORY))]
    pub(crate) memory: Option<ByteCount>,
    /// Largest payload, 1 B to 16 MiB
    #[arg(long, value_name = "SIZE", default_value = "64KiB", value_parser = size_in(1..=16 << 20))]
    pub(crate) max_payload: ByteCount,
    /// Messages that a topic keeps for subscribers that come back, at most 4 MiB
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = whole_in(1..=1_000_000_usize))]
    pub(crate) replay: usize,
    /// Most topics with messages at a time
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = whole_in(1..=10_000_000_usize))]
    pub(crate) max_topics: usize,
    /// Most connections at a time, raw TCP included
    #[arg(long, value_name = "N", default_value_t = 15_000, value_parser = whole_in(1..=10_000_000_usize))]
    pub(crate) max_connections: usize,
    /// Send a heartbeat on a stream that is idle for this long, 100ms to 1h
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration_in(TENTH..=HOUR))]
    pub(crate) heartbeat: Duration,
    /// Close a connection whose request head takes longer to arrive, 100ms to 1h
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration_in(TENTH..=HOUR))]
    pub(crate) head_timeout: Duration,
    /// Disconnect a client that accepts no data for this long, 100ms to 1h
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration_in(TENTH..=HOUR))]
    pub(crate) write_timeout: Duration,
    /// Spread the end of all subscriptions over this time on SIGTERM, 0s to 1h, so that clients do not come back to
    /// the other servers all at once
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration_in(Duration::ZERO..=HOUR))]
    pub(crate) drain: Duration,
    /// Longest shutdown, after --drain: time for connections to end, 0s to 1h
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration_in(Duration::ZERO..=HOUR))]
    pub(crate) grace: Duration,
    /// Processors to run on, e.g. 0,1 [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = processor)]
    pub(crate) cpus: Vec<u32>,
    /// TCP's congestion control of all connections, e.g. cubic [default: the system's]
    #[arg(long, value_name = "NAME")]
    pub(crate) congestion_control: Option<String>,
    /// For tests: spend this much more processor time on every connection, e.g. 20%, to see whether
    /// `pushoff diff` finds it
    #[arg(long, value_name = "SHARE", value_parser = percent, hide_short_help = true)]
    pub(crate) slow: Option<f64>,
    /// Shut down when standard input closes, so that the server never outlives its parent
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
}

/// Where the server listens in the clear, if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listen(pub(crate) Option<SocketAddr>);

fn listen(text: &str) -> Result<Listen, &'static str> {
    if text == "none" { Ok(Listen(None)) } else { address(text).map(|address| Listen(Some(address))) }
}

const TENTH: Duration = Duration::from_millis(100);
const HOUR: Duration = Duration::from_hours(1);

/// The range of `--memory`, in bytes.
const MEMORY: RangeInclusive<u64> = 16 << 20..=1 << 40;

/// A bearer token (RFC 6750 §2.1).
fn token(text: &str) -> Result<String, &'static str> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let is_right = !text.is_empty() && text.len() <= 4096 && text.bytes().all(is_token);
    is_right.then(|| text.to_owned()).ok_or("a token is 1 to 4,096 of the characters A-Z a-z 0-9 - . _ ~ + / =")
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().or(Err("give an IP address and a port, e.g. 127.0.0.1:8080 or [::1]:0"))
}
