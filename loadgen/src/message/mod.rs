//! Messages: their bodies, and the envelope that says who sent a message and when.

mod bodies;
mod checksum;
pub(crate) mod stamp;
mod text;

pub(crate) use bodies::{Bodies, BodySource};
