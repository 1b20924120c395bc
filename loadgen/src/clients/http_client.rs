//! The reqwest client that publishers and library clients use.

use std::time::Duration;

use pushoff_model::Http;

use crate::origin::{Origin, PlacedLayer};
use crate::server::Server;
use crate::tls;

/// The initial read buffer of every library client: hyper's default, set for the libraries that use another.
pub(crate) const READ_BUFFER_BYTES: usize = 8 * 1024;

/// A client of that server with its own connection pool, whose connections come from there.
pub(crate) fn http_client(server: &Server, origin: &Origin) -> Result<reqwest::Client, reqwest::Error> {
    http_client_builder(server, origin).build()
}

/// The common settings of all reqwest clients of a server. None asks for compressed content.
pub(crate) fn http_client_builder(server: &Server, origin: &Origin) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder();
    let builder =
        if origin.namespace.is_some() { builder.connector_layer(PlacedLayer(origin.clone())) } else { builder };
    let config = server.tls.as_ref().map(|tls| (**tls.config()).clone()).or_else(tls::unused);
    // Without settings, the library looks for those of the process, of which there are none.
    let builder = config.into_iter().fold(builder, reqwest::ClientBuilder::tls_backend_preconfigured);
    let all = [server.clone()].into_iter().chain((0..).zip(&*server.siblings).map(|(number, _)| server.nth(number)));
    let builder = all.fold(builder, |builder, server| match server.resolves() {
        Some(host) => builder.resolve(host, server.http),
        None => builder,
    });
    let builder = match server.wire.http {
        Http::One => builder.http1_only(),
        Http::Two => builder
            .http2_prior_knowledge()
            .http2_initial_stream_window_size(server.windows.stream)
            .http2_initial_connection_window_size(server.windows.connection),
    };
    builder
        .local_address(origin.address)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .gzip(false)
        .brotli(false)
        .zstd(false)
        .tcp_nodelay(true)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_idle_timeout(None::<Duration>)
}
