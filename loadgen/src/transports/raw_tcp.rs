//! Raw TCP: length-prefixed messages on a bare socket, the floor beneath the five.

use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_util::codec::{FramedRead, LengthDelimitedCodec};

use super::{ConnectionError, Ended, Feed, Sink};
use crate::target::READ_BUFFER_BYTES;

pub(super) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let subscription = &feed.subscription;
    let address = subscription.target.raw_tcp.ok_or(ConnectionError::NoRawTcp)?;
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let topic = &subscription.topic;
    let subscribe = match subscription.after {
        Some(after) => format!("SUBSCRIBE {topic} {after}\n"),
        None => format!("SUBSCRIBE {topic}\n"),
    };
    stream.write_all(subscribe.as_bytes()).await?;
    feed.opened();
    // A big-endian u32 and then so many bytes: the codec's default.
    let mut frames = FramedRead::with_capacity(stream, LengthDelimitedCodec::new(), READ_BUFFER_BYTES);
    while let Some(frame) = frames.next().await {
        feed.line(&frame?, None)?;
    }
    Ok(Ended::Closed)
}
