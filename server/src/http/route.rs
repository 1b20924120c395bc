//! Paths and what may be done with them.

use http::Method;
use percent_encoding::percent_decode_str;
use pushoff_model::{Topic, Transport};

use super::is_http;
use super::outage::Kind;
use super::problem::Problem;
use crate::web;

/// A resource.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
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
    Outage(Kind),
    /// `/topics/{topic}`
    Topic(Topic),
    /// `/topics/{topic}/{transport}`
    Subscribe(Topic, Transport),
}

impl Route {
    /// The resource at a path.
    pub(super) fn find(path: &str) -> Result<Self, Problem> {
        let mut segments = path.strip_prefix('/').unwrap_or(path).split('/');
        let route = match (segments.next(), segments.next(), segments.next(), segments.next()) {
            (Some(""), None, ..) => Some(Self::Page),
            (Some("web"), Some(name), None, _) => Some(Self::File(web::File::find(name)?)),
            (Some("healthz"), None, ..) => Some(Self::Health),
            (Some("metrics"), None, ..) => Some(Self::Metrics),
            (Some("outage"), Some("cut"), None, _) => Some(Self::Outage(Kind::Cut)),
            (Some("outage"), Some("hold"), None, _) => Some(Self::Outage(Kind::Hold)),
            (Some("echo"), None, ..) => Some(Self::Echo),
            (Some("topics"), Some(name), None, _) => Some(Self::Topic(topic(name)?)),
            (Some("topics"), Some(name), Some(transport), None) => {
                match transport.parse().ok().filter(|&transport| is_http(transport)) {
                    Some(transport) => Some(Self::Subscribe(topic(name)?, transport)),
                    None => None,
                }
            }
            (..) => None,
        };
        route.ok_or_else(Problem::not_found)
    }

    /// The methods that the resource takes, as the `Allow` field lists them.
    pub(super) const fn allow(&self) -> &'static str {
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
    pub(super) fn allows(&self, method: &Method) -> bool {
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
