//! A response before it is written, whoever writes it: a status, its own fields and a body.
//!
//! What all responses have in common is added where they are written. The fields are few and in
//! order: a map of them would cost more than all the rest of an empty poll's answer.

use http::{HeaderName, HeaderValue, StatusCode};

use super::body::{Body, Sent};

/// A response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) fields: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Body,
}

impl Response {
    pub(crate) const fn new(status: StatusCode, body: Body) -> Self {
        Self { status, fields: Vec::new(), body }
    }

    /// A response that is its head alone.
    pub(crate) const fn bare(status: StatusCode) -> Self {
        Self::new(status, Body::empty())
    }

    /// The same with one more field.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.fields.push((name, value));
        self
    }

    /// As hyper takes it.
    pub(super) fn into_http(self) -> http::Response<Sent> {
        let mut response = http::Response::new(self.body.into());
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.fields);
        response
    }
}

impl From<http::Response<()>> for Response {
    /// A bare response of somebody else's.
    fn from(response: http::Response<()>) -> Self {
        let fields = response.headers().iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Self { fields, ..Self::bare(response.status()) }
    }
}
