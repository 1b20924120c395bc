//! One HTTP/2 connection: each of its streams is a request, answered as over HTTP/1.1. Sources: RFC 9113, RFC 8441.
//!
//! All streams of a connection are one task with the connection itself: what they write at once leaves with one
//! write, and a stream that cannot write holds up no other. A client is bounded in streams, in heads, in resets
//! (CVE-2023-44487) and in continuations (CVE-2024-27316), by the limits that the `h2` crate enforces.

mod exchange;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use h2::server::{Builder, Connection, Handshake};
use h2::{Ping, PingPong};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::trace;

use crate::limits;
use crate::memory;
use crate::net::Io;
use crate::state::Server;

/// Serves a connection whose client speaks HTTP/2, from its preface on.
pub(crate) async fn serve(io: impl Io, server: &Arc<Server>) {
    let Some(_lease) = server.memory.connections.lease(memory::HTTP2) else { return };
    let Ok(Ok(connection)) = timeout(server.config.head_timeout, handshake(io)).await else { return };
    if let Err(error) = answer_all(connection, server).await {
        trace!(%error, "an HTTP/2 connection broke");
    }
}

fn handshake<T: Io>(io: T) -> Handshake<T, Bytes> {
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(limits::HTTP2_STREAMS)
        .max_header_list_size(limits::HTTP2_HEAD_BYTES)
        .max_send_buffer_size(limits::STREAM_BYTES)
        .max_pending_accept_reset_streams(limits::HTTP2_RESETS)
        .max_local_error_reset_streams(Some(limits::HTTP2_ERRORS))
        .enable_connect_protocol();
    builder.handshake(io)
}

/// Answers all streams of a connection until its end.
async fn answer_all<T: Io>(mut connection: Connection<T, Bytes>, server: &Arc<Server>) -> Result<(), h2::Error> {
    let mut streams = FuturesUnordered::new();
    let mut watch = Watch::new(connection.ping_pong(), server.config.keep_alive, server.config.write_timeout);
    let mut closing = Box::pin(server.closing.cancelled());
    let mut is_ending = false;
    loop {
        let is_idle = streams.is_empty();
        tokio::select! {
            biased;
            Some(()) = streams.next() => watch.saw_life(),
            request = connection.accept() => match request.transpose()? {
                Some((request, respond)) => {
                    watch.saw_life();
                    streams.push(exchange::answer(request, respond, server));
                }
                None => return Ok(()),
            },
            () = &mut closing, if !is_ending => {
                is_ending = true;
                connection.graceful_shutdown();
            }
            alive = watch.is_over(is_idle) => match alive {
                Life::Idle => connection.graceful_shutdown(),
                Life::Gone => return Ok(()),
            },
        }
    }
}

/// Why a connection ends by itself.
enum Life {
    /// No request came for a while.
    Idle,
    /// The client answers no ping, or does not close.
    Gone,
}

/// The watch over a connection's client, which may be idle for a while, but has to answer pings.
struct Watch {
    pings: Option<PingPong>,
    patience: Duration,
    answer: Duration,
    since: Instant,
    is_asked: bool,
    is_closing: bool,
}

impl Watch {
    fn new(pings: Option<PingPong>, patience: Duration, answer: Duration) -> Self {
        Self { pings, patience, answer, since: Instant::now(), is_asked: false, is_closing: false }
    }

    /// Notes that a request came or was answered.
    fn saw_life(&mut self) {
        self.since = Instant::now();
    }

    /// Waits until the client is idle for too long, or gone. May be called again later, or never.
    async fn is_over(&mut self, is_idle: bool) -> Life {
        loop {
            let due = if is_idle { self.patience } else { self.answer };
            let pong = async {
                match &mut self.pings {
                    Some(pings) if self.is_asked => std::future::poll_fn(|cx| pings.poll_pong(cx)).await.map(drop),
                    Some(_) | None => std::future::pending().await,
                }
            };
            tokio::select! {
                pong = pong => {
                    if pong.is_err() {
                        return Life::Gone;
                    }
                    self.is_asked = false;
                    self.saw_life();
                }
                () = sleep_until(self.since + due) => {
                    self.saw_life();
                    if self.is_asked || self.is_closing {
                        return Life::Gone;
                    }
                    if is_idle {
                        self.is_closing = true;
                        return Life::Idle;
                    }
                    let asked = self.pings.as_mut().map(|pings| pings.send_ping(Ping::opaque()));
                    self.is_asked = asked.is_some_and(|asked| asked.is_ok());
                }
            }
        }
    }
}
