//! The ordinary HTTP client: what publishes, and what the library clients ask with.

use std::time::Duration;

use bytes::Bytes;

/// What a client reads into to begin with, whatever the transport: hyper's own initial size, given
/// to the libraries that would take another.
pub(crate) const READ_BUFFER_BYTES: usize = 8 * 1024;

/// An HTTP client with a connection pool of its own: one browser tab.
pub(crate) fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    http_client_builder().build()
}

/// The body of a response, to its end, which lets the connection be used again; `None` where it is
/// longer than that.
pub(crate) async fn bounded_body(response: &mut reqwest::Response, longest: usize) -> reqwest::Result<Option<Bytes>> {
    let Some(first) = response.chunk().await? else { return Ok(Some(Bytes::new())) };
    let Some(second) = response.chunk().await? else { return Ok(Some(first).filter(|first| first.len() <= longest)) };
    let mut body = [first, second].concat();
    while body.len() <= longest {
        let Some(chunk) = response.chunk().await? else { return Ok(Some(body.into())) };
        body.extend_from_slice(&chunk);
    }
    Ok(None)
}

/// What every HTTP client of reqwest's is set to.
pub(crate) fn http_client_builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .http1_only()
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .tcp_nodelay(true)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_idle_timeout(None::<Duration>)
}
