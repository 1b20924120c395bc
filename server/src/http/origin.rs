//! The pages that may connect from a browser: those of the server's own host, and allowed ones. To a port that is
//! forwarded over a network, the live page of the same host may connect as well.
//!
//! A browser sends `Origin`, in WebSocket handshakes too; other programs send none. Sources: RFC 6454, RFC 6455
//! §10.2, WHATWG Fetch §3.2.

use std::str::FromStr;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ORIGIN, VARY,
};
use http::{HeaderName, HeaderValue};

use super::head::Head;
use super::host::{HostName, Hosts};
use super::response::Response;

/// Browsers send these fields even without `Origin`. Source: W3C Fetch Metadata.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Pages that may connect, besides those of the server's own host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// `*`: all pages.
    Any,
    /// The pages of one origin, as browsers write it.
    One(String),
}

/// The text is no origin; says what an origin looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an origin is a scheme, a host and perhaps a port, e.g. https://app.example or http://localhost:3000; * is any"
)]
pub struct InvalidOrigin;

impl FromStr for AllowedOrigin {
    type Err = InvalidOrigin;

    /// Accepts every origin that a browser can send (RFC 6454 §6.2), and equal spellings.
    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let (scheme, authority) = text.split_once("://").ok_or(InvalidOrigin)?;
        let scheme = scheme.to_ascii_lowercase();
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        let authority = authority.strip_suffix('/').unwrap_or(authority).to_ascii_lowercase();
        let end = authority.rfind(':').filter(|_| !authority.ends_with(']')).unwrap_or(authority.len());
        let (host, port) = authority.split_at(end);
        let is_port =
            |port: &str| port.starts_with(|first: char| matches!(first, '1'..='9')) && port.parse::<u16>().is_ok();
        let is_right = is_scheme
            && host.parse::<HostName>().is_ok_and(|_| host.starts_with('[') == host.contains(':'))
            && port.strip_prefix(':').is_none_or(is_port);
        let is_default = default_port(&scheme) == Some(port);
        is_right
            .then(|| Self::One(format!("{scheme}://{host}{}", if is_default { "" } else { port })))
            .ok_or(InvalidOrigin)
    }
}

fn default_port(scheme: &str) -> Option<&'static str> {
    match scheme {
        "http" => Some(":80"),
        "https" => Some(":443"),
        _ => None,
    }
}

/// The origin of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// No page, or a page that names no origin.
    None,
    /// A page that may connect.
    Allowed(HeaderValue),
    /// A page that may not connect.
    Foreign,
}

impl Origin {
    /// The origin of a request, checked against its host and the allowed origins.
    pub(crate) fn of(head: &Head<'_>, hosts: &Hosts, allowed: &[AllowedOrigin]) -> Self {
        let Some(value) = head.field(&ORIGIN) else {
            let is_foreign = comes_from_elsewhere(head) && !allowed.contains(&AllowedOrigin::Any);
            return if is_foreign { Self::Foreign } else { Self::None };
        };
        let may_connect = std::str::from_utf8(value).is_ok_and(|origin| {
            is_own_host(origin, head.host)
                || hosts.page(head.host).is_some_and(|page| is_own_host(origin, &page))
                || allowed.iter().any(|entry| match entry {
                    AllowedOrigin::Any => true,
                    AllowedOrigin::One(allowed) => allowed.eq_ignore_ascii_case(origin),
                })
        });
        match HeaderValue::from_bytes(value) {
            Ok(value) if may_connect => Self::Allowed(value),
            Ok(_) | Err(_) => Self::Foreign,
        }
    }

