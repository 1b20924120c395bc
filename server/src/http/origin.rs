//! Who may connect from a browser: pages of the server's own host, and those it was told of.
//!
//! A browser says where a page came from in `Origin`, WebSocket handshakes included, and programs
//! that are no browser say nothing. Sources: RFC 6454, RFC 6455 §10.2, WHATWG Fetch §3.2.

use http::HeaderValue;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    HOST, ORIGIN, VARY,
};

use super::head::Head;
use super::response::Response;

/// Where a request comes from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// From no page, or from one that does not say.
    None,
    /// From a page that may connect.
    Allowed(HeaderValue),
    /// From a page that may not.
    Foreign,
}

impl Origin {
    /// The origin of a request, judged by its host and the list.
    pub(super) fn of(head: &Head<'_>, allowed: &[String]) -> Self {
        let Some(value) = head.field(&ORIGIN) else { return Self::None };
        let host = head.text(&HOST).unwrap_or_default();
        let may_connect = std::str::from_utf8(value).is_ok_and(|origin| {
            is_own_host(origin, host)
                || allowed.iter().any(|entry| entry == "*" || entry.trim_end_matches('/').eq_ignore_ascii_case(origin))
        });
        match HeaderValue::from_bytes(value) {
            Ok(value) if may_connect => Self::Allowed(value),
            Ok(_) | Err(_) => Self::Foreign,
        }
    }

    /// Lets the page read the response, if it may.
    pub(super) fn mark(self, response: Response) -> Response {
        let varies = HeaderValue::from_static("Origin");
        match self {
            Self::None => response,
            Self::Allowed(origin) => {
                let exposed = HeaderValue::from_static("Last-Event-ID, Retry-After");
                response
                    .with(ACCESS_CONTROL_ALLOW_ORIGIN, origin)
                    .with(ACCESS_CONTROL_EXPOSE_HEADERS, exposed)
                    .with(VARY, varies)
            }
            Self::Foreign => response.with(VARY, varies),
        }
    }
}

/// What a preflight's answer says besides the methods: the fields that the contract knows.
pub(super) fn preflight(response: Response) -> Response {
    let fields = HeaderValue::from_static("Authorization, Cache-Control, Content-Type, Last-Event-ID");
    response.with(ACCESS_CONTROL_ALLOW_HEADERS, fields).with(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"))
}

/// Whether a request comes from a page of the server's own host, or from no page.
pub(super) fn is_own(head: &Head<'_>) -> bool {
    let host = head.text(&HOST).unwrap_or_default();
    head.field(&ORIGIN).is_none_or(|origin| std::str::from_utf8(origin).is_ok_and(|origin| is_own_host(origin, host)))
}

/// Whether an origin is the host that the request was sent to, whatever the scheme: behind a proxy
/// that ends TLS, the server does not see it.
fn is_own_host(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let bare = |authority: &str| authority.strip_suffix(default_port).unwrap_or(authority).to_ascii_lowercase();
    !host.is_empty() && bare(authority) == bare(host)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Request};

    use super::*;
    use crate::http::head::fields;

    fn origin(origin: &str, host: &str, allowed: &[&str]) -> Origin {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, origin.parse().unwrap());
        headers.insert(HOST, host.parse().unwrap());
        let mut request = Request::new(());
        *request.headers_mut() = headers;
        let parts = request.into_parts().0;
        Origin::of(
            &Head::of(&parts, &fields(&parts.headers)),
            &allowed.iter().map(|&entry| entry.to_owned()).collect::<Vec<_>>(),
        )
    }

    #[test]
    fn a_page_of_the_own_host_may_connect() {
        for (from, host) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://localhost", "LOCALHOST:80"),
            ("https://push.example", "push.example"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert!(matches!(origin(from, host, &[]), Origin::Allowed(_)), "{from} {host}");
        }
    }

    #[test]
    fn any_other_page_may_connect_only_if_it_is_listed() {
        for from in ["http://evil.example", "http://127.0.0.1:8081", "null", "127.0.0.1:8080", "file://"] {
            assert_eq!(origin(from, "127.0.0.1:8080", &["https://ok.example"]), Origin::Foreign, "{from}");
        }
        let listed = origin("https://ok.example", "127.0.0.1:8080", &["https://OK.example/"]);
        assert_eq!(listed, Origin::Allowed(HeaderValue::from_static("https://ok.example")));
        assert!(matches!(origin("null", "h", &["*"]), Origin::Allowed(_)));
    }

    #[test]
    fn a_request_that_names_no_origin_is_no_pages() {
        let parts = Request::new(()).into_parts().0;
        assert_eq!(Origin::of(&Head::of(&parts, &[]), &[]), Origin::None);
    }
}
