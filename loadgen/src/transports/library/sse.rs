//! Server-sent events, read by `eventsource-client`. Source: WHATWG HTML §9.2.
//!
//! The library's own reconnecting is off: every transport waits and resumes in the same way, and
//! a server that is gone must be noticed. It keeps a hyper client of its own, hence a connection
//! of its own.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use eventsource_client::{Client, ClientBuilder, Event, ReconnectOptions, SSE};
use futures_util::StreamExt;
use http::header::HOST;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, Uri};
use hyper::ext::ReasonPhrase;
use hyper_util::client::legacy;
use hyper_util::rt::TokioIo;
use launchdarkly_sdk_transport::{ByteStream, HttpTransport, HyperTransport, TransportError};
use tower_service::Service;

use crate::taps::{Tapped, Taps, lines};
use crate::transports::{ConnectionError, Ended, Feed, Sink};

pub(in crate::transports) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let subscription = &feed.subscription;
    let asking = feed.asking()?;
    let url = asking.url(&subscription.server)?;
    let mut client =
        ClientBuilder::for_url(url.as_str())?.reconnect(ReconnectOptions::reconnect(false).build()).redirect_limit(0);
    for (name, value) in &asking.fields {
        client = client.header(name.as_str(), value.to_str().map_err(|_error| ConnectionError::Id)?)?;
    }
    let taps = subscription.taps.clone();
    let connector = Connector { taps: taps.clone(), server: subscription.server.http, source: subscription.source };
    let transport = HyperTransport::builder().disable_proxy().build_with_connector(connector)?;
    let mut events = client.build_with_transport(Counted { transport, taps }).stream();
    feed.sink.requested(feed.now());
    while let Some(event) = events.next().await {
        match event {
            Ok(SSE::Connected(details)) => {
                let answer = details.response();
                let status = StatusCode::from_u16(answer.status()).unwrap_or_default();
                if feed.stream_begins(status, &head_of(answer))?.is_none() {
                    return Ok(Ended::Complete);
                }
            }
            Ok(SSE::Event(event)) => hand_on(&event, feed)?,
            Ok(SSE::Comment(_)) => {}
            Err(eventsource_client::Error::Eof) => return Ok(Ended::Closed),
            Err(error) => return Err(error.into()),
        }
    }
    Err(ConnectionError::Ended)
}

fn hand_on<S: Sink>(event: &Event, feed: &mut Feed<'_, S>) -> Result<(), ConnectionError> {
    feed.event(event.event_type.as_bytes(), event.id.as_deref(), event.data.as_bytes())
}

/// The fields of an answer's head, as far as the library hands them over.
fn head_of(answer: &eventsource_client::Response) -> HeaderMap {
    let field = |name: &str| {
        let value = answer.get_header_value(name).ok()??.parse().ok()?;
        Some((name.parse::<HeaderName>().ok()?, value))
    };
    answer.get_header_keys().into_iter().filter_map(field).collect()
}

/// Makes connections that are tapped.
#[derive(Clone)]
struct Connector {
    taps: Taps,
    server: SocketAddr,
    source: Option<IpAddr>,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Tapped>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Tapped>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Self { taps, server, source } = self.clone();
        Box::pin(async move { Tapped::connect(&taps, server, source).await.map(TokioIo::new) })
    }
}

/// The library's HTTP, with what it asks and is answered counted.
#[derive(Clone)]
struct Counted<T> {
    transport: T,
    taps: Taps,
}

impl<T: HttpTransport> HttpTransport for Counted<T> {
    fn request(
        &self,
        request: Request<Option<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<ByteStream>, TransportError>> + Send + Sync>> {
        let taps = self.taps.clone();
        let authority = request.uri().authority().map_or("", |authority| authority.as_str()).as_bytes();
        let host = (!request.headers().contains_key(HOST)).then_some((HOST.as_str(), authority));
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let head = taps.tally().request(request.method(), target, lines(request.headers()).chain(host));
        let answer = self.transport.request(request);
        Box::pin(async move {
            let response = answer.await.inspect_err(|error| {
                if is_connecting(error) {
                    taps.tally().not_sent(head);
                }
            })?;
            let reason = response.extensions().get::<ReasonPhrase>().map(ReasonPhrase::as_bytes);
            taps.tally().response(response.status(), reason, response.headers());
            Ok(response)
        })
    }
}

/// Whether there was no connection to ask on.
fn is_connecting(error: &TransportError) -> bool {
    error.source().and_then(|cause| cause.downcast_ref::<legacy::Error>()).is_some_and(legacy::Error::is_connect)
}
