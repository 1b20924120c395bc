//! What follows from the figures: verdicts, searches, servers side by side.

pub(crate) mod comparison;
pub(crate) mod handshakes;
pub(crate) mod networks;
pub(crate) mod search;
pub(crate) mod servers;
pub(crate) mod study;
pub(crate) mod verdict;
pub(crate) mod wires;
