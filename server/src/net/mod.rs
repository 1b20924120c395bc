//! Sockets: what connections have from their listener, how they are written to, and outages on demand.

pub(crate) mod outage;
pub(crate) mod socket;
pub(crate) mod write;
