//! Raw TCP: length-prefixed messages on a bare socket, the floor beneath the five. The same for
//! both clients, as far as there is a library.

use std::sync::LazyLock;

use futures_util::StreamExt;
use pushoff_model::Transport;
use pushoff_model::target::{OURS, Technique, Variable, built_in};
use tokio::io::AsyncWriteExt;
use tokio_util::codec::{FramedRead, LengthDelimitedCodec};

use super::{ConnectionError, Ended, Feed, Sink};
use crate::server::READ_BUFFER_BYTES;

/// What is in a frame: always what our own wire contract puts into a WebSocket's.
static TECHNIQUE: LazyLock<Option<Technique>> =
    LazyLock::new(|| built_in(OURS)?.ok()?.dialect.technique(Transport::WebSocket).cloned());

/// How raw TCP is spoken, whatever else the server speaks.
pub(super) fn technique() -> Option<&'static Technique> {
    TECHNIQUE.as_ref()
}

pub(super) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let subscription = &feed.subscription;
    let address = subscription.server.raw_tcp.ok_or(ConnectionError::NoRawTcp)?;
    let mut stream = feed.connect(address).await?;
    let topic = &subscription.topic;
    let from = feed.place.value(&Variable::Id).unwrap_or("start");
    let subscribe = format!("SUBSCRIBE {topic} {from}\n");
    stream.write_all(subscribe.as_bytes()).await?;
    // The nearest that there is to the head of a request.
    feed.tally().request_of(subscribe.len() as u64);
    feed.opened();
    // A big-endian u32 and then so many bytes: the codec's default.
    let mut frames = FramedRead::with_capacity(stream, LengthDelimitedCodec::new(), READ_BUFFER_BYTES);
    while let Some(frame) = frames.next().await {
        feed.unit(&frame?, None)?;
    }
    Ok(Ended::Closed)
}
