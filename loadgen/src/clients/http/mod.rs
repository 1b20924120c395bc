//! HTTP/1.1 of our own. Source: RFC 9112.

mod body;
mod connection;
mod head;
mod request;

pub(crate) use body::Body;
pub(crate) use connection::{ANYTHING, Connection, pieces, stream};
pub(crate) use request::Request;
