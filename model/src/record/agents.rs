//! The part of a record about the agents that a trial's load was divided among.

use serde::{Deserialize, Serialize};

use super::{Concern, ProcessUse};
use crate::foreign;

/// One agent's part in a trial.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentPart {
    /// Its name.
    #[serde(deserialize_with = "foreign::line")]
    pub name: String,
    /// The machine that it runs on.
    #[serde(deserialize_with = "foreign::line")]
    pub host: String,
    /// The subscribers that were its own.
    pub subscribers: u32,
    /// The publishers that were its own.
    pub publishers: u32,
    /// How its clock stood to the coordinator's.
    pub clock: AgentClock,
    /// Deliveries that its clock puts before their message was sent or due. They are in no histogram.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub early: u64,
    /// What its process used during the measure phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<ProcessUse>,
    /// Whether it was lost in mid-trial: its part is in none of the figures, and the trial counts for nothing.
    #[serde(default, skip_serializing_if = "crate::workload::is_false")]
    pub is_lost: bool,
    /// What limits the worth of its part. They are among the trial's as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub concerns: Vec<Concern>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// How an agent's clock stood to the coordinator's, from round trips before and after the trial. The agent's stamps are
/// moved by the offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentClock {
    /// How far the agent's monotonic clock was ahead of the coordinator's: the time since boot, which differs between
    /// machines.
    pub offset_ns: i64,
    /// How far the offset may be off at any moment of the trial, either way.
    pub bound_ns: u64,
    /// How far the offset had moved after the trial. The bound includes it.
    pub drift_ns: u64,
    /// The quickest round trip.
    pub round_trip_ns: u64,
}
