//! Raw TCP: length-prefixed messages on a bare socket, the floor beneath the five. The same for
//! both clients, as far as there is a library.

use futures_util::StreamExt;
use pushoff_model::Client;
use tokio::io::AsyncWriteExt;
use tokio_util::codec::{FramedRead, LengthDelimitedCodec};

use super::{ConnectionError, Ended, Feed, Sink};
use crate::server::READ_BUFFER_BYTES;

pub(super) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let subscription = &feed.subscription;
    let address = subscription.target.raw_tcp.ok_or(ConnectionError::NoRawTcp)?;
    let mut stream = feed.connect(address).await?;
    let topic = &subscription.topic;
    let subscribe = match subscription.after {
        Some(after) => format!("SUBSCRIBE {topic} {after}\n"),
        None => format!("SUBSCRIBE {topic}\n"),
    };
    stream.write_all(subscribe.as_bytes()).await?;
    // The nearest that there is to the head of a request.
    feed.tally().request_of(subscribe.len() as u64);
    feed.opened();
    // A big-endian u32 and then so many bytes: the codec's default.
    let mut frames = FramedRead::with_capacity(stream, LengthDelimitedCodec::new(), READ_BUFFER_BYTES);
    while let Some(frame) = frames.next().await {
        match feed.subscription.client {
            Client::Library => feed.line(&frame?, None)?,
            Client::Lean => feed.trusted_line(&frame?, None)?,
        }
    }
    Ok(Ended::Closed)
}
