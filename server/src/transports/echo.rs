//! A WebSocket that sends back each message: for conformance suites and bare round trips.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

use super::{Upgrade, handshake};
use crate::http::answer::Answer;
use crate::http::connection::close;
use crate::http::head::Head;
use crate::http::problem::Problem;
use crate::limits;
use crate::server::Server;

/// The longest message that is sent back. Chosen here: the longest that the Autobahn conformance
/// suite sends.
const LONGEST: usize = 16 << 20;

/// What is read and written at once. Chosen here: there are few such connections.
const BUFFER: usize = 16 << 10;

/// Answers a handshake.
pub(crate) fn upgrade(head: &Head<'_>) -> Result<Answer, Problem> {
    Ok(Answer::Upgrade(handshake::accept(head)?, Upgrade::Echo))
}

/// Sends back text and binary messages until either side closes.
pub(super) async fn run<IO>(io: IO, read: Bytes, server: &Server)
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let settings = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(Some(LONGEST))
        .max_frame_size(Some(LONGEST));
    let mut socket = WebSocketStream::from_partially_read(io, read.into(), Role::Server, Some(settings)).await;
    let farewell = tokio::select! {
        farewell = mirror(&mut socket) => farewell,
        () = server.closing.cancelled() => Some(handshake::going_away()),
    };
    let goodbye = async {
        if farewell.is_some() && socket.close(farewell).await.is_ok() {
            while let Some(Ok(_)) = socket.next().await {}
        }
        close(socket.into_inner(), None).await;
    };
    // Whoever does not answer the close in this time is not waited for.
    timeout(limits::CLOSE_WAIT, goodbye).await.unwrap_or_default();
}

/// Mirrors until the client closed (`None`) or sent what calls for a close.
async fn mirror<IO>(socket: &mut WebSocketStream<IO>) -> Option<CloseFrame>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match socket.next().await? {
            Ok(message) if message.is_text() || message.is_binary() => socket.send(message).await.ok()?,
            // tungstenite answers pings and closes by itself.
            Ok(_) => {}
            Err(error) => return handshake::close_for(&error),
        }
    }
}
