//! One direction of a reader's last mile as arithmetic: which packets arrive, and when. No clock and no socket.

use std::collections::VecDeque;
use std::time::Duration;

use pushoff_model::network::Direction;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives at this time.
    Arrives(Duration),
    /// The queue had no room for it.
    Dropped,
    /// It was sent and is lost on the way.
    Lost,
}

/// One direction. Times are since the link was made, and never go back.
#[derive(Debug)]
pub(crate) struct Wire {
    direction: Direction,
    random: StdRng,
    /// Packets that wait or are being sent: until when, and their bytes.
    queue: VecDeque<(Duration, u64)>,
    queued_bytes: u64,
    /// When the last packet arrives.
    last: Duration,
    is_burst: bool,
}

impl Wire {
    pub(crate) fn new(direction: Direction, seed: [u8; 32]) -> Self {
        let random = StdRng::from_seed(seed);
        Self { direction, random, queue: VecDeque::new(), queued_bytes: 0, last: Duration::ZERO, is_burst: false }
    }

    /// What becomes of a packet of so many bytes that is handed over now.
    pub(crate) fn offer(&mut self, now: Duration, bytes: u64) -> Fate {
        let Some(sent) = self.send(now, bytes) else { return Fate::Dropped };
        if self.loses() {
            return Fate::Lost;
        }
        let jitter = self.direction.jitter.mul_f64(2.0 * self.random.random::<f64>());
        let arrives = sent + self.direction.delay.saturating_sub(self.direction.jitter) + jitter;
        self.last = self.last.max(arrives);
        Fate::Arrives(self.last)
    }

    /// When the last bit of it is sent; none where the queue has no room.
    fn send(&mut self, now: Duration, bytes: u64) -> Option<Duration> {
        let Some(rate) = self.direction.bits_per_second else { return Some(now) };
        while let Some(&(until, size)) = self.queue.front()
            && until <= now
        {
            self.queued_bytes -= size;
            self.queue.pop_front();
        }
        if self.direction.queue_bytes.is_some_and(|room| self.queued_bytes + bytes > room) {
            return None;
        }
        let begins = self.queue.back().map_or(now, |&(until, _)| until);
        #[expect(clippy::cast_precision_loss, reason = "a packet has at most 65,535 bytes")]
        let sent = begins + Duration::from_secs_f64(bytes as f64 * 8.0 / rate);
        self.queue.push_back((sent, bytes));
        self.queued_bytes += bytes;
        Some(sent)
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
    use pushoff_model::network::{Bursts, built_in};
    use pushoff_model::units::Share;

    const MS: Duration = Duration::from_millis(1);

    fn plain() -> Direction {
        let none = Share::NONE;
        Direction {
            delay: 50 * MS,
            jitter: Duration::ZERO,
            bits_per_second: None,
            queue_bytes: None,
            loss: none,
            bursts: None,
        }
    }

    fn share(of: f64) -> Share {
        Share::new(of).unwrap()
    }

    /// How many of so many packets are lost, a millisecond apart.
    fn lost(direction: Direction, packets: u32, seed: u8) -> Vec<bool> {
        let mut wire = Wire::new(direction, [seed; 32]);
        (0..packets).map(|number| wire.offer(number * MS, 100) == Fate::Lost).collect()
    }

    #[test]
    fn without_a_rate_every_packet_takes_the_delay() {
        let mut wire = Wire::new(plain(), [1; 32]);
        assert_eq!(wire.offer(7 * MS, 1_500), Fate::Arrives(57 * MS));
        assert_eq!(wire.offer(7 * MS, 64), Fate::Arrives(57 * MS));
    }

    #[test]
    fn at_a_rate_packets_wait_for_each_other_and_what_finds_no_room_is_dropped() {
        // 1,500 bytes take 12 ms at 1 Mbit/s; the queue holds three of them.
        let slow = Direction { bits_per_second: Some(1e6), queue_bytes: Some(4_500), ..plain() };
        let mut wire = Wire::new(slow, [1; 32]);
        let fates: Vec<Fate> = (0..4).map(|_| wire.offer(Duration::ZERO, 1_500)).collect();
        let at = |ms: u32| Fate::Arrives(ms * MS);
        assert_eq!(fates, [at(62), at(74), at(86), Fate::Dropped]);
        assert_eq!(wire.offer(12 * MS, 1_500), at(98), "the first has been sent by now");
        assert_eq!(wire.offer(500 * MS, 1_500), at(562));
    }

    #[test]
    fn packets_are_lost_as_often_as_asked_and_by_the_seed_alone() {
        let lossy = Direction { loss: share(0.02), ..plain() };
        let count = lost(lossy, 20_000, 7).into_iter().filter(|lost| *lost).count();
        // 400 expected, a standard deviation of 19.8: within three.
        assert!((341..=459).contains(&count), "{count}");
        assert_eq!(lost(lossy, 1_000, 7), lost(lossy, 1_000, 7));
        assert_ne!(lost(lossy, 1_000, 7), lost(lossy, 1_000, 8));
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
        fn no_packet_overtakes_another(gaps in proptest::collection::vec((0_u32..5_000, 40_u64..1_500), 1..200), seed: [u8; 32]) {
            let direction = built_in("slow-4g").unwrap().unwrap().down;
            let mut wire = Wire::new(direction, seed);
            let (mut now, mut last) = (Duration::ZERO, Duration::ZERO);
            for (gap, bytes) in gaps {
                now += Duration::from_micros(gap.into());
                if let Fate::Arrives(at) = wire.offer(now, bytes) {
                    prop_assert!(at >= last && at + direction.jitter >= now + direction.delay);
                    last = at;
                }
            }
        }
    }
}
