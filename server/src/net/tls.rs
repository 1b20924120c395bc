//! TLS 1.3 and 1.2 by rustls: who the server is, and connections over TLS. Sources: RFC 8446, RFC 7301.
//!
//! A session is resumed by tickets, which the server need not keep: an idle connection costs no session of its own.

use std::fmt::Write;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{TlsAcceptor, server};

use super::io::{Io, Progress};

/// HTTP/2 and HTTP/1.1 in ALPN, the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// How much TLS keeps of what its client does not read: a record. The library's own bound is four times as much.
const BUFFER_BYTES: usize = 16 << 10;

/// Who a server is over TLS: its certificate and its key.
#[derive(Clone)]
pub struct Identity(Arc<Known>);

/// Behind one pointer, since each connection's task has room for it, over TLS or not.
struct Known {
    acceptor: TlsAcceptor,
    fingerprint: String,
}

/// Why a server has no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file cannot be read, or holds no certificate or no key in PEM.
    #[error("reading {}: {}", .0.display(), "it must hold a certificate chain or a private key in PEM")]
    File(PathBuf, #[source] pem::Error),
    /// A certificate and its key do not belong together, or are of a kind that is not taken.
    #[error("the certificate and the key are refused")]
    Refused(#[source] rustls::Error),
    /// No certificate could be made.
    #[error("making a certificate")]
    Made(#[source] rcgen::Error),
}

impl Identity {
    /// A certificate of its own for these addresses and names, and for `localhost`.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub fn self_signed(
        addresses: impl IntoIterator<Item = IpAddr>,
        names: impl IntoIterator<Item = String>,
    ) -> Result<Self, IdentityError> {
        let addresses = addresses.into_iter().filter(|it| !it.is_unspecified()).map(|it| it.to_string());
        let own = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut all: Vec<String> = own.into_iter().chain(addresses).chain(names).collect();
        all.sort_unstable();
        all.dedup();
        let made = rcgen::generate_simple_self_signed(all).map_err(IdentityError::Made)?;
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        Self::new(vec![made.cert.der().clone()], key.into())
    }

    /// The certificate chain and the key of two files in PEM.
    ///
    /// # Errors
    /// When a file cannot be read, or they do not belong together.
    pub fn from_files(chain: &Path, key: &Path) -> Result<Self, IdentityError> {
        let unread = |path: &Path| {
            let path = path.to_owned();
            move |error| IdentityError::File(path, error)
        };
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(chain).and_then(Iterator::collect);
        let certificates = match certificates.map_err(unread(chain))? {
            none if none.is_empty() => return Err(unread(chain)(pem::Error::NoItemsFound)),
            certificates => certificates,
        };
        Self::new(certificates, PrivateKeyDer::from_pem_file(key).map_err(unread(key))?)
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, IdentityError> {
        let mut fingerprint = "sha256:".to_owned();
        for byte in Sha256::digest(chain.first().map_or(&[][..], |it| it)) {
            // Writing to a string has no error.
            write!(fingerprint, "{byte:02x}").unwrap_or_default();
        }
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.and_then(|config| config.with_no_client_auth().with_single_cert(chain, key));
        let mut config = config.map_err(IdentityError::Refused)?;
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
        config.ticketer = ring::Ticketer::new().map_err(IdentityError::Refused)?;
        Ok(Self(Arc::new(Known { acceptor: TlsAcceptor::from(Arc::new(config)), fingerprint })))
    }

    /// The SHA-256 of the certificate, as `sha256:` and 64 hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.0.fingerprint
    }

    /// The connection over TLS, once the client has shaken hands.
    pub(crate) async fn accept<T: Io>(&self, io: T) -> io::Result<TlsStream<T>> {
        let mut stream = self.0.acceptor.accept(io).await?;
        // What a client does not read is kept here, sealed, where nothing else counts it.
        stream.get_mut().1.set_buffer_limit(Some(BUFFER_BYTES));
        Ok(TlsStream(stream))
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("fingerprint", &self.0.fingerprint).finish_non_exhaustive()
    }
}

/// A connection over TLS.
pub(crate) struct TlsStream<T>(server::TlsStream<T>);

impl<T> TlsStream<T> {
    /// Whether the client chose HTTP/2.
    pub(crate) fn is_http2(&self) -> bool {
        self.0.get_ref().1.alpn_protocol() == Some(PROTOCOLS[0])
    }
}

impl<T: Io> Io for TlsStream<T> {
    fn progress(&self) -> Option<Progress> {
        self.0.get_ref().0.progress()
    }
}

impl<T: Io> AsyncRead for TlsStream<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<T: Io> AsyncWrite for TlsStream<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
