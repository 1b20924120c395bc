//! The generators of one trial: what is whose, and how they meet. One process alone is a company of one.

mod meetings;
mod part;

pub(crate) use meetings::{Company, Meetings, Moment, Said};
pub(crate) use part::Part;
