//! What crossed the connections of a trial, from the kernel's counters and the clients' own.

use pushoff_model::record::Traffic;

/// The counters of all connections of a trial, open and closed. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Taps {}

impl Taps {
    /// What has crossed all connections so far; `None` where the kernel does not say.
    #[must_use]
    pub fn traffic(&self) -> Option<Traffic> {
        None
    }

    /// Connections that were gone before their counters could be read.
    #[must_use]
    pub fn unread(&self) -> u64 {
        0
    }
}
