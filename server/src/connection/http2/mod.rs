//! One HTTP/2 connection: each of its streams is a request, answered as over HTTP/1.1. Sources: RFC 9113, RFC 8441.
//!
//! All streams of a connection are one task with the connection itself: what they write at once leaves with one
//! write, and a stream that cannot write holds up no other. A client is bounded in streams, in heads, in resets
//! (CVE-2023-44487) and in continuations (CVE-2024-27316), by the limits that the `h2` crate enforces. A client that sends
//! many requests lets other connections run in between.

mod carrier;
mod exchange;
mod piece;
mod stream;
#[cfg(test)]
mod tests;
mod watch;

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use h2::server::{Builder, Connection, Handshake};
use tokio::task::yield_now;
use tokio::time::{Instant, timeout_at};
use tracing::trace;

use self::carrier::Carrier;
use self::piece::Piece;
use self::watch::{Life, Watch};
use crate::limits;
use crate::memory;
use crate::net::{Io, boxed, close};
use crate::state::Server;

/// Empty SETTINGS, and a GOAWAY that says `ENHANCE_YOUR_CALM` (RFC 9113 §6.5, §6.8 and §7).
const NO_ROOM: &[u8] = b"\0\0\0\x04\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x0b";

/// Serves a connection whose client speaks HTTP/2, from its preface on.
pub(crate) async fn serve(io: impl Io, server: &Arc<Server>) {
    let Some(_lease) = server.memory.connections.lease(memory::HTTP2) else {
        return boxed(|| close(io, NO_ROOM)).await;
    };
    let head_due = Instant::now() + server.config.head_timeout;
    let carrier = Carrier::new(io);
    let Ok(Ok(connection)) = timeout_at(head_due, handshake(&carrier)).await else { return };
    if let Err(error) = answer_all(connection, &carrier, server).await {
        trace!(%error, "an HTTP/2 connection broke");
    }
}

fn handshake<T: Io>(carrier: &Carrier<T>) -> Handshake<&Carrier<T>, Piece> {
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(limits::HTTP2_STREAMS)
        .max_header_list_size(limits::HTTP2_HEAD_BYTES)
        .max_send_buffer_size(limits::STREAM_BYTES)
        .max_pending_accept_reset_streams(limits::HTTP2_RESETS)
        .max_local_error_reset_streams(Some(limits::HTTP2_ERRORS))
        .enable_connect_protocol();
    builder.handshake(carrier)
}

/// Answers all streams of a connection until its end.
async fn answer_all<T: Io>(
    mut connection: Connection<&Carrier<T>, Piece>,
    carrier: &Carrier<T>,
    server: &Arc<Server>,
) -> Result<(), h2::Error> {
    let mut streams = FuturesUnordered::new();
    let mut watch = Watch::new(connection.ping_pong(), carrier, &server.config);
    let mut closing = Box::pin(server.closing.cancelled());
    let (mut is_ending, mut turns) = (false, 0);
    loop {
        let is_idle = streams.is_empty();
        tokio::select! {
            biased;
            Some(()) = streams.next() => {
                turns += 1;
                watch.saw_life();
            }
            request = connection.accept() => match request.transpose()? {
                Some((request, respond)) => {
                    turns += 1;
                    watch.saw_request(server.config.keep_alive);
                    streams.push(exchange::answer(request, respond, server, carrier));
                }
                None => return Ok(()),
            },
            () = &mut closing, if !is_ending => {
                is_ending = true;
                connection.graceful_shutdown();
            }
            alive = watch.is_over(is_idle) => match alive {
                Life::Idle => connection.graceful_shutdown(),
                Life::Gone => {
                    server.stall_limit.cut_off.inc();
                    return Ok(());
                }
            },
        }
        if turns >= limits::TURNS {
            turns = 0;
            yield_now().await;
        }
    }
}
