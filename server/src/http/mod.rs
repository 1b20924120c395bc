//! HTTP: which resource a request is for, and what every response has in common.
//!
//! Every response says `Cache-Control: no-store`; every error is a problem in JSON. A request
//! for another host, or from an origin that may not connect, gets no further than here.
//! Sources: RFC 9110, RFC 9112 §3.2, the wire contract in `docs/TRANSPORTS.md`.

pub(crate) mod answer;
pub(crate) mod body;
mod chunked;
pub(crate) mod connection;
#[cfg(fuzzing)]
pub(crate) mod fuzz;
pub(crate) mod head;
pub(crate) mod host;
pub(crate) mod origin;
mod outage;
pub(crate) mod problem;
pub(crate) mod query;
mod reply;
pub(crate) mod response;
mod route;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_REQUEST_METHOD, ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use pushoff_model::Transport;

use self::answer::Answer;
use self::body::Body;
use self::head::Head;
use self::origin::Origin;
use self::problem::Problem;
use self::query::Query;
use self::response::Response;
use self::route::Route;
use crate::publish::{self, Publication};
use crate::server::Server;
use crate::transports::{self, Ask, websocket};
use crate::web;

/// The answer to one request, and where that comes from.
fn answer(server: &Arc<Server>, head: &Head<'_>) -> (Answer, Origin) {
    let origin = Origin::of(head, &server.config.allow_origins);
    let answered = admit(server, head, &origin).and_then(|()| dispatch(server, head));
    (answered.unwrap_or_else(|problem| Answer::Now(problem.into_response())), origin)
}

/// Whether a request may be looked at.
fn admit(server: &Server, head: &Head<'_>, origin: &Origin) -> Result<(), Problem> {
    // A browser always says; a program that speaks HTTP/1.0 need not.
    if !head.host.is_empty() || head.takes_chunks {
        server.hosts.check(head.host)?;
    }
    match origin {
        Origin::Foreign => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "this origin may not connect: start the server with --allow-origin to let it",
        )),
        Origin::None | Origin::Allowed(_) => Ok(()),
    }
}

fn dispatch(server: &Arc<Server>, head: &Head<'_>) -> Result<Answer, Problem> {
    let route = Route::find(head.path)?;
    if matches!(route, Route::Outage(_)) && !server.config.demo {
        return Err(Problem::not_enabled("outages are off: start the server with --demo to ask for them"));
    }
    if matches!(route, Route::Echo) && !server.config.echo {
        return Err(Problem::not_enabled("/echo is off: start the server with --echo to use it"));
    }
    if head.method == Method::OPTIONS {
        return Ok(options(&route, head).into());
    }
    if !route.allows(&head.method) {
        return Err(Problem::method_not_allowed(route.allow()));
    }
    match route {
        Route::Page => Ok(web::page(server).into()),
        Route::File(file) => Ok(file.response().into()),
        Route::Health => Ok(text("text/plain; charset=utf-8", "ok").into()),
        Route::Metrics => metrics(server).map(Answer::Now),
        Route::Outage(kind) => outage::strike(server, head, kind).map(Answer::Now),
        Route::Echo => websocket::echo(head),
        Route::Topic(topic) if head.method == Method::DELETE => {
            publish::complete(server, head, &topic).map(Answer::Now)
        }
        Route::Topic(topic) => Publication::admit(server, head, topic).map(Answer::Publish),
        Route::Subscribe(topic, transport) => {
            let query = Query::parse(head, transport)?;
            transports::answer(transport, &Ask { server, head, query, topic })
        }
    }
}

/// What may be done with a resource; for a preflight, what a page from elsewhere may ask.
fn options(route: &Route, head: &Head<'_>) -> Response {
    let allow = HeaderValue::from_static(route.allow());
    let response = Response::bare(StatusCode::NO_CONTENT).with(ALLOW, allow.clone());
    if head.field(&ACCESS_CONTROL_REQUEST_METHOD).is_none() {
        return response;
    }
    origin::preflight(response).with(ACCESS_CONTROL_ALLOW_METHODS, allow)
}

fn metrics(server: &Server) -> Result<Response, Problem> {
    let text_format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match server.stats.text(server.hub.topic_count(), server.memory.held()) {
        Ok(metrics) => Ok(text(text_format, metrics)),
        Err(error) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

/// A whole response of a media type.
pub(crate) fn text(media_type: &'static str, content: impl Into<Bytes>) -> Response {
    Response::new(StatusCode::OK, Body::whole(content.into())).with(CONTENT_TYPE, HeaderValue::from_static(media_type))
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
