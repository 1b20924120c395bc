//! Which resource a request is for, whether the request is allowed, and its answer.
//!
//! A request for another host, or from an origin that may not connect, gets no further than here.
//! Sources: RFC 9110, RFC 9112 §3.2, the wire contract in `docs/TRANSPORTS.md`.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_REQUEST_METHOD, ALLOW};
use http::{HeaderValue, Method, StatusCode};
use percent_encoding::percent_decode_str;
use pushoff_model::{Start, Topic, Transport};

use crate::compression::Compressors;
use crate::http::{Head, Origin, Problem, Response, Version, origin};
use crate::limits;
use crate::publish::{self, Publication};
use crate::state::Server;
use crate::transports::answer::{Answer, Joined, Joining, Pending};
use crate::transports::ask::Ask;
use crate::transports::query::Query;
use crate::transports::{self, websocket};
use crate::web;

/// The answer to a request, and the origin of the request. `joined` is what a first answer asked to wait for.
pub(crate) fn answer(server: &Arc<Server>, head: &Head<'_>, joined: Option<Joined>) -> (Answer, Origin) {
    let origin = Origin::of(head, &server.hosts, &server.config.allow_origins);
    let answer = admit(server, head, &origin).and_then(|()| dispatch(server, head, joined));
    (answer.unwrap_or_else(|problem| Answer::Now(problem.into_response())), origin)
}

/// Checks the host and the origin of a request.
fn admit(server: &Server, head: &Head<'_>, origin: &Origin) -> Result<(), Problem> {
    // A request names a host since HTTP/1.1.
    if !head.host.is_empty() || head.version != Version::Old {
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

fn dispatch(server: &Arc<Server>, head: &Head<'_>, joined: Option<Joined>) -> Result<Answer, Problem> {
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
        Route::Page => Ok(web::page(&server.config, &server.hosts, head.host).into()),
        Route::File(file) => Ok(file.response().into()),
        Route::Health => Ok(Response::text("text/plain; charset=utf-8", "ok").into()),
        Route::Metrics => metrics(server).map(Answer::Now),
        Route::Outage(kind) => outage(server, head, kind).map(Answer::Now),
        Route::Echo => websocket::echo(head, server).map(|(response, session)| Answer::Upgrade(response, session)),
        Route::Topic(topic) if head.method == Method::DELETE => complete(server, head, topic),
        Route::Topic(topic) => Publication::admit(server, head, topic).map(Answer::Publish),
        Route::Subscribe(topic, transport) => {
            let query = Query::parse(head, transport)?;
            let joined = match joined {
                Some(joined) => Some((*joined)?),
                None if server.hub.is_outside() && query.subscribe => {
                    return Ok(Answer::Join(join(server, topic, query.start)));
                }
                None => None,
            };
            transports::answer(transport, &Ask { server, head, query, topic, joined: Cell::new(joined) })
        }
    }
}

/// `DELETE /topics/{topic}`.
fn complete(server: &Arc<Server>, head: &Head<'_>, topic: Topic) -> Result<Answer, Problem> {
    publish::authorize(server, head)?;
    if !server.hub.is_outside() {
        return publish::complete(server, &topic).map(Answer::Now);
    }
    let server = Arc::clone(server);
    let response =
        Box::pin(
            async move { publish::complete_and_wait(&server, &topic).await.unwrap_or_else(Problem::into_response) },
        );
    Ok(Answer::Later(Pending { response, hurry: Arc::default() }))
}

/// Waits for a store outside the process.
fn join(server: &Arc<Server>, topic: Topic, start: Start) -> Joining {
    let server = Arc::clone(server);
    Box::pin(async move { Box::new(server.hub.join(&topic, start).await.map_err(Problem::from)) })
}

/// The methods of a resource; in a preflight, the rules for pages of other origins.
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
    let compressors = server.compressors.as_ref().map_or(0, Compressors::held);
    server.stats.store_connected(server.hub.is_connected());
    match server.stats.text(server.hub.topic_count(), server.memory.held(), compressors) {
        Ok(metrics) => Ok(Response::text(text_format, metrics)),
        Err(error) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

/// `POST /outage/cut` and `POST /outage/hold?seconds=N`, for the live page. Takes the publish token, where there
/// is one, and no request from a page of another host, even one that may subscribe.
fn outage(server: &Server, head: &Head<'_>, kind: OutageKind) -> Result<Response, Problem> {
    let outage = server.outage.as_ref().ok_or_else(Problem::not_found)?;
    if !origin::is_own(head) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "outages are asked for by pages of this host alone"));
    }
    publish::authorize(server, head)?;
    match kind {
        OutageKind::Cut => outage.cut(),
        // A held-back client must not be mistaken for a stuck one.
        OutageKind::Hold => outage.hold(seconds(head.query)?.min(server.config.write_timeout / 2)),
    }
    Ok(Response::bare(StatusCode::NO_CONTENT))
}

