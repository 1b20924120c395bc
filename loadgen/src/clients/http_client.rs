//! The reqwest client that publishers and library clients use.

use std::time::Duration;

use bytes::Bytes;

use crate::origin::{Origin, PlacedLayer};

/// The initial read buffer of every library client: hyper's default, set for the libraries that use another.
pub(crate) const READ_BUFFER_BYTES: usize = 8 * 1024;

/// A client with its own connection pool, whose connections come from there.
pub(crate) fn http_client(origin: &Origin) -> Result<reqwest::Client, reqwest::Error> {
    http_client_builder(origin).build()
}

/// Reads the body to its end, so that the connection can be used again; `None` where it is longer than `longest`.
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

/// The common settings of all reqwest clients.
pub(crate) fn http_client_builder(origin: &Origin) -> reqwest::ClientBuilder {
    // The process has no provider of its own; one that is there already is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let builder = reqwest::Client::builder().gzip(false).brotli(false).zstd(false);
    let builder =
        if origin.namespace.is_some() { builder.connector_layer(PlacedLayer(origin.clone())) } else { builder };
    builder
        .local_address(origin.address)
        .http1_only()
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .tcp_nodelay(true)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_idle_timeout(None::<Duration>)
}
