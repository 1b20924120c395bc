//! The part of a record about the network between server and readers.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::LatencyHistogram;
use crate::foreign;
use crate::network::{Direction, Network, lateness_allowed};

/// What a trial was measured over, and what passed there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Whose network it is, for a newcomer.
    #[serde(deserialize_with = "foreign::line")]
    pub says: String,
    /// From the server to the readers.
    pub down: LinkDirection,
    /// From the readers to the server.
    pub up: LinkDirection,
}

/// One direction: what it was to be, and what passed over the whole trial, summed over readers. Delay, jitter, rate and loss
/// are those of each reader; a browser's subscribers are one reader.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkDirection {
    /// From one end to the other.
    pub delay_ns: u64,
    /// Up to so much less or more.
    pub jitter_ns: u64,
    /// Bits a second; absent where nothing limits them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits_per_second: Option<f64>,
    /// The share of packets that are lost in the long run, bursts among them, 0 to 1.
    pub loss: f64,
    /// Packets that were handed over.
    pub offered: u64,
    /// Of them, those that were passed on.
    pub passed: u64,
    /// Those that the queue dropped.
    pub dropped: u64,
    /// Those that were lost on the way.
    pub lost: u64,
    /// Bytes of what was passed on, IP headers among them.
    pub bytes: u64,
    /// The largest packet, in bytes.
    pub largest: u64,
    /// How much later than due packets were passed on during the measure phase.
    pub lateness: LatencyHistogram,
    /// Processor time of the thread that passed them on. It writes to the other end, so it holds that end's receiving.
    pub cpu_ns: u64,
}

impl Link {
    /// A network before anything passed.
    #[must_use]
    pub fn of(network: &Network) -> Self {
        Self { says: network.says.clone(), down: LinkDirection::of(&network.down), up: LinkDirection::of(&network.up) }
    }

    /// Whether 99 % of the packets of each direction were as late as is allowed or less. Where they were not, what was
    /// measured over this network is not to be trusted.
    #[must_use]
    pub fn is_in_time(&self) -> bool {
        [&self.down, &self.up]
            .into_iter()
            .all(|direction| direction.lateness.quantile(0.99).is_none_or(|late| late <= direction.lateness_allowed()))
    }

    /// The time there and back of a small packet, without jitter.
    #[must_use]
    pub const fn round_trip(&self) -> Duration {
        Duration::from_nanos(self.down.delay_ns.saturating_add(self.up.delay_ns))
    }
}

impl LinkDirection {
    /// How late at most 99 % of its packets may be.
    #[must_use]
    pub fn lateness_allowed(&self) -> Duration {
        lateness_allowed(Duration::from_nanos(self.delay_ns), Duration::from_nanos(self.jitter_ns))
    }

    /// A direction before anything passed.
    #[must_use]
    pub fn of(direction: &Direction) -> Self {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self {
            delay_ns: nanos(direction.delay),
            jitter_ns: nanos(direction.jitter),
            bits_per_second: direction.mean_bits_per_second(),
            loss: direction.loss_in_the_long_run(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::built_in;

    #[test]
    fn one_packet_of_a_hundred_may_be_late_in_each_direction() {
        // 75 ms each way and 15 ms of jitter: 1.8 ms.
        let is_in_time = |down: &[u64], up: &[u64]| {
            let mut link = Link::of(&built_in("slow-4g").unwrap().unwrap());
            for (direction, late) in [(&mut link.down, down), (&mut link.up, up)] {
                late.iter().for_each(|micros| direction.lateness.record(Duration::from_micros(*micros)));
            }
            link.is_in_time()
        };
        let mut late = vec![1_700; 99];
        late.push(9_000);
        assert!(is_in_time(&late, &late) && is_in_time(&[], &[]));
        late.push(9_000);
        assert!(!is_in_time(&late, &[]) && !is_in_time(&[], &late));
    }
}
