//! One HTTP connection, from its first byte to its last, whatever protocol it is upgraded to.
//!
//! A request that arrives whole costs one read and one write. An idle connection and one that waits for a
//! response hold no buffer: there are thousands of them. No connection is closed while its client may still
//! be sending, because the reset would overtake the response (RFC 9112 §9.6). A client that sends many
//! requests at once lets other connections run in between.

mod body;
pub(crate) mod http2;
mod pending;
mod request;
mod rewound;
#[cfg(test)]
mod tests;
mod wait;

use std::io;
use std::pin::pin;
use std::sync::Arc;

use bytes::Buf;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use self::request::Next;
use self::rewound::Rewound;
use self::wait::Wait;
use crate::http::{Encoded, Problem};
use crate::limits;
use crate::memory::Buffer;
use crate::net::{Io, boxed, close, write_all};
use crate::state::Server;
use crate::transports::stream::{self, Feed};
use crate::transports::websocket;

/// Serves a connection until it is closed, as HTTP and then as the protocol that it is upgraded to.
pub(crate) async fn serve(mut io: impl Io, server: Arc<Server>) {
    // Bytes that were read and not yet parsed.
    let mut ahead = Buffer::new(&server.memory.incoming);
    let timer = pin!(sleep_until(Instant::now() + server.config.head_timeout));
    let closing = pin!(server.closing.cancelled());
    let mut wait = Wait::new(&server, timer, closing);
    let (mut together, mut joined) = (0, None);
    loop {
        let (response, feed) = match request::next(&mut io, &mut ahead, &mut wait, joined.take()).await {
            Next::Respond(response) => (response, None),
            Next::Stream(head, feed) => (head, Some(feed)),
            Next::Later(pending, options) => {
                match boxed(|| pending::wait(&mut io, pending, options, &mut ahead, &server)).await {
                    Ok(response) => (response, None),
                    Err(last) => return boxed(|| end(io, last)).await,
                }
            }
            Next::Join(joining) => {
                joined = Some(joining.await);
                continue;
            }
            Next::Publish(publication, options, body) => {
                match boxed(|| body::publish(&mut io, publication, options, body, &mut ahead, &server)).await {
                    Some(response) => (response, None),
                    None => return,
                }
            }
            Next::Http2 => return boxed(|| http2::serve(Rewound::new(io, ahead), &server)).await,
            Next::Upgrade(response, session) => {
                if respond(&mut io, response, None, &server).await.is_ok() {
                    boxed(|| websocket::serve(io, *session, ahead, &server)).await;
                }
                return;
            }
            Next::End(last) => return boxed(|| end(io, last)).await,
        };
        match respond(&mut io, response, feed, &server).await {
            Ok(false) => {}
            Ok(true) => return boxed(|| close(io, &[])).await,
            Err(_) => return,
        }
        together = if ahead.is_empty() { 0 } else { together + 1 };
        if together == limits::TURNS {
            together = 0;
            yield_now().await;
        }
    }
}

/// Writes a response with one write, and then its stream, if any; whether the connection closes after it.
async fn respond(io: &mut impl Io, response: Encoded, feed: Option<Box<Feed>>, server: &Server) -> io::Result<bool> {
    let Encoded { first, rest, closes } = response;
    let limit = &server.stall_limit;
    if rest.is_empty() {
        write_all(io, &mut &first[..], limit).await?;
    } else {
        write_all(io, &mut Buf::chain(&first[..], rest), limit).await?;
    }
    drop(first);
    let Some(feed) = feed else { return Ok(closes) };
    // Input during a stream is discarded, and no further request can be told from it.
    let discarded = boxed(|| stream::write(io, feed, limit)).await?;
    Ok(closes || discarded > 0)
}

/// Closes a connection on which no further request can be understood, perhaps with a last response.
async fn end(io: impl Io, last: Option<Problem>) {
    close(io, &last.as_ref().map(Problem::to_wire).unwrap_or_default()).await;
}
