//! One direction of a reader's last mile as arithmetic: which packets arrive, and when. No clock and no socket.

use std::time::Duration;

use pushoff_model::network::Direction;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::codel::Codel;
use crate::queue::{Queue, Queued};
use crate::sender::Sender;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate<P> {
    /// It arrives at this time.
    Arrives(Duration, P),
    /// The queue had no room for it, or CoDel took it out of the queue.
    Dropped(P),
    /// It was sent and is lost on the way.
    Lost(P),
}

/// One direction. Times are since the link was made, and never go back.
///
/// A packet's fate is known when it begins to be sent and not before: CoDel looks at the packets behind it then.
#[derive(Debug)]
pub(crate) struct Wire<P> {
    direction: Direction,
    random: StdRng,
    queue: Queue<P>,
    codel: Option<Codel>,
    sender: Sender,
    /// When the last packet arrives.
    last: Duration,
    is_burst: bool,
}

impl<P> Wire<P> {
    pub(crate) fn new(direction: Direction, seed: [u8; 32]) -> Self {
        Self {
            random: StdRng::from_seed(seed),
            queue: Queue::new(),
            codel: direction.codel.then(Codel::default),
            sender: Sender::new(direction.rate.clone()),
            last: Duration::ZERO,
            is_burst: false,
            direction,
        }
    }

    /// Takes over a packet of so many bytes, and tells the fates that are known by now.
    pub(crate) fn offer(&mut self, now: Duration, bytes: u64, packet: P, mut fate: impl FnMut(Fate<P>)) {
        self.serve(now, &mut fate);
        let queued = self.queue.bytes() + self.sender.sending(now);
        if self.direction.queue_bytes.is_some_and(|room| queued + bytes > room) {
            return fate(Fate::Dropped(packet));
        }
        self.queue.push(Queued { since: now, bytes, packet });
        self.serve(now, fate);
    }

    /// Tells the fates of all packets that begin to be sent by now.
    pub(crate) fn serve(&mut self, now: Duration, mut fate: impl FnMut(Fate<P>)) {
        while let Some(begins) = self.begins().filter(|begins| *begins <= now) {
            let taken = match &mut self.codel {
                Some(codel) => codel.take(begins, &mut self.queue, |queued| fate(Fate::Dropped(queued.packet))),
                None => self.queue.pop(),
            };
            if let Some(Queued { since, bytes, packet }) = taken {
                let sent = self.sender.send(since, bytes);
                fate(self.fly(sent, packet));
            }
        }
    }

