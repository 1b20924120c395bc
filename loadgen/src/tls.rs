//! TLS towards a server: which certificates are trusted, and which HTTP is agreed on by ALPN.
//!
//! Every connection makes a full handshake: a subscriber stands for another machine, which has no ticket of an earlier
//! session. Source: RFC 8446, RFC 7301; by rustls, with ring.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use pushoff_model::wire::Http;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Whose certificates are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Anchor {
    /// The authorities that this system trusts.
    #[default]
    System,
    /// The authorities in a PEM file.
    File(PathBuf),
    /// The one certificate with this SHA-256, whoever signed it.
    Certificate([u8; 32]),
    /// Every certificate.
    Anyone,
}

/// Why no TLS can be spoken to a server.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of authorities cannot be read.
    #[error("reading the certificates in {}: give --ca a PEM file of the authority that signed the server's", .0.display())]
    File(PathBuf, #[source] rustls::pki_types::pem::Error),
    /// The file holds none that can be used.
    #[error("{} holds no certificate of an authority: give --ca a PEM file of the one that signed the server's", .0.display())]
    Empty(PathBuf),
    /// The server's name can stand in no certificate.
    #[error("{0} is neither a host name nor an IP address, and no certificate can be for it")]
    Name(String),
    /// The system's authorities cannot be read.
    #[error("reading the certificates that this system trusts: name the authority with --ca FILE")]
    System(#[source] rustls::Error),
    /// A certificate's SHA-256 cannot be read.
    #[error("{0} is no SHA-256 of a certificate: wanted is sha256: and 64 hexadecimal digits")]
    Fingerprint(String),
}

/// How TLS is spoken to one server. Made anew for each trial.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    /// The anchor and the host that it was made of, for an agent that makes its own.
    asked: (Anchor, String),
}

impl Anchor {
    /// The certificate that a server names in its readiness line: `sha256:` and its SHA-256 in hexadecimal.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn fingerprint(text: &str) -> Result<Self, TlsError> {
        let wrong = || TlsError::Fingerprint(text.to_owned());
        let digits: Vec<u8> = text
            .strip_prefix("sha256:")
            .ok_or_else(wrong)?
            .bytes()
            .filter(|&byte| byte != b':')
            .map(|digit| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()
            .ok_or_else(wrong)?;
        let bytes: Vec<u8> =
            digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
        if digits.len() != 64 {
            return Err(wrong());
        }
        bytes.try_into().map(Self::Certificate).map_err(|_bytes: Vec<u8>| wrong())
    }

    fn config(&self) -> Result<ClientConfig, TlsError> {
        let provider = provider();
        let schemes = provider.signature_verification_algorithms;
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        // The provider of a cipher suite of every version has all versions.
        let builder = builder.map_err(TlsError::System)?;
        let own = |accepts| Arc::new(Accepting { accepts, schemes });
        Ok(match self {
            Self::System => builder.with_platform_verifier().map_err(TlsError::System)?.with_no_client_auth(),
            Self::File(path) => builder.with_root_certificates(roots(path)?).with_no_client_auth(),
            Self::Certificate(sha256) => {
                builder.dangerous().with_custom_certificate_verifier(own(Some(*sha256))).with_no_client_auth()
            }
            Self::Anyone => builder.dangerous().with_custom_certificate_verifier(own(None)).with_no_client_auth(),
        })
    }
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
    PROVIDER.clone()
}

fn roots(path: &PathBuf) -> Result<RootCertStore, TlsError> {
    let unreadable = |error| TlsError::File(path.clone(), error);
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        roots.add_parsable_certificates([certificate.map_err(unreadable)?]);
    }
    if roots.is_empty() { Err(TlsError::Empty(path.clone())) } else { Ok(roots) }
}

impl Tls {
    /// TLS to a host, in which this HTTP is agreed on.
    ///
    /// # Errors
    /// When the trusted certificates cannot be read, or the host has no name that a certificate can be for.
    pub fn new(anchor: &Anchor, host: &str, http: Http) -> Result<Self, TlsError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_error| TlsError::Name(host.to_owned()))?;
        let mut config = anchor.config()?;
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![alpn(http).to_vec()];
        Ok(Self { config: Arc::new(config), name, asked: (anchor.clone(), host.to_owned()) })
    }

    /// Whose certificates are trusted, and the server's name.
    pub(crate) const fn asked(&self) -> &(Anchor, String) {
        &self.asked
    }

    /// The same, for connections that resume the session of an earlier one of them.
    pub(crate) fn resuming(&self) -> Self {
        let mut config = ClientConfig::clone(&self.config);
        config.resumption = Resumption::in_memory_sessions(1);
        Self { config: Arc::new(config), ..self.clone() }
    }

    pub(crate) fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    pub(crate) fn name(&self) -> ServerName<'static> {
        self.name.clone()
    }
}

/// The protocol's name in ALPN (RFC 7301 §6, RFC 9113 §3.2).
pub(crate) const fn alpn(http: Http) -> &'static [u8] {
    match http {
        Http::One => b"http/1.1",
        Http::Two => b"h2",
    }
}

/// For clients of libraries that want TLS settings and never use them. It trusts nobody.
pub(crate) fn unused() -> Option<ClientConfig> {
    static UNUSED: LazyLock<Option<ClientConfig>> = LazyLock::new(|| {
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().ok()?;
        Some(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
    });
    UNUSED.clone()
}

/// Accepts one certificate, or any. The signature of the handshake is checked all the same.
struct Accepting {
    accepts: Option<[u8; 32]>,
    schemes: WebPkiSupportedAlgorithms,
}

impl fmt::Debug for Accepting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepting").field("accepts", &self.accepts).finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Accepting {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.accepts {
            Some(sha256) if Sha256::digest(certificate).as_slice() != sha256 => {
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
            Some(_) | None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.schemes)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.schemes)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_sha256_in_hexadecimal_with_or_without_colons() {
        let bytes = [0xab; 32];
        for text in [format!("sha256:{}", "ab".repeat(32)), format!("sha256:{}", ["AB"; 32].join(":"))] {
            assert_eq!(Anchor::fingerprint(&text).unwrap(), Anchor::Certificate(bytes), "{text}");
        }
        for wrong in ["", "sha256:", "sha1:ab", &"ab".repeat(32), &format!("sha256:{}", "g".repeat(64))] {
            assert!(Anchor::fingerprint(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_that_no_certificate_can_have_and_a_file_without_one_are_said() {
        assert!(matches!(Tls::new(&Anchor::Anyone, "a b", Http::One), Err(TlsError::Name(_))));
        let missing = Anchor::File("/nowhere.pem".into());
        assert!(matches!(Tls::new(&missing, "localhost", Http::One), Err(TlsError::File(..))));
        let empty = Anchor::File("/dev/null".into());
        assert!(matches!(Tls::new(&empty, "localhost", Http::One), Err(TlsError::Empty(_))));
        assert!(unused().is_some());
    }
}
