//! WebSocket, by `tokio-tungstenite`: text frames in both directions. Source: RFC 6455.

use futures_util::{SinkExt, StreamExt};
use http::HeaderValue;
use http::header::AUTHORIZATION;
use pushoff_model::Transport;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::poll::LAST_EVENT_ID;
use super::{ConnectionError, Ended, Feed, Outbound, Sink, Subscription};
use crate::target::READ_BUFFER_BYTES;

pub(super) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let request = handshake(&feed.subscription)?;
    let stream = TcpStream::connect(feed.subscription.target.http).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES).write_buffer_size(READ_BUFFER_BYTES);
    feed.sink.requested(feed.now());
    let (mut socket, _) = client_async_with_config(request, stream, Some(config)).await?;
    feed.opened();
    loop {
        tokio::select! {
            incoming = socket.next() => {
                let Some(incoming) = incoming else { return Err(ConnectionError::Ended) };
                if let Some(ended) = read(incoming?, feed)? {
                    return Ok(ended);
                }
            }
            Some(outbound) = next(&mut feed.subscription.outbox) => write(outbound, &mut socket, feed).await?,
        }
    }
}

fn handshake(subscription: &Subscription) -> Result<Request, ConnectionError> {
    let mut url = subscription.target.subscription(&subscription.topic, Transport::WebSocket.name());
    // The scheme of a URL that is http already can be ws.
    url.set_scheme("ws").or(Err(ConnectionError::Ended))?;
    let mut request = url.as_str().into_client_request()?;
    let header = |text: String| HeaderValue::try_from(text).map_err(|error| Error::from(http::Error::from(error)));
    if let Some(after) = subscription.after {
        request.headers_mut().insert(LAST_EVENT_ID, header(after.to_string())?);
    }
    if let Some(authorization) = subscription.target.authorization() {
        request.headers_mut().insert(AUTHORIZATION, header(authorization)?);
    }
    Ok(request)
}

/// Hands on one message; a close that says "complete" or "going away" ends the connection.
fn read<S: Sink>(incoming: Message, feed: &mut Feed<'_, S>) -> Result<Option<Ended>, ConnectionError> {
    match incoming {
        Message::Text(text) => feed.line(text.as_bytes(), None).map(|()| None),
        Message::Close(Some(frame)) if frame.code == CloseCode::Normal => Ok(Some(Ended::Complete)),
        Message::Close(frame) => {
            Err(frame.map_or(ConnectionError::Ended, |frame| ConnectionError::Closed(frame.code.into())))
        }
        // Pings are answered by the library on the next read or write.
        Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => Ok(None),
    }
}

/// The next messages to send; never, for a subscriber that only reads.
async fn next(outbox: &mut Option<mpsc::Receiver<Outbound>>) -> Option<Outbound> {
    match outbox {
        Some(outbox) => outbox.recv().await,
        None => std::future::pending().await,
    }
}

async fn write<S: Sink>(
    outbound: Outbound,
    socket: &mut WebSocketStream<TcpStream>,
    feed: &mut Feed<'_, S>,
) -> Result<(), ConnectionError> {
    let messages = outbound.payloads.len() as u64;
    for payload in outbound.payloads {
        socket.feed(Message::text(payload)).await?;
    }
    socket.flush().await?;
    feed.sink.wrote(messages);
    // A publisher that has stopped waiting has no use for the answer.
    outbound.written.send(()).unwrap_or_default();
    Ok(())
}
