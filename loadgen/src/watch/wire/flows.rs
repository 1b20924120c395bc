//! The traffic of connections, in both directions.

use pushoff_model::record::Flow;

/// The traffic of one or several connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flows {
    pub(crate) down: Flow,
    pub(crate) up: Flow,
}

impl Flows {
    pub(crate) fn add(&mut self, other: &Self) {
        for (sum, flow) in [(&mut self.down, &other.down), (&mut self.up, &other.up)] {
            sum.bytes += flow.bytes;
            sum.segments += flow.segments;
            sum.data_segments += flow.data_segments;
            sum.resent_bytes += flow.resent_bytes;
        }
    }
}
