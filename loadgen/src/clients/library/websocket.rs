//! WebSocket by `tokio-tungstenite`: text frames in both directions. Source: RFC 6455.
//!
//! Both clients share the handshake.

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::clients::carrier::Carrier;
use crate::clients::error::{ConnectionError, LONGEST_MESSAGE};
use crate::clients::feed::{Ended, Feed};
use crate::clients::http_client::READ_BUFFER_BYTES;
use crate::clients::sink::Sink;
use crate::clients::subscription::{Outbound, next_outbound};
use crate::clients::websocket::{Upgraded, handshake};

pub(crate) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    // The library has no compression.
    let Upgraded { io: stream, mut input, .. } = handshake(feed, false).await?;
    let early = input.bytes().to_vec();
    // The library has a buffer of its own: the thread's is returned before anything is waited for.
    input.clear();
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(Some(LONGEST_MESSAGE))
        .max_frame_size(Some(LONGEST_MESSAGE));
    let mut socket = WebSocketStream::from_partially_read(stream, early, Role::Client, Some(config)).await;
    feed.opened();
    if let Some(hello) = feed.hello() {
        socket.send(Message::text(hello)).await?;
    }
    loop {
        tokio::select! {
            incoming = socket.next() => {
                let Some(incoming) = incoming else { return Err(ConnectionError::Ended) };
                if let Some(ended) = read(incoming?, feed)? {
                    return Ok(ended);
                }
            }
            Some(outbound) = next_outbound(&mut feed.subscription.outbox) => write(outbound, &mut socket, feed).await?,
        }
    }
}

/// Hands on one message; the close code "normal" ends the connection.
fn read<S: Sink>(incoming: Message, feed: &mut Feed<'_, S>) -> Result<Option<Ended>, ConnectionError> {
    match incoming {
        Message::Text(text) => feed.unit(text.as_bytes(), None).map(|_said| None),
        Message::Close(Some(frame)) if frame.code == CloseCode::Normal && feed.completes() => Ok(Some(Ended::Complete)),
        Message::Close(frame) => {
            Err(frame.map_or(ConnectionError::Ended, |frame| ConnectionError::Closed(frame.code.into())))
        }
        // The library answers pings with the next read or write.
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(None),
        Message::Binary(_) => feed.binary().map(|()| None),
    }
}

async fn write<S: Sink>(
    outbound: Outbound,
    socket: &mut WebSocketStream<Carrier>,
    feed: &mut Feed<'_, S>,
) -> Result<(), ConnectionError> {
    for payload in &outbound.payloads {
        socket.feed(Message::text(feed.spoken(payload).into_owned())).await?;
    }
    socket.flush().await?;
    feed.wrote(outbound);
    Ok(())
}
