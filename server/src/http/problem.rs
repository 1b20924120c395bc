//! Errors as JSON for people and programs. Source: RFC 9457.

use std::borrow::Cow;
use std::error::Error;

use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use super::response::Response;
use crate::limits;
use crate::memory::OutOfMemory;

/// An error response: `application/problem+json` with `title`, `status` and `detail`.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: Cow<'static, str>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct Members<'a> {
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl From<OutOfMemory> for Problem {
    fn from(error: OutOfMemory) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), headers: Vec::new() }
    }

    pub(crate) fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing at this path: / tells what there is")
    }

    /// 404 for a path that a start-up flag would enable.
    pub(crate) fn not_enabled(detail: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("this resource takes {allow}"))
            .with(ALLOW, HeaderValue::from_static(allow))
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "publishing takes the bearer token that the server was started with")
            .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 408: a head or a body took too long.
    pub(crate) fn late(detail: &'static str) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, detail).closing()
    }

    /// 400: a body ended early, or is malformed.
    pub(crate) fn unreadable(error: &dyn Error) -> Self {
        Self::bad_request(format!("the body cannot be read: {error}")).closing()
    }

    /// 410: the topic is complete.
    pub(crate) fn gone(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::GONE, detail)
    }

    /// 503: the server is at a limit; the client may try again later.
    pub(crate) fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
            .with(RETRY_AFTER, HeaderValue::from(rand::random_range(limits::RETRY_AFTER_S)))
    }

    /// The problem with one more field.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The problem as the last response of its connection: further input is not read.
    pub(crate) fn closing(self) -> Self {
        self.with(CONNECTION, HeaderValue::from_static("close"))
    }

    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    fn body(&self) -> String {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let members = Members { title, status: self.status.as_u16(), detail: &self.detail };
        // Serializing three plain members cannot fail.
        serde_json::to_string(&members).unwrap_or_default() + "\n"
    }

    pub(crate) fn into_response(self) -> Response {
        let body = self.body().into();
        Response { status: self.status, fields: self.headers, body }
            .with(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))
    }

    /// The problem as a whole HTTP/1.1 response, for use without a request.
    pub(crate) fn to_wire(&self) -> Vec<u8> {
        let body = self.body();
        let mut wire = format!("HTTP/1.1 {}\r\n", self.status).into_bytes();
        let common = [
            (CONTENT_TYPE, HeaderValue::from_static("application/problem+json")),
            (CONTENT_LENGTH, HeaderValue::from(body.len())),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (CONNECTION, HeaderValue::from_static("close")),
        ];
        let own = self.headers.iter().filter(|(name, _)| *name != CONNECTION);
        for (name, value) in own.chain(&common) {
            wire.extend_from_slice(name.as_str().as_bytes());
            wire.extend_from_slice(b": ");
            wire.extend_from_slice(value.as_bytes());
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(b"\r\n");
        wire.extend_from_slice(body.as_bytes());
        wire
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn clients_that_are_refused_together_do_not_come_back_together() {
        let drawn = |_| Problem::unavailable("full").headers[0].1.to_str().unwrap().parse::<u64>().unwrap();
        // Of 500 draws each of the five is one, but for one run in 10^47.
        let seconds: BTreeSet<_> = (0..500).map(drawn).collect();
        assert!(seconds.into_iter().eq(limits::RETRY_AFTER_S));
    }

    #[test]
    fn a_problem_can_be_written_without_a_request() {
        let wire = String::from_utf8(Problem::unavailable("full").to_wire()).unwrap();
        let (head, body) = wire.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 Service Unavailable\r\nretry-after: "), "{head}");
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
        assert!(head.contains("cache-control: no-store"), "{head}");
        assert_eq!(body, "{\"title\":\"Service Unavailable\",\"status\":503,\"detail\":\"full\"}\n");
    }
}
