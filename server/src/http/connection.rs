//! One HTTP connection, from its first byte to its last, and what it becomes on the way.
//!
//! hyper reads requests and writes the answers that are there at once. Whatever takes time is done
//! without it: a poll that waits, a stream, a WebSocket, a connection that lies idle. hyper's
//! buffers would be most of what such a connection holds, and there are thousands of them. Nothing
//! is closed while the client may still be sending, because the reset would overtake the answer
//! (RFC 9112 §9.6).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use tracing::trace;

use super::exchange::{After, Pace, exchange};
use super::problem::Problem;
use super::reply::reply;
use crate::limits;
use crate::server::Server;

/// Serves a connection until it is closed, as HTTP and then as what it was upgraded to.
pub(crate) async fn serve<IO>(mut io: IO, server: Arc<Server>)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // What was read and is the beginning of the next request.
    let mut begun = BytesMut::new();
    let mut pace = Pace::Unknown;
    loop {
        let (returned, read, after) = boxed(|| exchange(io, begun.split().freeze(), pace, &server)).await;
        io = returned;
        match after {
            After::Idle => begun = copied(read),
            After::Answer(answering) => {
                begun = copied(read);
                if !boxed(|| reply(&mut io, answering, &mut begun)).await {
                    return;
                }
            }
            After::Upgrade(upgrade) => return boxed(|| upgrade.run(io, read, server)).await,
            After::Close => return boxed(|| close(io, None)).await,
            After::Refusal(problem) => return boxed(|| close(io, Some(problem))).await,
            After::Nothing => return,
        }
        if begun.is_empty() {
            let since = Instant::now();
            if !idle(&mut io, &mut begun, &server).await {
                return boxed(|| close(io, None)).await;
            }
            pace = Pace::after(since.elapsed());
        }
    }
}

/// A copy of what was read, usually nothing, in place of the buffer that it was read into.
#[expect(clippy::needless_pass_by_value, reason = "the buffer is to be let go of")]
fn copied(read: Bytes) -> BytesMut {
    read[..].into()
}

/// Puts a future on the heap where it is made: a task then holds room for the part of its work
/// that it is in and not for all. A future that is boxed in an `async` block takes room there too.
pub(crate) fn boxed<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::pin(make())
}

/// Waits for the next request to begin; false where none comes any more.
async fn idle<IO: AsyncRead + Unpin>(io: &mut IO, begun: &mut BytesMut, server: &Server) -> bool {
    tokio::select! {
        biased;
        read = timeout(server.config.keep_alive, io.read_buf(begun)) => matches!(read, Ok(Ok(1..))),
        () = server.closing.cancelled() => false,
    }
}

/// Ends a connection so that all that was written arrives: says the last word, then that no more
/// will come, and reads for a moment what the other side still sends.
pub(crate) async fn close<IO: AsyncRead + AsyncWrite + Unpin>(mut io: IO, last_word: Option<Problem>) {
    let farewell = async {
        if let Some(problem) = last_word {
            io.write_all(&problem.to_wire()).await?;
        }
        io.shutdown().await?;
        drain(&mut io).await;
        io::Result::Ok(())
    };
    // Whoever sends for longer than this has been heard enough, and an error is an end as well.
    if let Ok(Err(error)) = timeout(limits::LINGER, farewell).await {
        trace!(%error, "a connection broke while it was closed");
    }
}

/// Reads and forgets until the other side has no more to say.
pub(crate) async fn drain<IO: AsyncRead + Unpin>(io: &mut IO) {
    let mut ignored = [0; 256];
    while matches!(io.read(&mut ignored).await, Ok(1..)) {}
}
