//! The settings of a server. The wire contract documents the defaults.

use std::time::Duration;

use crate::http::{AllowedOrigin, HostName};
use crate::hub::Store;

/// The settings of one server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Names and addresses of the server, besides loopback and the listen address. Default: none.
    pub allow_hosts: Vec<HostName>,
    /// Origins whose pages may connect, besides the server's own host. Default: none.
    pub allow_origins: Vec<AllowedOrigin>,
    /// The bearer token that publishing and completing require. Default: none, anyone may.
    pub publish_token: Option<String>,
    /// The longest payload, in bytes. Default: 64 KiB.
    pub max_payload: usize,
    /// The longest NDJSON batch, in bytes; at least [`Self::max_payload`]. Default: 1 MiB.
    pub max_batch: usize,
    /// How many messages a topic keeps, at least 1. Default: 1,024.
    pub replay: usize,
    /// How many bytes of payload a topic keeps; the newest message is kept whatever its size.
    /// Default: 4 MiB.
    pub replay_bytes: usize,
    /// How many topics may have messages or be complete. Default: 10,000.
    pub max_topics: usize,
    /// The bound on all memory that the server keeps, in bytes: logs, batches, bodies, buffers and connections,
    /// as `docs/TRANSPORTS.md` counts them. Default: 1 GiB.
    pub memory: usize,
    /// Where topics are kept, if not in this process's memory. Default: in memory.
    pub store: Option<Store>,
    /// How long a topic without readers and publishes is safe from eviction. Default: 60 s.
    pub topic_idle: Duration,
    /// How many connections may be open, on both ports together. Default: 16,384.
    pub max_connections: usize,
    /// How long a stream may be idle before it carries a heartbeat. Default: 15 s.
    pub heartbeat: Duration,
    /// How long a request's head may take; for the first request, from the connection's start. Default: 10 s.
    pub head_timeout: Duration,
    /// How long a client may take none of the bytes that wait for it before it is disconnected. Default: 30 s.
    pub write_timeout: Duration,
    /// How long the body of a publish may take. Default: 30 s.
    pub body_timeout: Duration,
    /// How long a connection may be idle between two requests. Default: 75 s.
    pub keep_alive: Duration,
    /// Whether the live page may cut all connections and hold responses back, to show how each transport
    /// recovers. Default: no.
    pub demo: bool,
    /// Networks that the live page offers its lanes. Default: none.
    pub networks: Vec<OfferedNetwork>,
    /// Whether responses and messages are compressed for clients that take that. Default: no.
    pub compress: bool,
    /// Whether `/echo` is a WebSocket that sends each message back. Default: no.
    pub echo: bool,
    /// Over which time the subscribers are told of a shutdown, one after another. Default: 0, all at once.
    pub drain: Duration,
    /// How long a shutdown may take after that before open connections are cut. Default: 5 s.
    pub grace: Duration,
    /// For tests: slows all work for connections by this share of its own time, above 0. Default: none.
    pub slow: Option<f64>,
}

/// A network over which browsers reach the server.
#[derive(Clone, Debug)]
pub struct OfferedNetwork {
    /// Its short name.
    pub name: String,
    /// Whose network this is.
    pub says: String,
    /// The port that is forwarded over it, at the live page's host.
    pub port: u16,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            allow_hosts: Vec::new(),
            allow_origins: Vec::new(),
            publish_token: None,
            max_payload: 64 << 10,
            max_batch: 1 << 20,
            replay: 1024,
            replay_bytes: 4 << 20,
            max_topics: 10_000,
            memory: 1 << 30,
            store: None,
            topic_idle: Duration::from_mins(1),
            max_connections: 16_384,
            heartbeat: Duration::from_secs(15),
            head_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            demo: false,
            networks: Vec::new(),
            compress: false,
            echo: false,
            drain: Duration::ZERO,
            grace: Duration::from_secs(5),
            slow: None,
        }
    }
}
