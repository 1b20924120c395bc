//! The server under load: where it listens, and the ordinary HTTP client that speaks to it.

use std::net::SocketAddr;
use std::time::Duration;

use pushoff_model::Topic;
use reqwest::Url;

/// A server to be measured.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where it speaks HTTP.
    pub http: SocketAddr,
    /// Where it speaks raw TCP, if it does.
    pub raw_tcp: Option<SocketAddr>,
    /// Its processes, as far as they are ours to see, whose descendants are its too: what it uses is
    /// read from there. The end of the first is the end of the server.
    pub pids: Vec<u32>,
    /// How many processors it may use.
    pub cpus: f64,
    /// The bearer token that publishing needs.
    pub publish_token: Option<String>,
}

impl Server {
    /// The address of a topic, for publishing.
    pub(crate) fn topic(&self, topic: &Topic) -> Url {
        self.url(&format!("/topics/{topic}"))
    }

    /// The address of a topic on one transport.
    pub(crate) fn subscription(&self, topic: &Topic, transport: &str) -> Url {
        self.url(&format!("/topics/{topic}/{transport}"))
    }

    #[expect(clippy::expect_used, reason = "an address and a path of allowed characters make a URL")]
    pub(crate) fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.http).parse().expect("an address and a path make a URL")
    }

    /// The value of the `Authorization` header that publishing needs.
    pub(crate) fn authorization(&self) -> Option<String> {
        self.publish_token.as_ref().map(|token| format!("Bearer {token}"))
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
