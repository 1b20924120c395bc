//! WebSocket, on a socket of our own: text frames in both directions. Source: RFC 6455.

use http::header::{ACCEPT, CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::frames::{self, FrameReader, Message};
use super::http::{ANYTHING, Connection, get};
use crate::taps::Tapped;
use crate::transports::{ConnectionError, Ended, Feed, Outbound, Sink, next_outbound};

/// The code of a close that says that everything was said (§7.4.1).
const NORMAL: u16 = 1000;

pub(in crate::transports) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let (mut socket, mut reader) = handshake(feed).await?;
    feed.opened();
    if let Some(hello) = feed.hello() {
        let mut frame = Vec::new();
        frames::write_text(&mut frame, &hello, rand::random());
        socket.write_all(&frame).await?;
    }
    loop {
        while let Some(message) = reader.next_message().map_err(ConnectionError::Frame)? {
            match message {
                Message::Text(text) => {
                    feed.unit(text, None)?;
                }
                Message::Ping(payload) => reply(&mut socket, frames::PONG, payload).await?,
                Message::Close(code) => {
                    let said = code.map(u16::to_be_bytes);
                    reply(&mut socket, frames::CLOSE, said.as_ref().map_or(&[], |code| code)).await?;
                    return match code {
                        Some(NORMAL) if feed.completes() => Ok(Ended::Complete),
                        Some(code) => Err(ConnectionError::Closed(code)),
                        None => Err(ConnectionError::Ended),
                    };
                }
                Message::Binary | Message::Pong => {}
            }
        }
        tokio::select! {
            read = socket.read_buf(reader.room()) => {
                if read? == 0 {
                    return Err(ConnectionError::Ended);
                }
            }
            Some(outbound) = next_outbound(&mut feed.subscription.outbox) => write(outbound, &mut socket, feed).await?,
        }
    }
}

/// Asks for the upgrade; the socket and what came behind the answer.
async fn handshake<S: Sink>(feed: &mut Feed<'_, S>) -> Result<(Tapped, FrameReader), ConnectionError> {
    let key = generate_key();
    let mut request = get(feed, ANYTHING)?;
    let fields = request.headers_mut();
    fields.remove(ACCEPT);
    fields.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    fields.insert(UPGRADE, HeaderValue::from_static("websocket"));
    fields.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    let value = HeaderValue::try_from(&key).or(Err(ConnectionError::Frame("the key is no text of a field")))?;
    fields.insert(SEC_WEBSOCKET_KEY, value);
    let mut connection = Connection::open(feed).await?;
    feed.sink.requested(feed.now());
    let response = connection.ask(request, feed.tally()).await?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(ConnectionError::Status(response.status().as_u16()));
    }
    agreed(response.headers(), &key).map_err(ConnectionError::Frame)?;
    feed.place.answered(response.headers());
    let (socket, read) = connection.into_socket().await.ok_or(ConnectionError::Ended)?;
    Ok((socket, FrameReader::starting_with(&read)))
}

/// Whether the server has understood what it agreed to (§4.1).
fn agreed(fields: &HeaderMap, key: &str) -> Result<(), &'static str> {
    let lists = |name, wanted: &str| {
        let values = fields.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|token| token.trim().eq_ignore_ascii_case(wanted))
    };
    if !lists(UPGRADE, "websocket") || !lists(CONNECTION, "upgrade") {
        return Err("the server upgraded to something else");
    }
    if fields.get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes) != Some(derive_accept_key(key.as_bytes()).as_bytes())
    {
        return Err("the server's Sec-WebSocket-Accept is not that of the key");
    }
    Ok(())
}

async fn reply(socket: &mut Tapped, kind: u8, payload: &[u8]) -> Result<(), ConnectionError> {
    let mut frame = Vec::new();
    frames::write(&mut frame, kind, payload, rand::random());
    Ok(socket.write_all(&frame).await?)
}

async fn write<S: Sink>(
    outbound: Outbound,
    socket: &mut Tapped,
    feed: &mut Feed<'_, S>,
) -> Result<(), ConnectionError> {
    let (messages, bytes) = outbound.size();
    let mut frames = Vec::new();
    for payload in &outbound.payloads {
        frames::write_text(&mut frames, &feed.spoken(payload), rand::random());
    }
    socket.write_all(&frames).await?;
    feed.tally().spoken(bytes);
    feed.sink.wrote(messages);
    // A publisher that has stopped waiting has no use for the answer.
    outbound.written.send(()).unwrap_or_default();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The handshake of RFC 6455 §1.3.
    #[test]
    fn only_the_answer_to_the_own_key_is_taken() {
        let answer = |accept, upgrade| {
            let mut fields = HeaderMap::new();
            fields.insert(UPGRADE, HeaderValue::from_static(upgrade));
            fields.insert(CONNECTION, HeaderValue::from_static("keep-alive, Upgrade"));
            fields.insert(SEC_WEBSOCKET_ACCEPT, HeaderValue::from_static(accept));
            agreed(&fields, "dGhlIHNhbXBsZSBub25jZQ==")
        };
        assert_eq!(answer("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "WebSocket"), Ok(()));
        assert!(answer("s3pPLMBiTxaQ9kYGzzhZRbK+xOp=", "websocket").is_err());
        assert!(answer("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "h2c").is_err());
        assert!(agreed(&HeaderMap::new(), "dGhlIHNhbXBsZSBub25jZQ==").is_err());
    }
}
