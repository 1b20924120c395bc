//! TLS of `pushoff serve`: where it listens, and with which certificate.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context, ensure};
use pushoff_server::{HostName, Identity};

use crate::arguments::{Listen, ServeOptions};

/// The port for HTTPS beside a chosen port for HTTP, as servers that are tried out have it.
const PORT: u16 = 8443;

/// Where the server listens over TLS and who it is there, if it does.
pub(super) fn asked(options: &ServeOptions) -> anyhow::Result<Option<(SocketAddr, Identity)>> {
    let identity = match (&options.tls, &options.tls_cert, &options.tls_key) {
        (Some(_), ..) => Some(self_signed(options)?),
        (None, Some(chain), Some(key)) => Some(Identity::from_files(chain, key).context("--tls-cert and --tls-key")?),
        (None, ..) => None,
    };
    let Some(identity) = identity else {
        let how = "give --tls self-signed, or --tls-cert and --tls-key";
        ensure!(options.tls_listen.is_none(), "--tls-listen needs a certificate: {how}");
        ensure!(options.listen != Listen(None), "with --listen none the server needs TLS: {how}");
        return Ok(None);
    };
    Ok(Some((address(options), identity)))
}

fn address(options: &ServeOptions) -> SocketAddr {
    options.tls_listen.unwrap_or_else(|| match options.listen {
        Listen(Some(clear)) if clear.port() == 0 => clear,
        Listen(Some(clear)) => SocketAddr::new(clear.ip(), PORT),
        Listen(None) => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT),
    })
}

fn self_signed(options: &ServeOptions) -> anyhow::Result<Identity> {
    let listen = [Some(address(options)), options.listen.0].into_iter().flatten().map(|it| it.ip());
    let (mut addresses, mut names): (Vec<IpAddr>, Vec<String>) = (listen.collect(), Vec::new());
    for host in &options.allow_host {
        match host {
            HostName::Address(address) => addresses.push(*address),
            HostName::Name(name) => names.push(name.clone()),
        }
    }
    Identity::self_signed(addresses, names).context("--tls self-signed")
}
