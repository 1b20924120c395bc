//! Requests over HTTP/2, and the bodies of their answers.

use bytes::{Bytes, BytesMut};
use h2::RecvStream;
use h2::ext::Protocol;
use http::{HeaderName, HeaderValue, Method, Request, Response, Version};

use super::group::{Session, UseFor};
use super::tunnel::Tunnel;
use crate::clients::carrier::Carrier;
use crate::clients::error::{ConnectionError, LONGEST_ANSWER};
use crate::clients::feed::Feed;
use crate::clients::request::GetRequest;
use crate::clients::sink::Sink;

/// The protocol in a tunnel.
const WEBSOCKET: &str = "websocket";

/// Asks for the messages after the current position, with these fields as defaults. The caller counts the request.
pub(crate) async fn ask<S: Sink>(
    feed: &mut Feed<'_, S>,
    usual: &[(HeaderName, HeaderValue)],
) -> Result<Response<RecvStream>, ConnectionError> {
    let Session { mut send } = session(feed, UseFor::Requests).await?;
    let (response, _) = send.send_request(request(feed, &Method::GET, &[], usual)?, true)?;
    answered(feed, response.await?)
}

/// Asks for a WebSocket (RFC 8441 §4); a server without them says so in its settings.
pub(crate) async fn tunnel<S: Sink>(
    feed: &mut Feed<'_, S>,
    usual: &[(HeaderName, HeaderValue)],
) -> Result<(Response<()>, Tunnel), ConnectionError> {
    let Session { mut send } = session(feed, UseFor::Tunnels).await?;
    if !send.is_extended_connect_protocol_enabled() {
        return Err(ConnectionError::Handshake("it has no WebSockets over HTTP/2 (RFC 8441)".to_owned()));
    }
    feed.sink.requested(feed.now());
    let mut request = request(feed, &Method::CONNECT, &[(":protocol", WEBSOCKET)], usual)?;
    request.extensions_mut().insert(Protocol::from(WEBSOCKET));
    let (response, outgoing) = send.send_request(request, false)?;
    let (head, incoming) = answered(feed, response.await?)?.into_parts();
    Ok((Response::from_parts(head, ()), Tunnel::new(outgoing, incoming)))
}

async fn session<S: Sink>(feed: &Feed<'_, S>, use_for: UseFor) -> Result<Session, ConnectionError> {
    feed.subscription.group.session(use_for, feed.subscription.server.windows, || feed.connect()).await
}

fn request<S: Sink>(
    feed: &Feed<'_, S>,
    method: &Method,
    further: &[(&str, &str)],
    usual: &[(HeaderName, HeaderValue)],
) -> Result<Request<()>, ConnectionError> {
    let mut asked: GetRequest = feed.next_request()?;
    for (name, value) in usual {
        asked.usual(name.clone(), value.clone());
    }
    let server = &feed.subscription.server;
    let pseudo = [
        (":method", method.as_str()),
        (":scheme", server.scheme()),
        (":authority", &server.authority),
        (":path", &asked.target),
    ];
    let pseudo = [&pseudo[..], further].concat();
    feed.tally().request_of(feed.subscription.group.request(&pseudo, &asked.fields));
    let uri = format!("{}://{}{}", server.scheme(), server.authority, asked.target);
    let request = Request::builder().method(method.clone()).version(Version::HTTP_2).uri(&uri).body(());
    let mut request = request.map_err(|_error| ConnectionError::Address(uri))?;
    *request.headers_mut() = asked.fields;
    Ok(request)
}

fn answered<S: Sink, B>(feed: &Feed<'_, S>, response: Response<B>) -> Result<Response<B>, ConnectionError> {
    feed.tally().response_of(feed.subscription.group.response(response.status(), response.headers()));
    Ok(response)
}

/// The body of an answer. What was taken of it makes room for more.
pub(crate) struct Body(RecvStream);

impl Body {
    pub(crate) const fn new(body: RecvStream) -> Self {
        Self(body)
    }

    /// Waits for the next piece; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ConnectionError> {
        let Some(piece) = self.0.data().await.transpose()? else { return Ok(None) };
        self.0.flow_control().release_capacity(piece.len())?;
        Ok(Some(piece))
    }

    /// Waits for all of it.
    pub(crate) async fn whole(mut self) -> Result<Bytes, ConnectionError> {
        let mut all = BytesMut::new();
        while let Some(piece) = self.next().await? {
            if all.len() + piece.len() > LONGEST_ANSWER {
                return Err(ConnectionError::long_answer());
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }
}

impl From<Tunnel> for Carrier {
    fn from(tunnel: Tunnel) -> Self {
        Self::Tunnel(Box::new(tunnel))
    }
}
