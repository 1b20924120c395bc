//! The connection to NATS.

use std::path::Path;

use anyhow::Context;
use async_nats::{Client, ConnectOptions};
use pushoff_model::target::redacted;

/// Connects to NATS at `url`, with the credentials of a file, if there is one.
///
/// # Errors
/// When nobody listens there, or the credentials are not taken.
pub(crate) async fn connect(url: &str, credentials: Option<&Path>) -> anyhow::Result<Client> {
    let options = match credentials {
        Some(file) => ConnectOptions::with_credentials_file(file)
            .await
            .with_context(|| format!("reading the NATS credentials in {}", file.display()))?,
        None => ConnectOptions::new(),
    };
    let connecting = options.name("pushoff").connect(url).await;
    connecting.with_context(|| format!("connecting to NATS at {}: is nats-server running there?", redacted(url)))
}
