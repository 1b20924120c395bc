//! HTTP/1.1, as far as a subscriber needs it. Source: RFC 9112.

mod body;
mod connection;
mod head;
mod request;

pub(crate) use body::Body;
pub(crate) use connection::{ANYTHING, Connection, Response};
pub(crate) use head::{Head, field_room};
pub(crate) use request::Request;
