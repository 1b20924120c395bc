//! The request of a subscription. Only the resume position changes, so it is written into one buffer.

use http::{HeaderMap, HeaderName, HeaderValue};
use pushoff_model::target::SaidIn;

use crate::clients::error::ConnectionError;
use crate::clients::feed::Feed;
use crate::clients::request::{GetRequest, into_query};
use crate::clients::sink::Sink;

/// A `GET` that is sent repeatedly.
#[derive(Debug)]
pub(crate) struct Request {
    /// Path and query without the resume position.
    target: String,
    fields: HeaderMap,
    /// The parts that carry the resume position, in the query and in fields.
    query: String,
    said: Vec<u8>,
    value: String,
    bytes: Vec<u8>,
}

impl Request {
    /// A request with these fields as defaults; the target's own fields come first.
    pub(crate) fn new<S: Sink>(
        feed: &Feed<'_, S>,
        usual: &[(HeaderName, HeaderValue)],
    ) -> Result<Self, ConnectionError> {
        let mut request = GetRequest::from_anywhere(&feed.subscription, feed.technique)?;
        for (name, value) in usual {
            request.usual(name.clone(), value.clone());
        }
        Ok(Self {
            target: request.target,
            fields: request.fields,
            query: String::new(),
            said: Vec::new(),
            value: String::new(),
            bytes: Vec::new(),
        })
    }

    pub(crate) const fn fields(&self) -> &HeaderMap {
        &self.fields
    }

    /// The bytes of the next request.
    pub(crate) fn bytes<S: Sink>(&mut self, feed: &Feed<'_, S>) -> Result<&[u8], ConnectionError> {
        let Self { target, fields, query, said, value, bytes } = self;
        query.clear();
        said.clear();
        let mut begin = if target.contains('?') { '&' } else { '?' };
        feed.position.each_said(feed.technique, value, |said_in, value| {
            match said_in {
                SaidIn::Field(name) => write_field(said, name, value.as_bytes())?,
                SaidIn::Query(name) => {
                    into_query(query, begin, name, value);
                    begin = '&';
                }
            }
            Ok::<_, ConnectionError>(())
        })?;
        bytes.clear();
        for part in ["GET ", target, query, " HTTP/1.1\r\n"] {
            bytes.extend_from_slice(part.as_bytes());
        }
        for (name, value) in &*fields {
            // A field that carries the resume position replaces the field of the same name.
            if !feed.position.says(feed.technique, name) {
                write_field(bytes, name, value.as_bytes())?;
            }
        }
        bytes.extend_from_slice(said);
        bytes.extend_from_slice(b"\r\n");
        Ok(bytes)
    }
}

/// Appends a field line (RFC 9112 §5).
fn write_field(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) -> Result<(), ConnectionError> {
    let is_allowed = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    if !value.iter().all(is_allowed) {
        return Err(ConnectionError::Id);
    }
    for part in [name.as_str().as_bytes(), b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_said_can_begin_another_line() {
        let name = HeaderName::from_static("last-event-id");
        let mut out = Vec::new();
        write_field(&mut out, &name, "a-1 \u{e9}".as_bytes()).unwrap();
        assert_eq!(out, "last-event-id: a-1 \u{e9}\r\n".as_bytes());
        for wrong in ["a\r\nX: y", "a\n", "\0", "\x7f"] {
            assert!(write_field(&mut out, &name, wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }
}
