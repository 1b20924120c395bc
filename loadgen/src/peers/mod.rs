//! The generators of one trial: which part is whose, and the moments at which they wait for each other. One process alone
//! has the whole trial and waits for nobody.

mod meetings;
mod part;

pub(crate) use meetings::{Meetings, Moment, Peers, Said};
pub(crate) use part::Part;
