//! Raw TCP: length-prefixed messages on a bare socket, the floor below the five transports. Both clients speak it in
//! the same way, as far as there is a library.

use std::io;
use std::sync::LazyLock;

use futures_util::StreamExt;
use pushoff_model::target::{OURS, Technique, Variable, built_in};
use pushoff_model::{Client, Transport};
use tokio::io::AsyncWriteExt;
use tokio_util::codec::{FramedRead, LengthDelimitedCodec, LengthDelimitedCodecError};

use super::error::{ConnectionError, LONGEST_MESSAGE};
use super::feed::{Ended, Feed};
use super::io::{Input, Io};
use super::sink::Sink;
use crate::clients::http_client::READ_BUFFER_BYTES;

/// A frame's content: the same as in a WebSocket frame of pushoff's protocol.
static TECHNIQUE: LazyLock<Option<Technique>> =
    LazyLock::new(|| built_in(OURS)?.ok()?.dialect.technique(Transport::WebSocket).cloned());

/// How raw TCP is spoken. It does not depend on the target.
pub(crate) fn technique() -> Option<&'static Technique> {
    TECHNIQUE.as_ref()
}

pub(crate) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let subscription = &feed.subscription;
    let address = subscription.server.raw_tcp.ok_or(ConnectionError::NoRawTcp)?;
    let mut stream = feed.connect(address).await?;
    let topic = &subscription.topic;
    let from = feed.position.value(&Variable::Id).unwrap_or("start");
    let subscribe = format!("SUBSCRIBE {topic} {from}\n");
    stream.write_all(subscribe.as_bytes()).await?;
    // The closest thing to a request's head.
    feed.tally().request_of(subscribe.len() as u64);
    feed.opened();
    match feed.subscription.client {
        Client::Library | Client::Browser => {
            // A big-endian u32 and then that many bytes: the codec's default.
            let codec = LengthDelimitedCodec::builder().max_frame_length(LONGEST_MESSAGE).new_codec();
            let mut frames = FramedRead::with_capacity(stream, codec, READ_BUFFER_BYTES);
            while let Some(frame) = frames.next().await {
                feed.unit(&frame.map_err(broken)?, None)?;
            }
            Ok(Ended::Closed)
        }
        Client::Lean => lean(&mut stream, feed).await,
    }
}

/// The codec wraps its error for a frame that is too long in an I/O error.
fn broken(error: io::Error) -> ConnectionError {
    let is_long = error.get_ref().is_some_and(|inner| inner.is::<LengthDelimitedCodecError>());
    if is_long { ConnectionError::too_long("a message") } else { ConnectionError::Io(error) }
}

/// The lean client.
async fn lean<S: Sink>(stream: &mut impl Io, feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let mut input = Input::default();
    loop {
        match input.fill(stream).await? {
            0 if input.bytes().is_empty() => return Ok(Ended::Closed),
            0 => return Err(ConnectionError::Ended),
            _bytes => feed.read_returned(),
        }
        while let Some(message) = next_message(&mut input)? {
            feed.unit(message, None)?;
        }
        feed.read_handed_out();
    }
}

/// Takes the next whole message.
fn next_message(input: &mut Input) -> Result<Option<&[u8]>, ConnectionError> {
    let Some((length, rest)) = input.bytes().split_first_chunk() else { return Ok(None) };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > LONGEST_MESSAGE {
        return Err(ConnectionError::too_long("a message"));
    }
    if rest.len() < length {
        return Ok(None);
    }
    input.take(size_of::<u32>());
    Ok(Some(input.take(length)))
}
