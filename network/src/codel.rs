//! CoDel drops packets once every packet of the last 100 ms waited longer than 5 ms. Source: the pseudocode of RFC 8289,
//! section 5.

use std::time::Duration;

use crate::queue::{Queue, Queued};

/// The longest wait at which no packet is dropped.
const TARGET: Duration = Duration::from_millis(5);
/// How long all waits may exceed the target before a packet is dropped.
const INTERVAL: Duration = Duration::from_millis(100);
/// No packet is dropped while the queue has at most this many bytes: Ethernet's MTU.
const LARGEST_PACKET: u64 = 1_500;

/// The state of CoDel for one queue.
#[derive(Debug, Default)]
pub(crate) struct Codel {
    /// When a packet may be dropped, if waits stay above the target until then.
    first_above: Option<Duration>,
    is_dropping: bool,
    next_drop: Duration,
    /// Packets dropped since dropping began.
    count: u32,
    /// The count at the moment when dropping began.
    count_at_begin: u32,
}

impl Codel {
    /// Takes the next packet to send, and drops the packets before it that CoDel chooses.
    pub(crate) fn take<P>(
        &mut self,
        now: Duration,
        queue: &mut Queue<P>,
        mut drop: impl FnMut(Queued<P>),
    ) -> Option<Queued<P>> {
        let (mut first, mut may_drop) = self.pop(now, queue);
        if self.is_dropping {
            self.is_dropping = may_drop;
            while self.is_dropping && now >= self.next_drop {
                first.map(&mut drop);
                self.count = self.count.saturating_add(1);
                (first, may_drop) = self.pop(now, queue);
                self.is_dropping = may_drop;
                if may_drop {
                    self.next_drop = control_law(self.next_drop, self.count);
                }
            }
        } else if may_drop {
            first.map(&mut drop);
            (first, _) = self.pop(now, queue);
            self.is_dropping = true;
            // If dropping ended a short time ago, it resumes at the rate that it had then.
            let counted = self.count - self.count_at_begin;
            let is_soon = now.saturating_sub(self.next_drop) < 16 * INTERVAL;
            self.count = if counted > 1 && is_soon { counted } else { 1 };
            self.next_drop = control_law(now, self.count);
            self.count_at_begin = self.count;
        }
        first
    }

    /// The first packet, and whether it may be dropped.
    fn pop<P>(&mut self, now: Duration, queue: &mut Queue<P>) -> (Option<Queued<P>>, bool) {
        let first = queue.pop();
        let waited = first.as_ref().map_or(Duration::ZERO, |first| now.saturating_sub(first.since));
        if waited < TARGET || queue.bytes() <= LARGEST_PACKET {
            self.first_above = None;
            return (first, false);
        }
        let first_above = *self.first_above.get_or_insert(now + INTERVAL);
        (first, now >= first_above)
    }
}

/// When the next packet is dropped.
fn control_law(last: Duration, count: u32) -> Duration {
    last + INTERVAL.div_f64(f64::from(count).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// At which of these milliseconds packets are dropped, one being sent at each. `waits` says how many milliseconds each
    /// has waited, and how many packets are behind it.
    fn dropped(codel: &mut Codel, at: std::ops::Range<u32>, waits: impl Fn(u32) -> (u32, usize)) -> Vec<u32> {
        let mut dropped = Vec::new();
        for now in at {
            let (waited, behind) = waits(now);
            let mut queue = Queue::new();
            for _ in 0..=behind {
                queue.push(Queued { since: (now - waited) * MS, bytes: 1_500, packet: () });
            }
            assert!(codel.take(now * MS, &mut queue, |_| dropped.push(now)).is_some());
        }
        dropped
    }

    #[test]
    fn nothing_is_dropped_while_waits_are_below_the_target() {
        assert!(dropped(&mut Codel::default(), 1_000..9_000, |_| (4, 9)).is_empty());
    }

    #[test]
    fn the_first_drop_is_an_interval_after_waits_rose_and_those_after_it_come_by_the_square_root() {
        // 100 ms, then 100 ÷ √1, ÷ √2, ÷ √3 and so on after it, each at the next whole millisecond.
        let dropped = dropped(&mut Codel::default(), 1_000..1_425, |_| (6, 9));
        assert_eq!(dropped, [1_100, 1_200, 1_271, 1_329, 1_379, 1_424]);
    }

    #[test]
    fn one_short_wait_begins_the_interval_anew() {
        let dropped = dropped(&mut Codel::default(), 1_000..1_160, |now| if now == 1_050 { (4, 9) } else { (6, 9) });
        assert_eq!(dropped, [1_151]);
    }

    #[test]
    fn the_last_packets_of_a_queue_are_kept_however_long_they_waited() {
        assert!(dropped(&mut Codel::default(), 1_000..3_000, |_| (900, 1)).is_empty());
        assert_eq!(dropped(&mut Codel::default(), 1_000..1_101, |_| (900, 2)), [1_100]);
    }

    #[test]
    fn it_goes_on_at_the_rate_it_had_where_waits_rise_again_soon_and_anew_where_late() {
        let again = |short_for: u32| {
            let mut codel = Codel::default();
            // Six drops, the last of them at 1,424: the count is 6 and was 1 at first.
            assert_eq!(dropped(&mut codel, 1_000..1_425, |_| (6, 9)).len(), 6);
            assert!(dropped(&mut codel, 1_425..2_000 + short_for, |_| (0, 9)).is_empty());
            dropped(&mut codel, 2_000 + short_for..2_201 + short_for, |_| (6, 9))
        };
        // 100 ÷ √5, ÷ √6.
        assert_eq!(again(0), [2_100, 2_145, 2_186]);
        assert_eq!(again(1_600), [3_700, 3_800]);
    }

    #[test]
    fn a_long_backlog_has_several_packets_dropped_at_once() {
        let mut codel = Codel::default();
        dropped(&mut codel, 1_000..1_201, |_| (6, 9));
        let mut queue = Queue::new();
        (0..9).for_each(|packet| queue.push(Queued { since: MS, bytes: 1_500, packet }));
        let mut dropped = Vec::new();
        // Due since 1,271, 1,329 and 1,379.
        let sent = codel.take(1_400 * MS, &mut queue, |queued| dropped.push(queued.packet));
        assert_eq!((dropped, sent.map(|queued| queued.packet)), (vec![0, 1, 2], Some(3)));
    }
}
