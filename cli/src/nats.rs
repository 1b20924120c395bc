//! Connecting to NATS, by a URL and a file of credentials.

use std::error::Error;
use std::path::Path;
use std::time::Duration;
use std::{io, iter};

use anyhow::{Context, anyhow, bail};
use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, ServerAddr, rustls};
use pushoff_model::target::redacted;
use tokio::fs;

/// How long the first connection may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest pause before another attempt to reconnect. Chosen here: a server of NATS that restarts is back in less
/// than a publisher waits.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How often a silent connection is tried, so that one that is cut without a word is noticed.
const PING: Duration = Duration::from_secs(10);

/// How many messages of a subscription may wait; NATS's client drops further ones.
const WAITING: usize = 1024;

/// Connects to the servers of a URL: one or several with commas, each `nats://` or `tls://`, and before an `@` a user
/// and a password, or a token. `credentials` is a file of NATS (`.creds`), or one with the seed of an nkey.
///
/// # Errors
/// When the URL or the credentials cannot be read, or no server lets this client in.
pub(crate) async fn connect(url: &str, credentials: Option<&Path>) -> anyhow::Result<Client> {
    let servers = servers(url)?;
    let mut options = ConnectOptions::new()
        .name("pushoff")
        .connection_timeout(PATIENCE)
        .ping_interval(PING)
        .subscription_capacity(WAITING)
        .reconnect_delay_callback(pause);
    let user = servers.iter().find_map(|server| Some((server.username()?, server.password())));
    options = match user {
        Some((user, Some(password))) => options.user_and_password(plain(user)?, plain(password)?),
        Some((token, None)) => options.token(plain(token)?),
        None => options,
    };
    if let Some(file) = credentials {
        options = with_credentials(options, file).await?;
    }
    options.connect(servers).await.map_err(|error| {
        let shown = redacted(url);
        if is_tls(&error) {
            return anyhow!(
                "TLS with NATS at {shown} failed: give the authority that signed its certificate in the environment variable \
                 SSL_CERT_FILE, as a PEM file ({error})"
            );
        }
        match error.kind() {
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
                anyhow!("NATS at {shown} refuses these credentials: give a user, a token or a file of credentials that it knows")
            }
            ConnectErrorKind::ServerParse
            | ConnectErrorKind::Dns
            | ConnectErrorKind::TimedOut
            | ConnectErrorKind::Io
            | ConnectErrorKind::Tls
            | ConnectErrorKind::MaxReconnects => {
                anyhow!("cannot reach NATS at {shown}: start it (`nats-server -js`), or give another address ({error})")
            }
        }
    })
}

/// Whether TLS is among the causes of an error: a certificate that is not trusted, say.
fn is_tls(error: &ConnectError) -> bool {
    let causes = iter::successors(error.source(), |&cause| cause.source());
    let within = |cause: &io::Error| cause.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
    error.kind() == ConnectErrorKind::Tls || causes.map(|cause| cause.downcast_ref()).any(|it| it.is_some_and(within))
}

/// The servers of a URL. Of a wrong one nothing before its last `@` is repeated: a password may hold a comma.
fn servers(url: &str) -> anyhow::Result<Vec<ServerAddr>> {
    let server = |text: &str| -> Option<ServerAddr> {
        let server: ServerAddr = text.trim().parse().ok()?;
        (!server.host().is_empty() && !server.is_websocket()).then_some(server)
    };
    let all: Option<Vec<_>> = url.split(',').map(server).collect();
    all.with_context(|| format!("{} is no address of NATS: give nats://HOST:PORT or tls://HOST:PORT", redacted(url)))
}

/// A part of a URL without its percent-encoding.
fn plain(part: &str) -> anyhow::Result<String> {
    let plain = percent_encoding::percent_decode_str(part).decode_utf8();
    Ok(plain.context("a user, a password or a token of NATS is UTF-8")?.into_owned())
}

async fn with_credentials(options: ConnectOptions, file: &Path) -> anyhow::Result<ConnectOptions> {
    let shown = file.display();
    let text = fs::read_to_string(file).await.with_context(|| format!("reading the credentials of NATS in {shown}"))?;
    let seed = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default();
    if text.contains("-----BEGIN NATS USER JWT-----") {
        return options.credentials(&text).with_context(|| format!("{shown} has no whole credentials of NATS"));
    }
    if !seed.starts_with('S') {
        bail!("{shown} has neither the seed of an nkey (it begins with SU) nor credentials of NATS (.creds)");
    }
    Ok(options.nkey(seed.to_owned()))
}

/// The pause before attempt number `attempts`.
fn pause(attempts: usize) -> Duration {
    let doublings = u32::try_from(attempts).unwrap_or(u32::MAX).min(10);
    Duration::from_millis(2_u64.pow(doublings)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_none_is_refused_without_its_secret() {
        for wrong in ["http://token@a", "ws://token@a", "nats://token@", "nats://me:token,@a:x", ""] {
            let error = servers(wrong).unwrap_err().to_string();
            assert!(error.contains("nats://HOST:PORT") && !error.contains("token"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_file_without_credentials_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("empty.creds");
        fs::write(&file, "# nothing\n").await.unwrap();
        assert!(with_credentials(ConnectOptions::new(), &file).await.is_err());
    }
}
