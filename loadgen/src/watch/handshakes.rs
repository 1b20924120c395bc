//! The cost of a TLS handshake, full and resumed: a few of each, one after the other, once the load is over.
//!
//! Subscribers make full handshakes alone, since each stands for another machine; a client that comes back has a ticket.
//! The two kinds take turns, so that neither has the warmer server. Source: RFC 8446 §2 and §2.2, RFC 5246 §7.3.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use pushoff_model::record::{Handshake, Handshakes};
use rustls::{HandshakeKind, ProtocolVersion};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tracing::warn;

use super::observer::Observer;
use crate::tls::Tls;
use crate::wire::{CountedStream, WireCounters};

/// How often each kind has its turn …
pub(crate) const TURNS: u64 = 2;
/// … for so many handshakes …
pub(crate) const IN_A_TURN: u64 = 25;
/// … or so long. Chosen here: all turns together take less than a second, whatever the round trip.
const TURN: Duration = Duration::from_millis(200);

/// A server that is busy for less than this share of a slice is at rest …
const QUIET: f64 = 0.02;
const SLICE: Duration = Duration::from_millis(20);
/// … for which it has so many slices.
const MOST_SLICES: usize = 10;

/// Measures handshakes, where TLS is spoken and no other trial runs at the same time. None where the server refuses.
pub(crate) async fn handshakes(observer: Observer<'_>) -> Option<Handshakes> {
    let full = observer.target.tls.as_deref().filter(|_| observer.target.link.is_none())?;
    let resuming = full.resuming();
    match measured(observer, full, &resuming).await {
        Ok(handshakes) => Some(handshakes),
        Err(error) => {
            warn!(%error, "handshakes could not be measured");
            None
        }
    }
}

async fn measured(observer: Observer<'_>, full: &Tls, resuming: &Tls) -> io::Result<Handshakes> {
    quiet(observer).await;
    // The first has no ticket yet.
    shake(&WireCounters::default(), observer, resuming).await?;
    let mut sums = Handshakes::default();
    for _ in 0..TURNS {
        sums.full = add(sums.full, turn(observer, full, HandshakeKind::Full).await?);
        let resumed = turn(observer, resuming, HandshakeKind::Resumed).await?;
        if resumed.connections > 0 {
            sums.resumed = Some(add(sums.resumed.unwrap_or_default(), resumed));
        }
    }
    Ok(sums)
}

/// Waits until the server has closed the subscribers' connections, as far as its processor time shows.
async fn quiet(observer: Observer<'_>) {
    for _ in 0..MOST_SLICES {
        let before = observer.reading().await;
        sleep(SLICE).await;
        let server = observer.used_since(&before).await.server;
        if server.is_none_or(|server| server.utilisation() < QUIET) {
            return;
        }
    }
}

/// Nothing was counted of the first.
fn add(sum: Handshake, turn: Handshake) -> Handshake {
    if sum.connections == 0 { turn } else { sum.plus(&turn) }
}

/// Handshakes of one kind; none where the server makes another of them.
async fn turn(observer: Observer<'_>, tls: &Tls, kind: HandshakeKind) -> io::Result<Handshake> {
    let (counters, until) = (WireCounters::default(), Instant::now() + TURN);
    let mut sum = Handshake::default();
    let before = observer.reading().await;
    while sum.connections < IN_A_TURN && Instant::now() < until {
        let (round_trips, made) = shake(&counters, observer, tls).await?;
        if (made == HandshakeKind::Resumed) != (kind == HandshakeKind::Resumed) {
            return Ok(Handshake::default());
        }
        sum.connections += 1;
        sum.round_trips += round_trips;
    }
    let used = observer.used_since(&before).await;
    let traffic = counters.traffic().unwrap_or_default();
    (sum.down_bytes, sum.up_bytes) = (traffic.down.bytes, traffic.up.bytes);
    sum.server_cpu_ns = used.server.map(|server| server.cpu_ns);
    Ok(sum)
}

/// One connection, closed once its handshake is over: its round trips, and of which kind it was.
async fn shake(counters: &WireCounters, observer: Observer<'_>, tls: &Tls) -> io::Result<(u64, HandshakeKind)> {
    let origin = observer.target.reader(0, u32::MAX);
    let connected = async {
        let stream = CountedStream::connect(counters, observer.target.http, &origin).await?;
        let mut stream = TlsConnector::from(tls.config().clone()).connect(tls.name(), stream).await?;
        if stream.get_ref().1.protocol_version() == Some(ProtocolVersion::TLSv1_3) {
            ticket(&mut stream).await?;
        }
        io::Result::Ok(stream)
    };
    let stream = timeout(TURN * 10, connected).await.map_err(|_elapsed| io::ErrorKind::TimedOut)??;
    let session = stream.get_ref().1;
    let kind = session.handshake_kind().unwrap_or(HandshakeKind::Full);
    Ok((round_trips(session.protocol_version(), kind), kind))
}

/// Waits for a ticket, which TLS 1.3 sends once the handshake is over (RFC 8446 §4.6.1); not for long, as a server may send
/// none.
async fn ticket(stream: &mut TlsStream<CountedStream>) -> io::Result<()> {
    let received = poll_fn(|cx| {
        let mut nothing = [0];
        let read = Pin::new(&mut *stream).poll_read(cx, &mut ReadBuf::new(&mut nothing));
        if stream.get_ref().1.tls13_tickets_received() > 0 { Poll::Ready(Ok(())) } else { read }
    });
    timeout(TURN, received).await.unwrap_or(Ok(()))
}

/// How often a client waits for the server before it can ask.
const fn round_trips(version: Option<ProtocolVersion>, kind: HandshakeKind) -> u64 {
    match (version, kind) {
        (Some(ProtocolVersion::TLSv1_2), HandshakeKind::Resumed) => 1,
        (Some(ProtocolVersion::TLSv1_2), _) | (_, HandshakeKind::FullWithHelloRetryRequest) => 2,
        (_, HandshakeKind::Full | HandshakeKind::Resumed) => 1,
    }
}
