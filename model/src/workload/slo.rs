//! What is good enough, and what decides between transports that are.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units::Share;

/// What is good enough.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slo {
    /// The share of all deliveries that are due …
    pub share: Share,
    /// … that must arrive within this time of when their message was due.
    #[serde(with = "super::text")]
    pub within: Duration,
    /// Whether a message that the subscriber is told it missed is forgiven. Silent loss never is.
    pub may_skip: bool,
}

impl Slo {
    /// An SLO of so much time bounds no latency that anybody would wait for: attention is gone after
    /// 10 s (Miller 1968; Nielsen 1993).
    const NO_BOUND: Duration = Duration::from_secs(10);

    /// Whether latency is bounded: else what counts is how much was delivered, however late.
    #[must_use]
    pub fn bounds_latency(&self) -> bool {
        self.within < Self::NO_BOUND
    }
}

/// What decides between transports that are good enough.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decide {
    /// The difference in cost that matters: transports shown to be within it of each other are equivalent. 0.01 to 1.
    pub margin: Share,
    /// The difference in median delivery latency that matters among equivalent transports, 1 µs to a day; absent
    /// where the workload leaves it to [`super::Workload::freshness`].
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_text")]
    pub freshness: Option<Duration>,
}

/// A tenth of the cost. Chosen here: less is within what a machine differs by from one day to the next.
impl Default for Decide {
    fn default() -> Self {
        Self { margin: Share::TENTH, freshness: None }
    }
}

/// A duration as people write it, where there may be none.
mod optional_text {
    use std::time::Duration;

    use serde::{Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde hands over a reference")]
    pub(super) fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => crate::workload::text::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        crate::workload::text::deserialize(deserializer).map(Some)
    }
}
