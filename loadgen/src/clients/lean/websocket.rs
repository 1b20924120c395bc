//! WebSocket on a lean connection: text frames in both directions. Source: RFC 6455.

use tokio::io::AsyncWriteExt;

use crate::clients::error::ConnectionError;
use crate::clients::feed::{Ended, Feed};
use crate::clients::io::Io;
use crate::clients::sink::Sink;
use crate::clients::subscription::{Outbound, next_outbound};
use crate::clients::websocket::{self as frames, FrameReader, Message, Upgraded, handshake};

/// The close code after which nothing is left to send (§7.4.1).
const NORMAL: u16 = 1000;

pub(crate) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let Upgraded { io: mut socket, mut input, deflate } = handshake(feed, feed.is_compressed()).await?;
    feed.tally().opened(deflate.is_some());
    feed.opened();
    let (mut reader, mut replies) = (FrameReader::new(deflate), Vec::new());
    if let Some(hello) = feed.hello() {
        reader.write_text(&mut replies, &hello, rand::random());
    }
    feed.read_returned();
    loop {
        let mut closed = None;
        while closed.is_none()
            && let Some(message) = reader.next(&mut input).map_err(broken)?
        {
            match message {
                Message::Text(text) => drop(feed.unit(text, None)?),
                Message::Binary => feed.binary()?,
                Message::Ping(payload) => frames::write(&mut replies, frames::PONG, payload, rand::random()),
                Message::Pong => {}
                Message::Close(code) => {
                    let said = code.map(u16::to_be_bytes);
                    frames::write(&mut replies, frames::CLOSE, said.as_ref().map_or(&[], |code| code), rand::random());
                    closed = Some(code);
                }
            }
        }
        feed.read_handed_out();
        input.release();
        if !replies.is_empty() {
            socket.write_all(&replies).await?;
            socket.flush().await?;
            replies.clear();
        }
        match closed {
            Some(Some(NORMAL)) if feed.completes() => return Ok(Ended::Complete),
            Some(Some(code)) => return Err(ConnectionError::Closed(code)),
            Some(None) => return Err(ConnectionError::Ended),
            None => {}
        }
        tokio::select! {
            read = input.fill(&mut socket) => match read? {
                0 => return Err(ConnectionError::Ended),
                _bytes => feed.read_returned(),
            },
            Some(outbound) = next_outbound(&mut feed.subscription.outbox) => {
                write(outbound, &mut reader, &mut socket, feed).await?;
            }
        }
    }
}

fn broken(what: &'static str) -> ConnectionError {
    if what == frames::TOO_LONG { ConnectionError::too_long("a message") } else { ConnectionError::Frame(what) }
}

async fn write<S: Sink>(
    outbound: Outbound,
    frames: &mut FrameReader,
    socket: &mut impl Io,
    feed: &mut Feed<'_, S>,
) -> Result<(), ConnectionError> {
    let mut written = Vec::new();
    for payload in &outbound.payloads {
        frames.write_text(&mut written, &feed.spoken(payload), rand::random());
    }
    socket.write_all(&written).await?;
    socket.flush().await?;
    feed.wrote(outbound);
    Ok(())
}
