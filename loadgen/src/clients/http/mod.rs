//! HTTP/1.1 of our own, as much of it as a subscriber needs. Source: RFC 9112.

mod body;
mod connection;
mod head;
mod request;
mod stream;

pub(crate) use body::Body;
pub(crate) use connection::{ANYTHING, Connection, Response};
pub(crate) use head::{Head, field_room};
pub(crate) use request::Request;
pub(crate) use stream::Stream;
