//! A response before it is encoded: a status, its own fields and a body.
//!
//! [`encode`](super::encode) adds the fields that all responses have. A response has few fields, in order:
//! a map of fields would cost more than the rest of an empty poll's response.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};

/// A response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) fields: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

impl Response {
    pub(crate) const fn new(status: StatusCode, body: Bytes) -> Self {
        Self { status, fields: Vec::new(), body }
    }

    /// A response without a body.
    pub(crate) const fn bare(status: StatusCode) -> Self {
        Self::new(status, Bytes::new())
    }

    /// A 200 with a body of a media type.
    pub(crate) fn text(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self::new(StatusCode::OK, body.into()).with(CONTENT_TYPE, HeaderValue::from_static(media_type))
    }

    /// The response with one more field.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.fields.push((name, value));
        self
    }
}
