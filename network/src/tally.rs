//! What passed a network, and whether in time.

use std::time::Duration;

use pushoff_model::LatencyHistogram;
use pushoff_model::network::Network;

/// What passed in one direction.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Packets of IPv4 that were handed over. The kernel's own of IPv6 go nowhere and count nowhere.
    pub offered: u64,
    /// Of them, those that were passed on.
    pub passed: u64,
    /// Those that a queue had no room for.
    pub dropped: u64,
    /// Those that were lost on the way.
    pub lost: u64,
    /// Bytes of what was passed on, IP headers among them.
    pub bytes: u64,
    /// The largest packet, in bytes.
    pub largest: u64,
    /// How much later than due packets were passed on, while that was watched.
    pub lateness: LatencyHistogram,
    /// Processor time of the thread.
    pub processor: Duration,
}

/// What passed in both directions.
#[derive(Clone, Debug, Default)]
pub struct Passed {
    /// From the server.
    pub down: Tally,
    /// To the server.
    pub up: Tally,
}

impl Passed {
    /// Whether 99 % of the packets of each direction were as late as is allowed or less. Where they were not, what was
    /// measured over this network is not to be trusted.
    #[must_use]
    pub fn is_in_time(&self, network: &Network) -> bool {
        [(&self.down, &network.down), (&self.up, &network.up)].into_iter().all(|(tally, direction)| {
            tally.lateness.quantile(0.99).is_none_or(|late| late <= direction.lateness_allowed())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pushoff_model::network::built_in;

    fn tally(late: &[u64]) -> Tally {
        let mut tally = Tally::default();
        late.iter().for_each(|micros| tally.lateness.record(Duration::from_micros(*micros)));
        tally
    }

    #[test]
    fn one_packet_of_a_hundred_may_be_late_in_each_direction() {
        // 75 ms each way: 750 µs.
        let network = built_in("slow-4g").unwrap().unwrap();
        let mut late = vec![700; 99];
        late.push(9_000);
        let is_in_time = |down: &[u64], up: &[u64]| Passed { down: tally(down), up: tally(up) }.is_in_time(&network);
        assert!(is_in_time(&late, &late) && is_in_time(&[], &[]));
        late.push(9_000);
        assert!(!is_in_time(&late, &[]) && !is_in_time(&[], &late));
    }
}
