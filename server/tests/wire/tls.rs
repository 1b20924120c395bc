//! TLS: the version of HTTP by ALPN, long writes, and clients that do not shake hands.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use h2::client::Builder;
use pushoff_server::Config;
use pushoff_server::{Https, Identity, Listeners};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::http2::{Client, until};
use super::{PATIENCE, Running};

/// Trusts the certificate with this fingerprint.
#[derive(Debug)]
struct Pinned(String, CryptoProvider);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut found = "sha256:".to_owned();
        Sha256::digest(end).iter().for_each(|byte| write!(found, "{byte:02x}").unwrap());
        assert_eq!(found, self.0);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.1.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.1.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.1.signature_verification_algorithms.supported_schemes()
    }
}

async fn start(config: Config) -> (Running, std::net::SocketAddr, String) {
    let identity = Identity::self_signed([], ["push.example".to_owned()]).unwrap();
    let fingerprint = identity.fingerprint().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listeners =
        Listeners { http: None, https: Some(Https { listener, identity }), networks: Vec::new(), raw_tcp: None };
    (Running::with(listeners, config, address, address), address, fingerprint)
}

async fn connect(address: std::net::SocketAddr, fingerprint: &str, protocols: &[&str]) -> TlsStream<TcpStream> {
    let provider = ring::default_provider();
    let verifier = Arc::new(Pinned(fingerprint.to_owned(), provider.clone()));
    let config = ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions();
    let config = config.unwrap().dangerous().with_custom_certificate_verifier(verifier);
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("push.example").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

#[tokio::test]
async fn the_version_of_http_is_chosen_by_alpn() {
    let (_server, address, fingerprint) = start(Config::default()).await;
    for protocols in [&["http/1.1"][..], &[]] {
        let mut stream = connect(address, &fingerprint, protocols).await;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut read = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut read)).await.unwrap().unwrap();
        assert!(read.starts_with("HTTP/1.1 200 OK\r\n") && read.ends_with("\r\n\r\nok"), "{read}");
    }
    let stream = connect(address, &fingerprint, &["h2", "http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let client = Client::over(stream, &Builder::new()).await;
    let mut events = client.get("/topics/t/sse").await;
    until(&mut events, "\n\n").await;
    client.publish("t", "7").await;
    assert!(until(&mut events, "\n\n").await.ends_with("data: 7\n\n"));
}

#[tokio::test]
async fn a_batch_longer_than_any_buffer_of_tls_arrives_whole() {
    let (_server, address, fingerprint) = start(Config { max_payload: 1 << 20, ..Config::default() }).await;
    let mut stream = connect(address, &fingerprint, &["http/1.1"]).await;
    let long = format!("\"{}\"", "x".repeat(1 << 19));
    let post = format!(
        "POST /topics/t HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{long}\
         GET /topics/t/http-streaming?after=start HTTP/1.1\r\nHost: localhost\r\n\r\n",
        long.len()
    );
    stream.write_all(post.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    let reading = async { while !read.ends_with(b"xxxx\"}\n\r\n") && stream.read_buf(&mut read).await.unwrap() > 0 {} };
    assert!(timeout(PATIENCE, reading).await.is_ok(), "{} bytes came", read.len());
}

#[tokio::test]
async fn a_client_that_does_not_shake_hands_is_disconnected() {
    let (_server, address, _) = start(Config { head_timeout: Duration::from_millis(100), ..Config::default() }).await;
    for said in [&b""[..], b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(said).await.unwrap();
        timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await.unwrap().unwrap_or_default();
    }
}
