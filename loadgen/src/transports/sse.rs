//! Server-sent events, read by `eventsource-client`. Source: WHATWG HTML §9.2.
//!
//! The library's own reconnecting is off: every transport waits and resumes in the same way, and
//! a server that is gone must be noticed. It keeps a hyper client of its own, hence a connection
//! of its own.

use eventsource_client::{Client, ClientBuilder, Event, ReconnectOptions, SSE};
use futures_util::StreamExt;
use http::StatusCode;
use hyper_util::client::legacy::connect::HttpConnector;
use launchdarkly_sdk_transport::HyperTransport;
use pushoff_model::Transport;

use super::{ConnectionError, Ended, Feed, Sink};

pub(super) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let subscription = &feed.subscription;
    let url = subscription.target.subscription(&subscription.topic, Transport::Sse.name());
    let mut client =
        ClientBuilder::for_url(url.as_str())?.reconnect(ReconnectOptions::reconnect(false).build()).redirect_limit(0);
    if let Some(after) = subscription.after {
        client = client.last_event_id(after.to_string());
    }
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let mut events = client
        .build_with_transport(HyperTransport::builder().disable_proxy().build_with_connector(connector)?)
        .stream();
    feed.sink.requested(feed.now());
    while let Some(event) = events.next().await {
        match event {
            Ok(SSE::Connected(details)) if details.response().status() == StatusCode::NO_CONTENT => {
                return Ok(Ended::Complete);
            }
            Ok(SSE::Connected(_)) => feed.opened(),
            Ok(SSE::Event(event)) => hand_on(&event, feed)?,
            Ok(SSE::Comment(_)) => {}
            Err(eventsource_client::Error::Eof) => return Ok(Ended::Closed),
            Err(error) => return Err(error.into()),
        }
    }
    Err(ConnectionError::Ended)
}

fn hand_on<S: Sink>(event: &Event, feed: &mut Feed<'_, S>) -> Result<(), ConnectionError> {
    if event.event_type == "missed" {
        let count = serde_json::from_str(&event.data).map_err(ConnectionError::Line)?;
        feed.sink.missed(count);
        return Ok(());
    }
    let cursor = event.id.as_deref().and_then(|id| id.parse().ok()).ok_or(ConnectionError::Cursor)?;
    feed.message(cursor, event.data.as_bytes(), None);
    Ok(())
}