fn seconds(query: &str) -> Result<Duration, Problem> {
    let seconds = query.strip_prefix("seconds=").and_then(|digits| digits.parse::<u8>().ok()).map(u64::from);
    seconds
        .map(Duration::from_secs)
        .filter(|time| (Duration::from_secs(1)..=limits::LONGEST_HOLD).contains(time))
        .ok_or_else(|| Problem::bad_request("answers are held back for ?seconds=, 1 to 10"))
}

/// An outage that the live page asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OutageKind {
    Cut,
    Hold,
}

/// A resource.
#[derive(Debug, PartialEq, Eq)]
enum Route {
    /// `/`
    Page,
    /// `/web/{name}`
    File(&'static web::File),
    /// `/healthz`
    Health,
    /// `/metrics`
    Metrics,
    /// `/echo`
    Echo,
    /// `/outage/cut` and `/outage/hold`
    Outage(OutageKind),
    /// `/topics/{topic}`
    Topic(Topic),
    /// `/topics/{topic}/{transport}`
    Subscribe(Topic, Transport),
}

impl Route {
    /// The resource at a path.
    fn find(path: &str) -> Result<Self, Problem> {
        let mut segments = path.strip_prefix('/').unwrap_or(path).split('/');
        let route = match (segments.next(), segments.next(), segments.next(), segments.next()) {
            (Some(""), None, ..) => Some(Self::Page),
            (Some("web"), Some(name), None, _) => Some(Self::File(web::File::find(name)?)),
            (Some("healthz"), None, ..) => Some(Self::Health),
            (Some("metrics"), None, ..) => Some(Self::Metrics),
            (Some("outage"), Some("cut"), None, _) => Some(Self::Outage(OutageKind::Cut)),
            (Some("outage"), Some("hold"), None, _) => Some(Self::Outage(OutageKind::Hold)),
            (Some("echo"), None, ..) => Some(Self::Echo),
            (Some("topics"), Some(name), None, _) => Some(Self::Topic(topic(name)?)),
            (Some("topics"), Some(name), Some(transport), None) => {
                match transport.parse() {
                    // Raw TCP has a port of its own and no path.
                    Ok(Transport::RawTcp) | Err(_) => None,
                    Ok(transport) => Some(Self::Subscribe(topic(name)?, transport)),
                }
            }
            (..) => None,
        };
        route.ok_or_else(Problem::not_found)
    }

    /// The methods that the resource takes, as the `Allow` field lists them.
    const fn allow(&self) -> &'static str {
        match self {
            Self::Page | Self::File(_) | Self::Health | Self::Metrics => "GET, HEAD, OPTIONS",
            Self::Outage(_) => "POST, OPTIONS",
            Self::Echo => "GET, OPTIONS",
            Self::Topic(_) => "POST, DELETE, OPTIONS",
            Self::Subscribe(_, Transport::WebSocket) => "GET, OPTIONS",
            Self::Subscribe(..) => "GET, HEAD, OPTIONS",
        }
    }

    /// Whether the resource takes a method.
    fn allows(&self, method: &Method) -> bool {
        self.allow().split(',').any(|allowed| allowed.trim_ascii_start() == method.as_str())
    }
}

fn topic(segment: &str) -> Result<Topic, Problem> {
    let name = percent_decode_str(segment).decode_utf8_lossy();
    name.parse().map_err(|error: pushoff_model::message::InvalidTopic| Problem::bad_request(error.to_string()))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn status(path: &str) -> StatusCode {
        Route::find(path).unwrap_err().status()
    }

    #[test]
    fn every_http_transport_has_a_path_and_the_floor_has_none() {
        for transport in Transport::ALL {
            let found = Route::find(&format!("/topics/a.b/{transport}"));
            match transport {
                Transport::RawTcp => assert_eq!(found.unwrap_err().status(), StatusCode::NOT_FOUND),
                Transport::ShortPolling
                | Transport::LongPolling
                | Transport::HttpStreaming
                | Transport::Sse
                | Transport::WebSocket => {
                    assert_eq!(found.unwrap(), Route::Subscribe("a.b".parse().unwrap(), transport));
                }
            }
        }
    }

    #[test]
    fn a_topic_may_be_percent_encoded() {
        assert_eq!(Route::find("/topics/a%2Db").unwrap(), Route::Topic("a-b".parse().unwrap()));
    }

    #[test]
    fn unknown_paths_are_not_found_and_bad_topics_are_bad_requests() {
        for path in [
            "/nothing",
            "/web",
            "/web/",
            "/web/page.rs",
            "/web/../web/sse.js",
            "/topics",
            "/topics/a/b",
            "/topics/a/sse/more",
            "/healthz/",
            "//",
            "*",
        ] {
            assert_eq!(status(path), StatusCode::NOT_FOUND, "{path}");
        }
        let too_long = format!("/topics/{}/sse", "a".repeat(65));
        for path in ["/topics/", "/topics//sse", "/topics/a%20b", "/topics/%ff", "/topics/a%2Fb/sse", &too_long] {
            assert_eq!(status(path), StatusCode::BAD_REQUEST, "{path}");
        }
    }
}
