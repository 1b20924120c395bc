//! The costs of connecting.

use pushoff_model::record::{Memory, Traffic};

use crate::agents::page::Used;
use crate::watch::Use;

/// Costs read before the load.
pub(super) struct IdleCosts {
    /// Used while the subscribers connected.
    pub(super) connecting: Use,
    /// Held before and after the subscribers connected.
    pub(super) memory: Memory,
    /// Used by each page so far.
    pub(super) pages: Option<Vec<Used>>,
    /// Traffic on the connections so far.
    pub(super) wire: Option<Traffic>,
}
