//! WebSocket, on a socket of our own: text frames in both directions. Source: RFC 6455.

use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::frames::{self, BrokenFrame, FrameReader, Message};
use super::http::Connection;
use super::reading::read;
use super::request::Request;
use crate::taps::Tapped;
use crate::transports::{ConnectionError, Ended, Feed, Outbound, Sink, next_outbound};

/// The code of a close that says that everything was said (§7.4.1).
const NORMAL: u16 = 1000;

/// What came that is no message: what is owed in return, and whether it was the last.
#[derive(Debug, Default)]
struct Owed {
    frames: Vec<u8>,
    closed: Option<Option<u16>>,
}

pub(in crate::transports) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let (mut socket, early) = handshake(feed).await?;
    feed.opened();
    let (mut frames, mut owed) = (FrameReader::default(), Owed::default());
    if let Some(hello) = feed.hello() {
        frames::write_text(&mut owed.frames, &hello, rand::random());
    }
    feed.read(|feed| take(&early, &mut frames, &mut owed, feed))?;
    drop(early);
    loop {
        if !owed.frames.is_empty() {
            socket.write_all(&owed.frames).await?;
            owed.frames.clear();
        }
        match owed.closed {
            Some(Some(NORMAL)) if feed.completes() => return Ok(Ended::Complete),
            Some(Some(code)) => return Err(ConnectionError::Closed(code)),
            Some(None) => return Err(ConnectionError::Ended),
            None => {}
        }
        // The outbox is taken out for as long as the feed is lent to the reader.
        let mut outbox = feed.subscription.outbox.take();
        let spoken = tokio::select! {
            read = read(&socket, |bytes| {
                if bytes.is_empty() {
                    return Err(ConnectionError::Ended);
                }
                feed.read(|feed| take(bytes, &mut frames, &mut owed, feed))
            }) => read.map_err(ConnectionError::from).flatten().map(|()| None),
            Some(outbound) = next_outbound(&mut outbox) => Ok(Some(outbound)),
        };
        feed.subscription.outbox = outbox;
        if let Some(outbound) = spoken? {
            write(outbound, &mut socket, feed).await?;
        }
    }
}

/// Hands on the messages of what a read brought. What comes after a close is nobody's.
fn take<S: Sink>(
    bytes: &[u8],
    frames: &mut FrameReader,
    owed: &mut Owed,
    feed: &mut Feed<'_, S>,
) -> Result<(), ConnectionError> {
    frames.read(bytes, |message| {
        match message {
            _late if owed.closed.is_some() => {}
            Message::Text(text) => {
                feed.unit(text, None)?;
            }
            Message::Ping(payload) => frames::write(&mut owed.frames, frames::PONG, payload, rand::random()),
            Message::Close(code) => {
                let said = code.map(u16::to_be_bytes);
                let said = said.as_ref().map_or(&[][..], |code| code);
                frames::write(&mut owed.frames, frames::CLOSE, said, rand::random());
                owed.closed = Some(code);
            }
            Message::Binary | Message::Pong => {}
        }
        Ok(())
    })
}

impl From<BrokenFrame> for ConnectionError {
    fn from(BrokenFrame(what): BrokenFrame) -> Self {
        Self::Frame(what)
    }
}

/// Asks for the upgrade; the socket and what came behind the answer.
async fn handshake<S: Sink>(feed: &mut Feed<'_, S>) -> Result<(Tapped, Vec<u8>), ConnectionError> {
    let key = generate_key();
    let value = HeaderValue::try_from(&key).or(Err(ConnectionError::Frame("the key is no text of a field")))?;
    let upgrade = [
        (CONNECTION, HeaderValue::from_static("Upgrade")),
        (UPGRADE, HeaderValue::from_static("websocket")),
        (SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
        (SEC_WEBSOCKET_KEY, value),
    ];
    let mut request = Request::new(feed, &upgrade)?;
    let mut connection = Connection::open(feed).await?;
    feed.sink.requested(feed.now());
    connection.send(request.bytes(feed)?, feed.tally()).await?;
    let early = connection.head(feed, |feed, head, behind| {
        if head.status != StatusCode::SWITCHING_PROTOCOLS {
            return Err(ConnectionError::Status(head.status.as_u16()));
        }
        let fields = head.fields();
        agreed(&fields, &key).map_err(ConnectionError::Frame)?;
        feed.place.answered(&fields);
        Ok(behind.to_vec())
    });
    let early = early.await?;
    Ok((connection.into_socket(), early))
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