    /// Until when [`Wire::serve`] must be called: no packet of those that wait can arrive earlier.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.begins().map(|begins| begins + self.direction.delay.saturating_sub(self.direction.jitter))
    }

    /// When the first packet of the queue begins to be sent.
    fn begins(&self) -> Option<Duration> {
        self.queue.first().map(|first| self.sender.begins(first.since))
    }

    /// What becomes of a packet whose last bit has been sent.
    fn fly(&mut self, sent: Duration, packet: P) -> Fate<P> {
        if self.loses() {
            return Fate::Lost(packet);
        }
        let jitter = self.direction.jitter.mul_f64(2.0 * self.random.random::<f64>());
        let arrives = sent + self.direction.delay.saturating_sub(self.direction.jitter) + jitter;
        self.last = self.last.max(arrives);
        Fate::Arrives(self.last, packet)
    }

    fn loses(&mut self) -> bool {
        let Some(bursts) = self.direction.bursts else { return self.random.random_bool(self.direction.loss.as_f64()) };
        let chance = if self.is_burst { bursts.end } else { bursts.begin };
        self.is_burst ^= self.random.random_bool(chance.as_f64());
        let loss = if self.is_burst { bursts.loss } else { self.direction.loss };
        self.random.random_bool(loss.as_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use pushoff_model::network::{Bursts, Rate, built_in};
    use pushoff_model::units::Share;

    const MS: Duration = Duration::from_millis(1);

    fn plain() -> Direction {
        let none = Share::NONE;
        Direction {
            delay: 50 * MS,
            jitter: Duration::ZERO,
            rate: None,
            queue_bytes: None,
            codel: false,
            loss: none,
            bursts: None,
        }
    }

    fn rate(bits_per_second: f64) -> Option<Rate> {
        Some(Rate::Constant { bits_per_second })
    }

    fn share(of: f64) -> Share {
        Share::new(of).unwrap()
    }

    /// The fates of packets of 1,500 bytes that are offered at these times, numbered from 0.
    fn fates(direction: Direction, seed: u8, at: impl IntoIterator<Item = Duration>) -> Vec<Fate<u32>> {
        let (mut wire, mut fates) = (Wire::new(direction, [seed; 32]), Vec::new());
        for (number, at) in (0..).zip(at) {
            wire.offer(at, 1_500, number, |fate| fates.push(fate));
        }
        wire.serve(Duration::MAX, |fate| fates.push(fate));
        fates
    }

    /// Which of so many packets are lost, a millisecond apart.
    fn lost(direction: Direction, packets: u32, seed: u8) -> Vec<bool> {
        let fates = fates(direction, seed, (0..packets).map(|number| number * MS));
        fates.into_iter().map(|fate| matches!(fate, Fate::Lost(_))).collect()
    }

    #[test]
    fn without_a_rate_every_packet_takes_the_delay() {
        assert_eq!(fates(plain(), 1, [7 * MS, 7 * MS]), [Fate::Arrives(57 * MS, 0), Fate::Arrives(57 * MS, 1)]);
    }

    #[test]
    fn at_a_rate_packets_wait_for_each_other_and_what_finds_no_room_is_dropped() {
        // 1,500 bytes take 12 ms at 1 Mbit/s; the queue holds three of them.
        let slow = Direction { rate: rate(1e6), queue_bytes: Some(4_500), ..plain() };
        let fates = fates(slow, 1, [0, 0, 0, 0, 12, 500].map(|ms| ms * MS));
        let at = |ms: u32, number| Fate::Arrives(ms * MS, number);
        // The fifth finds room: the first has been sent by then.
        assert_eq!(fates, [at(62, 0), Fate::Dropped(3), at(74, 1), at(86, 2), at(98, 4), at(562, 5)]);
    }

    #[test]
    fn a_packet_that_codel_drops_takes_no_time_to_be_sent() {
        // 1,500 bytes take 10 ms at 1.2 Mbit/s. Six come at first and then one each 10 ms, so that each waits for 50 ms.
        let slow = Direction { rate: rate(1.2e6), queue_bytes: Some(150_000), codel: true, ..plain() };
        let fates = fates(slow, 1, (0..16_u32).map(|number| number.saturating_sub(5) * 10 * MS));
        // The second begins to be sent at 10 ms and has waited for more than 5; at 110 ms it has been so for 100.
        let sent = |number: u32| Fate::Arrives((10 * number + 60) * MS, number);
        let after = |number: u32| Fate::Arrives((10 * number + 50) * MS, number);
        let expected: Vec<_> = (0..11).map(sent).chain([Fate::Dropped(11)]).chain((12..16).map(after)).collect();
        assert_eq!(fates, expected);
    }

    #[test]
    fn packets_are_lost_as_often_as_asked_and_by_the_seed_alone() {
        let lossy = Direction { loss: share(0.02), ..plain() };
        let count = lost(lossy.clone(), 20_000, 7).into_iter().filter(|lost| *lost).count();
        // 400 expected, a standard deviation of 19.8: within three.
        assert!((341..=459).contains(&count), "{count}");
        assert_eq!(lost(lossy.clone(), 1_000, 7), lost(lossy.clone(), 1_000, 7));
        assert_ne!(lost(lossy.clone(), 1_000, 7), lost(lossy, 1_000, 8));
    }

    #[test]
    fn bursts_lose_as_much_as_their_chances_say_and_neighbours_together() {
        let bursts = Bursts { begin: share(0.01), end: share(0.2), loss: share(0.5) };
        let lost = lost(Direction { bursts: Some(bursts), ..plain() }, 200_000, 3);
        let all = lost.iter().filter(|it| **it).count() as f64;
        // A packet is in a burst with 0.01 ÷ 0.21, and then lost with a half.
        let expected = 200_000.0 * 0.01 / 0.21 * 0.5;
        assert!((all / expected - 1.0).abs() < 0.1, "{all} of {expected}");
        let pairs = lost.windows(2).filter(|pair| pair[0] && pair[1]).count() as f64;
        assert!(pairs / all > 0.3, "after a loss the next is lost with 0.8 × 0.5, not {}", pairs / all);
    }

    proptest! {
        #[test]
        fn no_packet_overtakes_another(
            name in prop_oneof!["slow-4g", "lte-drive"],
            gaps in proptest::collection::vec((0_u32..5_000, 40_u64..1_500), 1..200),
            seed: [u8; 32],
        ) {
            let direction = built_in(&name).unwrap().unwrap().down;
            let (mut wire, mut now, mut fates) = (Wire::new(direction.clone(), seed), Duration::ZERO, Vec::new());
            for (gap, bytes) in gaps {
                now += Duration::from_micros(gap.into());
                wire.offer(now, bytes, now, |fate| fates.push(fate));
            }
            wire.serve(Duration::MAX, |fate| fates.push(fate));
            let mut last = Duration::ZERO;
            for fate in fates {
                if let Fate::Arrives(at, offered) = fate {
                    prop_assert!(at >= last && at + direction.jitter >= offered + direction.delay);
                    last = at;
                }
            }
        }
    }
}
