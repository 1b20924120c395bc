//! What the generator publishes: bodies, and the envelope that says of each who sent it and when.

mod bodies;
mod checksum;
pub(crate) mod stamp;
mod text;

pub(crate) use bodies::{Bodies, BodySource};
