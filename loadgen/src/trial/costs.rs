//! What connecting cost.

use pushoff_model::record::{Memory, Traffic};

use crate::agents::page::Used;
use crate::watch::Use;

/// What was read before the load.
pub(super) struct IdleCosts {
    /// What was used while all connected.
    pub(super) connecting: Use,
    /// What was held before and after it.
    pub(super) memory: Memory,
    /// What each page had used by then.
    pub(super) pages: Option<Vec<Used>>,
    /// What had crossed the connections by then.
    pub(super) wire: Option<Traffic>,
}
