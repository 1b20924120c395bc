//! WebSocket, on a socket of our own: text frames in both directions. Source: RFC 6455.

use tokio::io::AsyncWriteExt;

use crate::clients::error::ConnectionError;
use crate::clients::feed::{Ended, Feed};
use crate::clients::io::read;
use crate::clients::sink::Sink;
use crate::clients::subscription::{Outbound, next_outbound};
use crate::clients::websocket::{self as frames, BrokenFrame, FrameReader, Message, handshake};
use crate::watch::wire::Tapped;

/// The code of a close that says that everything was said (§7.4.1).
const NORMAL: u16 = 1000;

/// What came that is no message: what is owed in return, and whether it was the last.
#[derive(Debug, Default)]
struct Owed {
    frames: Vec<u8>,
    closed: Option<Option<u16>>,
}

pub(crate) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
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
            Message::Binary => feed.binary()?,
            Message::Pong => {}
        }
        Ok(())
    })
}

impl From<BrokenFrame> for ConnectionError {
    fn from(BrokenFrame(what): BrokenFrame) -> Self {
        if what == frames::TOO_LONG { Self::too_long("a message") } else { Self::Frame(what) }
    }
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
