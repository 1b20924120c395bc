//! The server under load: where it listens, and the ordinary HTTP client that speaks to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pushoff_model::target::{Place, Target};

/// A server to be measured, found.
#[derive(Clone, Debug)]
pub struct Server {
    /// What it is and how it is spoken to.
    pub target: Arc<Target>,
    /// Where it speaks HTTP.
    pub http: SocketAddr,
    /// What it is called in the `Host` field of requests.
    pub authority: String,
    /// What stands before every path, without a slash at its end; often empty.
    pub base: String,
    /// Where it speaks raw TCP, if it does.
    pub raw_tcp: Option<SocketAddr>,
    /// Its processes, as far as they are ours to see, whose descendants are its too: what it uses is
    /// read from there. The end of the first is the end of the server.
    pub pids: Vec<u32>,
    /// How many processors it may use.
    pub cpus: f64,
}

impl Server {
    /// A target that was found to listen there, of whose processes nothing is known yet.
    #[must_use]
    pub fn at(target: Arc<Target>, http: SocketAddr) -> Self {
        let (authority, base) = match &target.place {
            Place::At(address) => (address.authority.to_string(), address.base.clone()),
            Place::Unsaid | Place::Started { .. } => (http.to_string(), String::new()),
        };
        let raw_tcp = target.raw_tcp;
        Self { target, http, authority, base, raw_tcp, pids: Vec::new(), cpus: 1.0 }
    }
}

/// What a client reads into to begin with, whatever the transport: hyper's own initial size, given
/// to the libraries that would take another.
pub(crate) const READ_BUFFER_BYTES: usize = 8 * 1024;

/// An HTTP client with a connection pool of its own: one browser tab.
///
/// # Errors
/// When the client library cannot be set up.
pub(crate) fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    http_client_builder().build()
}

/// What every HTTP client of reqwest's is set to.
pub(crate) fn http_client_builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .http1_only()
        .tcp_nodelay(true)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_idle_timeout(None::<Duration>)
}
