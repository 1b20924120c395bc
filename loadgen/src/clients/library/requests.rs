//! Requests by reqwest, with their bytes counted.
//!
//! reqwest hides its sockets. A layer around its connector learns the two addresses of every new connection, which are
//! enough to find its socket.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use http::Extensions;
use hyper::ext::ReasonPhrase;
use hyper_util::client::legacy::connect::{Connection, HttpInfo};
use pushoff_model::Http;
use reqwest::Url;
use reqwest::header::{ACCEPT, CONTENT_ENCODING};
use tower_layer::Layer;
use tower_service::Service;

use crate::bounded::bounded_body;
use crate::clients::answer::{Answer, is_answer};
use crate::clients::error::{ConnectionError, LONGEST_ANSWER};
use crate::clients::feed::Feed;
use crate::clients::http::ANYTHING;
use crate::clients::http_client::http_client_builder;
use crate::clients::sink::Sink;
use crate::clients::subscription::Subscription;
use crate::wire::{Registration, WireCounters, lines};

/// The counted connections of one client. There is nearly always one; a client that sends again before its connection
/// is back in the pool opens another, and keeps both.
type Registrations = Mutex<Vec<Registration>>;

/// A client with a connection of its own.
pub(crate) struct Requests {
    client: reqwest::Client,
    /// The only strong reference: counting ends with the client, even if its connector lives longer.
    _registrations: Arc<Registrations>,
}

impl Requests {
    /// Over HTTP/2, one client for all that share a connection.
    pub(crate) fn new(subscription: &Subscription) -> Result<Arc<Self>, ConnectionError> {
        match subscription.server.wire.http {
            Http::One => Self::alone(subscription).map(Arc::new),
            Http::Two => subscription.group.shared(|| Self::alone(subscription)),
        }
    }

    fn alone(subscription: &Subscription) -> Result<Self, ConnectionError> {
        let is_compressed = subscription.server.wire.compressed;
        let builder = http_client_builder(&subscription.server, &subscription.origin);
        let builder = builder.gzip(is_compressed).brotli(is_compressed).zstd(is_compressed);
        let registrations = Arc::default();
        let layer =
            CountingLayer { counters: subscription.wire.clone(), registrations: Arc::downgrade(&registrations) };
        let client = builder.connector_layer(layer).build()?;
        Ok(Self { client, _registrations: registrations })
    }

    /// Sends a request for the messages after the current position.
    pub(crate) async fn ask<S: Sink>(&self, feed: &Feed<'_, S>) -> Result<reqwest::Response, ConnectionError> {
        let subscription = &feed.subscription;
        let asking = feed.next_request()?;
        let url = asking.url(&subscription.server)?;
        let mut request = self.client.get(url).build()?;
        request.headers_mut().extend(asking.fields);
        let head = count(&request, feed);
        let response = self.client.execute(request).await.inspect_err(|error| {
            if error.is_connect() {
                feed.tally().not_sent(head);
            }
        })?;
        match subscription.server.wire.http {
            Http::One => {
                let reason = response.extensions().get::<ReasonPhrase>().map(ReasonPhrase::as_bytes);
                feed.tally().response(response.status(), reason, response.headers());
            }
            Http::Two => {
                feed.tally().response_of(subscription.group.response(response.status(), response.headers()));
            }
        }
        Ok(response)
    }

    /// Sends one poll and reads the whole answer.
    pub(crate) async fn poll<S: Sink>(&self, feed: &Feed<'_, S>) -> Result<Answer, ConnectionError> {
        let mut response = self.ask(feed).await?;
        let (status, head) = (response.status(), std::mem::take(response.headers_mut()));
        let coding = head.get(CONTENT_ENCODING).and_then(|coding| coding.to_str().ok());
        // What the library has decoded has no coding any more.
        is_answer(status, coding, false)?;
        let body = bounded_body(&mut response, LONGEST_ANSWER).await?.ok_or_else(ConnectionError::long_answer)?;
        Ok(Answer { status, head, body })
    }
}

/// Counts a request, with the `Accept` field that reqwest adds.
fn count<S: Sink>(request: &reqwest::Request, feed: &Feed<'_, S>) -> u64 {
    let accept = (!request.headers().contains_key(ACCEPT)).then_some((ACCEPT.as_str(), &b"*/*"[..]));
    let url = request.url();
    let target = &url.as_str()[url.as_str().len() - target_length(url)..];
    let (tally, server) = (feed.tally(), &feed.subscription.server);
    match server.wire.http {
        Http::One => tally.request(request.method(), target, lines(request.headers()).chain(accept)),
        Http::Two => {
            let pseudo =
                [(":method", "GET"), (":scheme", url.scheme()), (":authority", &server.authority), (":path", target)];
            let mut fields = request.headers().clone();
            fields.entry(ACCEPT).or_insert(ANYTHING.1);
            tally.request_of(feed.subscription.group.request(&pseudo, &fields))
        }
    }
}

/// The length of path and query, which end the URL here.
fn target_length(url: &Url) -> usize {
    url.path().len() + url.query().map_or(0, |query| query.len() + 1)
}

/// A layer around a connector that has every connection's bytes counted.
#[derive(Clone)]
struct CountingLayer {
    counters: WireCounters,
    registrations: Weak<Registrations>,
}

impl<C> Layer<C> for CountingLayer {
    type Service = CountingConnector<C>;

    fn layer(&self, connector: C) -> CountingConnector<C> {
        CountingConnector { connector, layer: self.clone() }
    }
}

#[derive(Clone)]
struct CountingConnector<C> {
    connector: C,
    layer: CountingLayer,
}

impl<C, R> Service<R> for CountingConnector<C>
where
    C: Service<R>,
    C::Response: Connection,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, target: R) -> Self::Future {
        let connecting = self.connector.call(target);
        let layer = self.layer.clone();
        Box::pin(async move {
            let connection = connecting.await?;
            let mut said = Extensions::new();
            connection.connected().get_extras(&mut said);
            if let Some(info) = said.get::<HttpInfo>() {
                let registration = layer.counters.register_hidden(info.local_addr(), info.remote_addr());
                if let Some(registrations) = layer.registrations.upgrade() {
                    let mut all = registrations.lock().unwrap_or_else(PoisonError::into_inner);
                    all.retain(Registration::is_established);
                    all.extend(registration);
                }
            }
            Ok(connection)
        })
    }
}
