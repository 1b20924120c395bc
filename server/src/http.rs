//! HTTP: which resource a request is for, and what every response has in common.
//!
//! Every response says `Cache-Control: no-store`; every error is a problem in JSON. A request
//! that names no host, or comes from an origin that may not connect, gets no further than here.
//! Sources: RFC 9110, RFC 9112 §3.2, the wire contract in `docs/TRANSPORTS.md`.

pub(crate) mod body;
pub(crate) mod connection;
pub(crate) mod exchange;
mod origin;
mod page;
pub(crate) mod problem;
pub(crate) mod query;
mod reply;
mod route;
mod wire;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_REQUEST_METHOD, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST,
};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use pushoff_model::Transport;

use self::body::Body;
use self::exchange::Line;
use self::origin::Origin;
use self::problem::Problem;
use self::query::Query;
use self::route::Route;
use crate::server::Server;
use crate::transports::{Ask, echo};
use crate::{publish, transports};

/// The answer to one request.
pub(crate) async fn answer(server: &Arc<Server>, line: &Arc<Line>, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let origin = Origin::of(&head.headers, &server.config.allow_origins);
    let answered = match admit(&head, &origin) {
        Ok(()) => dispatch(server, line, Box::new(head), body).await,
        Err(problem) => Err(problem),
    };
    let mut response = answered.unwrap_or_else(Problem::into_response);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    origin.mark(response.headers_mut());
    response
}

/// Whether a request may be looked at.
fn admit(head: &Parts, origin: &Origin) -> Result<(), Problem> {
    let hosts = head.headers.get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && head.version == Version::HTTP_11) {
        return Err(Problem::bad_request("a request has exactly one Host field (RFC 9112 §3.2)"));
    }
    match origin {
        Origin::Foreign => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "this origin may not connect: start the server with --allow-origin to let it",
        )),
        Origin::None | Origin::Allowed(_) => Ok(()),
    }
}

async fn dispatch(
    server: &Arc<Server>,
    line: &Arc<Line>,
    head: Box<Parts>,
    body: Incoming,
) -> Result<Response<Body>, Problem> {
    let route = Route::find(head.uri.path())?;
    if head.method == Method::OPTIONS {
        return Ok(options(&route, &head));
    }
    if !route.allows(&head.method) {
        return Err(Problem::method_not_allowed(route.allow()));
    }
    match route {
        Route::Page => Ok(page::response()),
        Route::Health => Ok(text("text/plain; charset=utf-8", "ok")),
        Route::Metrics => metrics(server),
        Route::Echo => echo::upgrade(&head, line),
        Route::Topic(topic) if head.method == Method::DELETE => publish::complete(server, &head, &topic),
        Route::Topic(topic) => publish::publish(server, &head, body, &topic).await,
        Route::Subscribe(topic, transport) => {
            let query = Query::parse(&head)?;
            let log = server.hub.topic(&topic)?;
            let subscription = log.subscribe(query.start);
            transports::answer(transport, Ask { server, line, head, query, log, subscription }).await
        }
    }
}

/// What may be done with a resource; for a preflight, what a page from elsewhere may ask.
fn options(route: &Route, head: &Parts) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let allow = HeaderValue::from_static(route.allow());
    if head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        origin::preflight(response.headers_mut());
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_METHODS, allow.clone());
    }
    response.headers_mut().insert(ALLOW, allow);
    response
}

fn metrics(server: &Server) -> Result<Response<Body>, Problem> {
    let text_format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match server.stats.text(server.hub.topic_count()) {
        Ok(metrics) => Ok(text(text_format, metrics)),
        Err(error) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

/// A whole response of a media type.
pub(crate) fn text(media_type: &'static str, content: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::whole(content.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// Whether a transport is spoken over HTTP at all.
pub(crate) const fn is_http(transport: Transport) -> bool {
    match transport {
        Transport::ShortPolling
        | Transport::LongPolling
        | Transport::HttpStreaming
        | Transport::Sse
        | Transport::WebSocket => true,
        Transport::RawTcp => false,
    }
}
