//! Raw TCP: length-prefixed messages on a bare socket, the floor below the five transports. It has one client: a floor
//! contains no library.

use std::sync::LazyLock;

use pushoff_model::Transport;
use pushoff_model::target::{OURS, Technique, Variable, built_in};
use tokio::io::AsyncWriteExt;

use super::error::{ConnectionError, LONGEST_MESSAGE};
use super::feed::{Ended, Feed};
use super::io::Input;
use super::sink::Sink;

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
    let mut stream = feed.connect_raw(address).await?;
    let topic = &subscription.topic;
    let from = feed.position.value(&Variable::Id).unwrap_or("start");
    let subscribe = format!("SUBSCRIBE {topic} {from}\n");
    stream.write_all(subscribe.as_bytes()).await?;
    // The closest thing to a request's head.
    feed.tally().request_of(subscribe.len() as u64);
    feed.opened();
    let mut input = Input::default();
    loop {
        match input.fill(&mut stream).await? {
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
