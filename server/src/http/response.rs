//! A response before it is written, whoever writes it: a status, its own fields and a body.
//!
//! What all responses have in common is added where they are written. The fields are few and in
//! order: a map of them would cost more than all the rest of an empty poll's answer.

use http::{HeaderName, HeaderValue, StatusCode};

use super::body::Body;

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
}