    /// Adds the CORS fields that let an allowed page read the response.
    pub(crate) fn mark(self, response: Response) -> Response {
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

/// Adds the fields of a preflight's response, except for the methods.
pub(crate) fn preflight(response: Response) -> Response {
    let fields = HeaderValue::from_static("Authorization, Cache-Control, Content-Type, Idempotency-Key, Last-Event-ID");
    response.with(ACCESS_CONTROL_ALLOW_HEADERS, fields).with(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"))
}

/// Whether a request comes from a page of the server's own host, or from no page.
pub(crate) fn is_own(head: &Head<'_>) -> bool {
    let is_own = |origin| std::str::from_utf8(origin).is_ok_and(|origin| is_own_host(origin, head.host));
    head.field(&ORIGIN).map_or_else(|| !comes_from_elsewhere(head), is_own)
}

/// Whether the browser marks a request without `Origin` as one from another origin. That page could not read
/// the response, but it could see when the response arrives. Following a link to the live page is allowed.
/// Source: W3C Fetch Metadata §2.
fn comes_from_elsewhere(head: &Head<'_>) -> bool {
    let is_link = || head.path == "/" && head.field(&SEC_FETCH_MODE) == Some(b"navigate");
    matches!(head.field(&SEC_FETCH_SITE), Some(b"cross-site" | b"same-site")) && !is_link()
}

/// Whether an origin has the host of the request, with either scheme: behind a proxy that ends TLS, the server
/// does not know the scheme.
fn is_own_host(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let Some(default_port) = default_port(scheme) else { return false };
    let bare = |authority: &str| authority.strip_suffix(default_port).unwrap_or(authority).to_ascii_lowercase();
    !host.is_empty() && bare(authority) == bare(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::head;

    /// A port that is forwarded over a network.
    const FORWARDED: u16 = 41_000;

    fn origin(origin: &str, host: &str, allowed: &[&str]) -> Origin {
        of(host, &format!("Origin: {origin}\r\n"), allowed)
    }

    fn of(host: &str, fields: &str, allowed: &[&str]) -> Origin {
        let allowed: Vec<_> = allowed.iter().map(|entry| entry.parse().unwrap()).collect();
        let hosts = Hosts::new("127.0.0.1:8080".parse().unwrap(), Vec::new(), vec![FORWARDED]);
        head::with(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n"), |head| {
            Origin::of(head, &hosts, &allowed)
        })
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
        for listed in ["https://OK.example/", "https://ok.example:443"] {
            let allowed = origin("https://ok.example", "127.0.0.1:8080", &[listed]);
            assert_eq!(allowed, Origin::Allowed(HeaderValue::from_static("https://ok.example")));
        }
        assert!(matches!(origin("null", "h", &["*"]), Origin::Allowed(_)));
    }

    #[test]
    fn to_a_forwarded_port_the_live_page_of_the_same_host_may_connect_and_no_other() {
        for (from, host, may) in [
            ("http://127.0.0.1:8080", "127.0.0.1:41000", true),
            ("http://localhost:8080", "localhost:41000", true),
            ("http://[::1]:8080", "[::1]:41000", true),
            ("http://127.0.0.1:41000", "127.0.0.1:41000", true),
            ("http://localhost:8080", "127.0.0.1:41000", false),
            ("http://127.0.0.1:8081", "127.0.0.1:41000", false),
            ("http://127.0.0.1", "127.0.0.1:41000", false),
            ("http://evil.example:8080", "127.0.0.1:41000", false),
            ("http://127.0.0.1:8080", "127.0.0.1:41001", false),
            ("http://127.0.0.1:41000", "127.0.0.1:8080", false),
        ] {
            assert_eq!(matches!(origin(from, host, &[]), Origin::Allowed(_)), may, "{from} {host}");
        }
    }

    #[test]
    fn a_request_without_an_origin_may_connect_unless_the_browser_marks_it_foreign() {
        assert_eq!(of("t", "", &[]), Origin::None);
        for (site, expected) in [
            ("none", Origin::None),
            ("same-origin", Origin::None),
            ("same-site", Origin::Foreign),
            ("cross-site", Origin::Foreign),
        ] {
            assert_eq!(of("t", &format!("Sec-Fetch-Site: {site}\r\n"), &["https://ok.example"]), expected, "{site}");
            assert_eq!(of("t", &format!("Sec-Fetch-Site: {site}\r\n"), &["*"]), Origin::None, "{site}");
        }
        assert_eq!(of("t", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", &[]), Origin::None);
    }

    #[test]
    fn an_origin_that_no_browser_sends_is_refused() {
        for wrong in [
            "",
            "ok.example",
            "https://",
            "https://ok.example/path",
            "https://ok.example:0",
            "https://ok.example:x",
            "https://ok.example:65536",
            "https://user@ok.example",
            "https://é.example",
            "null",
            "file://",
            "://ok",
            "https://ok.example?",
            "https://*.example",
            "1s://ok.example",
            "https://::1",
            "https://ok.example:",
        ] {
            assert_eq!(wrong.parse::<AllowedOrigin>(), Err(InvalidOrigin), "{wrong}");
        }
        for (given, sent) in [
            ("HTTP://Ok.example:80", "http://ok.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://[::1]:8443", "https://[::1]:8443"),
            ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ] {
            assert_eq!(given.parse(), Ok(AllowedOrigin::One(sent.to_owned())));
        }
    }
}
