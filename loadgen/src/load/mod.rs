//! The load: when each message is due, who sends it, and how it reaches the server.

mod pacer;
mod poster;
mod publisher;
mod run;
mod schedule;
mod timetable;

pub(crate) use pacer::Pacer;
pub(crate) use poster::{MOST_IN_A_BATCH, Poster};
pub(crate) use publisher::{Channel, FULL_BATCH_BYTES, Publisher};
pub(crate) use run::Load;
pub(crate) use schedule::Schedule;
pub(crate) use timetable::Timetable;
