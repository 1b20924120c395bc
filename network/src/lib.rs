//! A network between two network namespaces of one machine, with the kernel's own TCP on both ends.
//!
//! A forwarder passes IP packets between a TUN device in each namespace and delays, limits and loses them on the way. No
//! `netem` is needed, and an ordinary user needs no rights where user namespaces are allowed: [`enter`] is called first,
//! then a [`Link`] is made.

mod codel;
mod error;
mod forwarder;
mod link;
mod namespace;
mod queue;
mod relay;
mod sender;
mod wire;
mod wires;

pub use error::NetworkError;
pub use link::{FAR, Link, NEAR};
pub use namespace::{Namespace, enter};
pub use relay::Relay;
