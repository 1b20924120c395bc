//! What follows from the figures: verdicts, what is said beside them, searches, servers side by side.

pub(crate) mod comparison;
pub(crate) mod counsel;
pub(crate) mod rank;
pub(crate) mod search;
pub(crate) mod servers;
pub(crate) mod study;
