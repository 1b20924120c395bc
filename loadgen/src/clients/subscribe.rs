//! Subscribes over any transport: one subscriber, one connection, one function for each transport.
//!
//! A transport's file reads one connection until it ends or breaks, and reports to a [`Sink`]. The target's dialect
//! says what is sent and how messages are found. After a break, all transports do the same: wait, connect again, and
//! resume after the last message, so that nothing is lost.

use pushoff_model::target::{Target, Technique};
use pushoff_model::{Client, Transport};

use super::backoff::BackOff;
use super::error::{ConnectionError, SubscribeError};
use super::feed::{Ended, Feed};
use super::sink::Sink;
use super::subscription::Subscription;
use super::{lean, library, long_polling, raw_tcp, short_polling};

/// Subscribes to one topic and reports to `sink`, until the topic is complete.
///
/// Dropping the future unsubscribes.
///
/// # Errors
/// When the first connection cannot be made, when the server refuses the subscription for good or is gone, or when
/// the sink stops.
pub async fn subscribe<S: Sink>(
    transport: Transport,
    subscription: Subscription,
    sink: &mut S,
) -> Result<(), SubscribeError> {
    let mut backoff = BackOff::new(subscription.seed, subscription.server.siblings.len());
    let (client, completes) = (subscription.client, subscription.completes);
    let target = subscription.server.target.clone();
    let technique =
        technique(&target, transport).ok_or(SubscribeError::Connect(ConnectionError::NotSpoken(transport)))?;
    let mut feed = Feed::new(transport, subscription, technique, sink);
    loop {
        feed.sink.connecting(feed.now());
        let ended = match (transport, client) {
            (_, Client::Browser) => Err(ConnectionError::InAPage),
            (Transport::ShortPolling, _) => short_polling::connect(&mut feed).await,
            (Transport::LongPolling, _) => long_polling::connect(&mut feed).await,
            (Transport::HttpStreaming, Client::Library) => library::http_streaming::connect(&mut feed).await,
            (Transport::HttpStreaming, Client::Lean) => lean::http_streaming::connect(&mut feed).await,
            (Transport::Sse, Client::Library) => library::sse::connect(&mut feed).await,
            (Transport::Sse, Client::Lean) => lean::sse::connect(&mut feed).await,
            (Transport::WebSocket, Client::Library) => library::websocket::connect(&mut feed).await,
            (Transport::WebSocket, Client::Lean) => lean::websocket::connect(&mut feed).await,
            (Transport::RawTcp, _) => raw_tcp::connect(&mut feed).await,
        };
        // A failed read may have brought messages before it failed.
        feed.read_handed_out();
        let error = match ended {
            Ok(Ended::Complete) => break,
            Ok(Ended::Closed) if completes => break,
            Ok(Ended::Closed) => ConnectionError::Ended,
            Err(error) => error,
        };
        feed.after_a_break(error, &mut backoff).await?;
    }
    feed.sink.completed();
    Ok(())
}

/// How a server speaks a transport; `None` where it does not. Raw TCP is the same for every server.
pub(crate) fn technique(target: &Target, transport: Transport) -> Option<&Technique> {
    match transport {
        Transport::RawTcp => raw_tcp::technique(),
        Transport::ShortPolling
        | Transport::LongPolling
        | Transport::HttpStreaming
        | Transport::Sse
        | Transport::WebSocket => target.dialect.technique(transport),
    }
}
