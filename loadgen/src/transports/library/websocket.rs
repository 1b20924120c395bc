//! WebSocket, by `tokio-tungstenite`: text frames in both directions. Source: RFC 6455.

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::server::READ_BUFFER_BYTES;
use crate::taps::{Tapped, lines};
use crate::transports::{ConnectionError, Ended, Feed, Outbound, Sink, next_outbound};

pub(in crate::transports) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let request = handshake(feed)?;
    let stream = feed.connect(feed.subscription.server.http).await?;
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES).write_buffer_size(READ_BUFFER_BYTES);
    feed.sink.requested(feed.now());
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    feed.tally().request(request.method(), target, lines(request.headers()));
    let (mut socket, response) = client_async_with_config(request, stream, Some(config)).await?;
    // tungstenite drops the reason phrase; RFC 9110 §15.2.2 names it.
    feed.tally().response(response.status(), None, response.headers());
    feed.place.answered(response.headers());
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

fn handshake<S: Sink>(feed: &Feed<'_, S>) -> Result<Request, ConnectionError> {
    let asking = feed.asking()?;
    let mut url = asking.url(&feed.subscription.server)?;
    // The scheme of a URL that is http already can be ws.
    url.set_scheme("ws").or(Err(ConnectionError::Ended))?;
    let mut request = url.as_str().into_client_request()?;
    request.headers_mut().extend(asking.fields);
    Ok(request)
}

/// Hands on one message; a close that says "complete" or "going away" ends the connection.
fn read<S: Sink>(incoming: Message, feed: &mut Feed<'_, S>) -> Result<Option<Ended>, ConnectionError> {
    match incoming {
        Message::Text(text) => feed.unit(text.as_bytes(), None).map(|_said| None),
        Message::Close(Some(frame)) if frame.code == CloseCode::Normal && feed.completes() => Ok(Some(Ended::Complete)),
        Message::Close(frame) => {
            Err(frame.map_or(ConnectionError::Ended, |frame| ConnectionError::Closed(frame.code.into())))
        }
        // Pings are answered by the library on the next read or write.
        Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => Ok(None),
    }
}

async fn write<S: Sink>(
    outbound: Outbound,
    socket: &mut WebSocketStream<Tapped>,
    feed: &mut Feed<'_, S>,
) -> Result<(), ConnectionError> {
    let (messages, bytes) = outbound.size();
    for payload in outbound.payloads {
        socket.feed(Message::text(feed.spoken(&payload).into_owned())).await?;
    }
    socket.flush().await?;
    feed.tally().spoken(bytes);
    feed.sink.wrote(messages);
    // A publisher that has stopped waiting has no use for the answer.
    outbound.written.send(()).unwrap_or_default();
    Ok(())
}
