//! Server-sent events by `eventsource-client`. Source: WHATWG HTML §9.2.
//!
//! The library's own reconnecting is off, because all transports share one back-off and a server that is gone must be
//! noticed. Each subscriber has its own hyper client, hence its own connection.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use eventsource_client::{Client, ClientBuilder, Event, ReconnectOptions, SSE};
use futures_util::StreamExt;
use http::header::{CONTENT_ENCODING, HOST};
use http::{HeaderMap, HeaderName, Request, StatusCode, Uri};
use http_body_util::{BodyDataStream, Full};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioIo};
use launchdarkly_sdk_transport::{ByteStream, HttpTransport, ResponseFuture, TransportError};
use pushoff_model::{Http as Version, Wire};
use tower_service::Service;

use crate::clients::carrier::Carrier;
use crate::clients::coding::Decoder;
use crate::clients::error::{ConnectionError, LONGEST_MESSAGE};
use crate::clients::feed::{Ended, Feed};
use crate::clients::http2::Group;
use crate::clients::sink::Sink;
use crate::clients::subscription::Subscription;
use crate::origin::Origin;
use crate::server::Server;
use crate::wire::{WireCounters, lines};

pub(crate) async fn connect<S: Sink>(feed: &mut Feed<'_, S>) -> Result<Ended, ConnectionError> {
    let subscription = &feed.subscription;
    let request = feed.next_request()?;
    let url = request.url(&subscription.server)?;
    let mut client =
        ClientBuilder::for_url(url.as_str())?.reconnect(ReconnectOptions::reconnect(false).build()).redirect_limit(0);
    for (name, value) in &request.fields {
        client = client.header(name.as_str(), value.to_str().map_err(|_error| ConnectionError::Id)?)?;
    }
    let http = match subscription.server.wire.http {
        Version::One => Http::new(subscription),
        Version::Two => Http::clone(&*subscription.group.shared(|| Ok::<_, ConnectionError>(Http::new(subscription)))?),
    };
    let mut events = client.build_with_transport(http).stream();
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
            Err(error) => return Err(cause(error)),
        }
    }
    Err(ConnectionError::Ended)
}

fn hand_on<S: Sink>(event: &Event, feed: &mut Feed<'_, S>) -> Result<(), ConnectionError> {
    feed.event(event.event_type.as_bytes(), event.id.as_deref(), event.data.as_bytes())
}

/// The fields of an answer's head that the library exposes.
fn head_of(answer: &eventsource_client::Response) -> HeaderMap {
    let field = |name: &str| {
        let value = answer.get_header_value(name).ok()??.parse().ok()?;
        Some((name.parse::<HeaderName>().ok()?, value))
    };
    answer.get_header_keys().into_iter().filter_map(field).collect()
}

/// Opens counted connections.
#[derive(Clone)]
struct Connector {
    counters: WireCounters,
    server: Server,
    origin: Origin,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Carrier>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Carrier>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Self { counters, server, origin } = self.clone();
        Box::pin(async move { Carrier::connect(&counters, &server, &origin).await.map(TokioIo::new) })
    }
}

/// The library's transport: a hyper client whose requests and responses are counted.
#[derive(Clone)]
struct Http {
    client: legacy::Client<Connector, Full<Bytes>>,
    counters: WireCounters,
    group: Arc<Group>,
    wire: Wire,
}

impl Http {
    fn new(subscription: &Subscription) -> Self {
        let Subscription { server, origin, group, .. } = subscription;
        let (counters, wire) = (subscription.wire.clone(), server.wire);
        let mut client = legacy::Client::builder(TokioExecutor::new());
        client
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http2_only(wire.http == Version::Two)
            .http2_initial_stream_window_size(server.windows.stream)
            .http2_initial_connection_window_size(server.windows.connection);
        let connector = Connector { counters: counters.clone(), server: server.clone(), origin: origin.clone() };
        Self { client: client.build(connector), counters, group: group.clone(), wire }
    }

    /// Counts a request; its bytes.
    fn count(&self, request: &Request<Option<Bytes>>) -> u64 {
        let (tally, uri, fields) = (self.counters.tally(), request.uri(), request.headers());
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        match self.wire.http {
            Version::One => {
                let host = (!fields.contains_key(HOST)).then_some((HOST.as_str(), authority.as_bytes()));
                tally.request(request.method(), target, lines(fields).chain(host))
            }
            Version::Two => {
                let pseudo = [
                    (":method", request.method().as_str()),
                    (":scheme", uri.scheme_str().unwrap_or_default()),
                    (":authority", authority),
                    (":path", target),
                ];
                tally.request_of(self.group.request(&pseudo, fields))
            }
        }
    }
}

