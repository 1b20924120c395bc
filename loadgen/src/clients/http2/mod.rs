//! HTTP/2, as far as a subscriber needs it: connections that subscribers share, requests, and tunnels. By the `h2` crate.
//! Sources: RFC 9113, RFC 8441.

mod group;
mod request;
mod tunnel;

pub use group::Group;
pub(crate) use request::{Body, ask, tunnel};
pub(crate) use tunnel::Tunnel;
