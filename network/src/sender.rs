//! When packets leave: at once, at a rate, or by a trace.

use std::time::Duration;

use pushoff_model::network::{Rate, Trace};

/// What sends the packets of one wire, one after the other.
#[derive(Debug)]
pub(crate) struct Sender {
    rate: Option<Rate>,
    /// Until when the last packet is being sent, and its bytes.
    last: (Duration, u64),
    /// Of a trace: what the packets so far have left.
    left: Opportunity,
}

/// An opportunity of a trace by its number, and how many of its bytes are left: at least one.
#[derive(Clone, Copy, Debug)]
struct Opportunity {
    number: u64,
    bytes: u64,
}

impl Opportunity {
    fn whole(number: u64) -> Self {
        Self { number, bytes: Trace::BYTES }
    }

    /// The first with bytes left for a packet that waits since then. Unused ones before it are lost.
    fn after(self, since: Duration, trace: &Trace) -> Self {
        if trace.opportunity(self.number) > since { self } else { Self::whole(trace.first_after(since)) }
    }
}

impl Sender {
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        Self { rate, last: (Duration::ZERO, 0), left: Opportunity::whole(0) }
    }

    /// When the next packet begins to be sent, if it waits since then.
    pub(crate) fn begins(&self, since: Duration) -> Duration {
        match &self.rate {
            None | Some(Rate::Constant { .. }) => since.max(self.last.0),
            Some(Rate::Trace(trace)) => trace.opportunity(self.left.after(since, trace).number),
        }
    }

    /// Sends the next packet: when its last bit has been sent.
    pub(crate) fn send(&mut self, since: Duration, bytes: u64) -> Duration {
        let until = match &self.rate {
            None => self.begins(since),
            #[expect(clippy::cast_precision_loss, reason = "a packet has at most 65,535 bytes")]
            Some(Rate::Constant { bits_per_second }) => {
                self.begins(since) + Duration::from_secs_f64(bytes as f64 * 8.0 / bits_per_second)
            }
            Some(Rate::Trace(trace)) => {
                let first = self.left.after(since, trace);
                // What it has sent of the whole opportunities from `first` on, when its last bit leaves.
                let sent = Trace::BYTES - first.bytes + bytes;
                let last = first.number + sent.saturating_sub(1) / Trace::BYTES;
                let number = first.number + sent / Trace::BYTES;
                self.left = Opportunity { number, bytes: Trace::BYTES - sent % Trace::BYTES };
                trace.opportunity(last)
            }
        };
        self.last = (until, bytes);
        until
    }

    /// Bytes of the packet that is being sent now.
    pub(crate) fn sending(&self, now: Duration) -> u64 {
        let (until, bytes) = self.last;
        if until > now { bytes } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Path;
    use std::sync::Arc;

    const MS: Duration = Duration::from_millis(1);

    fn by_trace(lines: &[u32]) -> Sender {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        Sender::new(Some(Rate::Trace(Arc::new(Trace::parse(&text, Path::new("a.trace")).unwrap()))))
    }

    /// When packets of so many bytes begin and end to be sent, by the millisecond since which each waits.
    fn sent(sender: &mut Sender, packets: &[(u32, u64)]) -> Vec<(u128, u128)> {
        let one = |&(since, bytes): &(u32, u64)| {
            let begins = sender.begins(since * MS).as_millis();
            (begins, sender.send(since * MS, bytes).as_millis())
        };
        packets.iter().map(one).collect()
    }

    #[test]
    fn small_packets_share_an_opportunity_and_what_none_uses_is_lost() {
        let mut sender = by_trace(&[10, 20, 30]);
        // The fourth comes when the opportunity at 10 ms is over, though 300 bytes of it were left.
        let packets = [(0, 500), (0, 500), (9, 200), (10, 1_500), (45, 40)];
        assert_eq!(sent(&mut sender, &packets), [(10, 10), (10, 10), (10, 10), (20, 20), (50, 50)]);
    }

    #[test]
    fn a_packet_that_is_larger_than_what_is_left_takes_of_the_next_as_well() {
        let mut sender = by_trace(&[10, 20, 30]);
        // 1,000 of the first; 500 of it and 1,000 of the second; 500 of that and all of the third; two more.
        let packets = [(0, 1_000), (0, 1_500), (0, 2_000), (0, 3_000)];
        assert_eq!(sent(&mut sender, &packets), [(10, 10), (10, 20), (20, 30), (40, 50)]);
    }

    #[test]
    fn several_opportunities_of_one_millisecond_send_several_packets() {
        let mut sender = by_trace(&[0, 5, 5, 10]);
        let packets = [(0, 1_500), (0, 1_500), (0, 1_500), (0, 1_500)];
        assert_eq!(sent(&mut sender, &packets), [(5, 5), (5, 5), (10, 10), (10, 10)]);
    }

    #[test]
    fn the_packet_that_is_being_sent_counts_until_its_last_bit_has_left() {
        let mut sender = by_trace(&[10, 20]);
        sender.send(Duration::ZERO, 2_000);
        assert_eq!([0, 19, 20].map(|now| sender.sending(now * MS)), [2_000, 2_000, 0]);
    }

    /// What mahimahi does, opportunity by opportunity.
    fn by_opportunities(trace: &Trace, packets: &[(Duration, u64)]) -> Vec<Duration> {
        let mut departed = Vec::new();
        let mut unsent = packets.first().map_or(0, |(_, bytes)| *bytes);
        for number in 0.. {
            let (at, mut left) = (trace.opportunity(number), Trace::BYTES);
            while left > 0 {
                let Some((since, _)) = packets.get(departed.len()) else { return departed };
                if *since >= at {
                    break;
                }
                let sent = unsent.min(left);
                (unsent, left) = (unsent - sent, left - sent);
                if unsent == 0 {
                    departed.push(at);
                    unsent = packets.get(departed.len()).map_or(0, |(_, bytes)| *bytes);
                }
            }
        }
        departed
    }

    proptest! {
        #[test]
        fn packets_leave_as_they_do_opportunity_by_opportunity(
            mut stamps in proptest::collection::vec(0_u32..60, 1..20),
            packets in proptest::collection::vec((0_u64..20_000, 20_u64..4_000), 1..60),
        ) {
            stamps.push(60);
            stamps.sort_unstable();
            let mut sender = by_trace(&stamps);
            let mut now = Duration::ZERO;
            let packets: Vec<_> = packets.into_iter().map(|(gap, bytes)| {
                now += Duration::from_micros(gap);
                (now, bytes)
            }).collect();
            let Some(Rate::Trace(trace)) = sender.rate.clone() else { unreachable!() };
            let departed: Vec<_> = packets.iter().map(|&(since, bytes)| sender.send(since, bytes)).collect();
            prop_assert_eq!(departed, by_opportunities(&trace, &packets));
        }
    }
}