impl HttpTransport for Http {
    fn request(&self, request: Request<Option<Bytes>>) -> ResponseFuture {
        let (counters, group, wire) = (self.counters.clone(), self.group.clone(), self.wire);
        let head = self.count(&request);
        let answer = self.client.request(request.map(|body| Full::new(body.unwrap_or_default())));
        Box::pin(async move {
            let mut response = answer.await.map_err(TransportError::new).inspect_err(|error| {
                if is_connecting(error) {
                    counters.tally().not_sent(head);
                }
            })?;
            match wire.http {
                Version::One => {
                    let reason = response.extensions().get::<ReasonPhrase>().map(ReasonPhrase::as_bytes);
                    counters.tally().response(response.status(), reason, response.headers());
                }
                Version::Two => {
                    counters.tally().response_of(group.response(response.status(), response.headers()));
                }
            }
            let coding = response.headers_mut().remove(CONTENT_ENCODING);
            let coding = coding.as_ref().and_then(|coding| coding.to_str().ok());
            let decoder = Decoder::of(coding, wire.compressed).map_err(TransportError::new)?;
            counters.tally().opened(!decoder.is_identity());
            Ok(response.map(|body| Bounded { body, decoder, begun: Begun::default() }.into_stream()))
        })
    }
}

/// A body, decoded, that fails when an event does not end; the library itself would buffer without a limit.
struct Bounded {
    body: Incoming,
    decoder: Decoder,
    begun: Begun,
}

impl Bounded {
    fn into_stream(self) -> ByteStream {
        let Self { body, mut decoder, mut begun } = self;
        Box::pin(BodyDataStream::new(body).map(move |piece| {
            let mut piece = piece.map_err(TransportError::new)?;
            if !decoder.is_identity() {
                decoder.decode(&piece).map_err(TransportError::new)?;
                piece = Bytes::copy_from_slice(decoder.decoded());
            }
            begun.read(&piece).map(|()| piece).map_err(TransportError::new)
        }))
    }
}

/// How much of an incomplete event has come. Complete comments do not count.
#[derive(Debug, Default)]
struct Begun {
    line: usize,
    is_comment: bool,
    event: usize,
    /// A following LF belongs to the previous line break.
    after_cr: bool,
}

/// An event that does not end.
#[derive(Debug, thiserror::Error)]
#[error("an event is too long")]
struct Endless;

/// The bytes of a line that the library does not keep: `data:` without the LF that joins lines.
const NAME_OF_A_FIELD: usize = 4;

impl Begun {
    fn read(&mut self, piece: &[u8]) -> Result<(), Endless> {
        // Nearly every piece ends with an event, and then needs no scan.
        if piece.ends_with(b"\n\n") || piece.ends_with(b"\r\n\r\n") {
            *self = Self::default();
            return Ok(());
        }
        let mut rest = piece;
        while let Some(&first) = rest.first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                rest = &rest[1..];
                continue;
            }
            if self.line == 0 {
                self.is_comment = first == b':';
            }
            let end = memchr::memchr2(b'\n', b'\r', rest);
            self.line += end.unwrap_or(rest.len());
            if self.line + self.event > LONGEST_MESSAGE {
                return Err(Endless);
            }
            let Some(end) = end else { break };
            match (std::mem::take(&mut self.line), self.is_comment) {
                (0, _) => self.event = 0,
                (_, true) => {}
                (line, false) => self.event += line.saturating_sub(NAME_OF_A_FIELD).max(1),
            }
            self.after_cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
        }
        Ok(())
    }
}

/// The library's error, or the cause that its transport failed with.
fn cause(error: eventsource_client::Error) -> ConnectionError {
    if let eventsource_client::Error::Transport(inner) = &error
        && inner.inner().is::<Endless>()
    {
        return ConnectionError::too_long("an event");
    }
    error.into()
}

/// Whether no connection could be made.
fn is_connecting(error: &TransportError) -> bool {
    error.source().and_then(|cause| cause.downcast_ref::<legacy::Error>()).is_some_and(legacy::Error::is_connect)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a piece can be repeated until it is refused; `None` where it never is.
    fn most(piece: &str, cut: usize) -> Option<usize> {
        let text = piece.repeat(LONGEST_MESSAGE * 8 / piece.len());
        let mut begun = Begun::default();
        let bytes = text.as_bytes().chunks(cut).position(|chunk| begun.read(chunk).is_err())? * cut;
        Some(bytes / piece.len())
    }

    #[test]
    fn only_what_does_not_end_is_too_long() {
        for cut in [1_021, 8_192] {
            for endless in ["x", "data: xyz\n", "data:\n", "data:\r\n", "data:\r", "id: 5\n", ":"] {
                assert!(most(endless, cut).is_some(), "{endless:?} in pieces of {cut}");
            }
            for ends in ["data: x\n\n", "data: x\r\n\r\n", "data: x\r\r", ": comment\n", "\n", "\r\n"] {
                assert_eq!(most(ends, cut), None, "{ends:?} in pieces of {cut}");
                assert_eq!(most(ends, ends.len()), None, "{ends:?} in whole pieces");
            }
        }
        assert!(most("data:\n", 8_192).unwrap() >= LONGEST_MESSAGE - 8_192, "as many lines as bytes are kept");
    }
}
