//! What theory expects of delivery latency over a network, beside what is measured.
//!
//! A stream delivers after half a round trip. A long poll is away for a round trip after each answer, and what is published
//! meanwhile waits for it. A short poll adds a part of its interval. A lost packet is noticed by those that follow it (RACK,
//! RFC 8985: a round trip and a quarter), or by a timer where none follows (Linux: the round trip and 200 ms, and 40 ms for
//! an acknowledgement that was held back); behind it, in order, wait the messages sent meanwhile. Not in it: the server's own
//! time, and what small packets take at a rate.

use std::time::Duration;

use crate::record::Link;
use crate::transport::{Polls, Transport};
use crate::workload::{Arrival, Direction, Load, Workload};

/// The least time of Linux's retransmission timer beyond the round trip: `TCP_RTO_MIN`, in seconds.
const TIMER: f64 = 0.2;
/// How long a receiver may hold an acknowledgement back: `TCP_DELACK_MIN`, in seconds.
const HELD_BACK: f64 = 0.04;
/// Points that an even distribution is replaced by.
const POINTS: u32 = 40;

/// The distribution that theory expects of one transport's delivery latency.
#[derive(Clone, Debug)]
pub struct LatencyTheory {
    /// From the publisher to the reader, where nothing is waited for: seconds.
    way: f64,
    jitter: f64,
    /// What waits for a poll.
    waits: Waits,
    loss: Option<Loss>,
}

/// The share of messages that wait, and for how long at most; evenly distributed, in seconds.
#[derive(Clone, Copy, Debug)]
struct Waits {
    share: f64,
    longest: f64,
}

/// What lost packets do.
#[derive(Clone, Copy, Debug)]
struct Loss {
    /// The share of messages that are in a lost packet, or in a poll that is: they take the whole delay.
    own: f64,
    /// For each second of that delay, the share of messages that wait behind them.
    behind: f64,
    /// The share of packets sent again that are lost again.
    again: f64,
    /// The round trip.
    round_trip: f64,
    /// How long a lost packet takes longer: at least, and at most.
    longer: (f64, f64),
}

impl LatencyTheory {
    /// What is expected; `None` where messages do not come at a rate, and of the floor.
    #[must_use]
    pub fn of(workload: &Workload, transport: Transport, link: &Link) -> Option<Self> {
        let Load::Rate { per_second, arrival } = &workload.load else { return None };
        if !transport.is_ranked() {
            return None;
        }
        let is_both = workload.direction == Direction::Both;
        let speakers = if is_both { workload.audience(0) } else { 1 };
        let rate = per_second.as_per_second() * f64::from(speakers);
        let seconds = |nanos: u64| Duration::from_nanos(nanos).as_secs_f64();
        let (down, up) = (seconds(link.down.delay_ns), seconds(link.up.delay_ns));
        let round_trip = down + up;
        let interval = workload.polling.interval.as_secs_f64().max(round_trip);
        let is_even = *arrival == Arrival::Constant && speakers == 1;
        let waits = match transport.traits().polls {
            None => Waits { share: 0.0, longest: 0.0 },
            Some(Polls::WhenAnswered) => Waits { share: waiting(rate * round_trip, is_even), longest: round_trip },
            Some(Polls::OnATimer) => Waits { share: 1.0, longest: interval },
        };
        let loss = (link.down.loss > 0.0 || link.up.loss > 0.0).then(|| {
            let both = link.down.loss + link.up.loss;
            let slow = round_trip + TIMER;
            // At random, the next packet may follow at once.
            let follows = if is_even { rate.recip() } else { 0.0 };
            let (own, packets, fast) = match transport.traits().polls {
                None => (link.down.loss, rate, round_trip + follows.max(round_trip / 4.0)),
                Some(Polls::WhenAnswered) => (link.down.loss, rate.min(1.0 / round_trip.max(1e-6)), slow),
                Some(Polls::OnATimer) => (both, 0.0, slow),
            };
            let exposed = if transport.is_polling() { both } else { link.down.loss };
            let spoken = if is_both { link.up.loss } else { 0.0 };
            Loss {
                own: own + spoken,
                behind: exposed * packets,
                again: exposed,
                round_trip,
                longer: (fast.min(slow), slow + HELD_BACK),
            }
        });
        let jitter = seconds(link.down.jitter_ns);
        Some(Self { way: if is_both { round_trip } else { down }, jitter, waits, loss })
    }

    /// Between what the quantile lies, `share` being 0 to 1.
    #[must_use]
    pub fn quantile(&self, share: f64) -> (Duration, Duration) {
        let at = |longer: fn((f64, f64)) -> f64| {
            let delays = self.loss.map_or_else(|| vec![(0.0, 1.0)], |loss| loss.delays(longer(loss.longer)));
            Duration::from_secs_f64((self.way + quantile(&self.sums(&delays), share)).max(0.0))
        };
        (at(|longer| longer.0), at(|longer| longer.1))
    }

    /// Every sum of a wait, a jitter and a delay, with its share.
    fn sums(&self, delays: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let still = (0.0, 1.0 - self.waits.share);
        let waits: Vec<_> = [still].into_iter().chain(even(0.0, self.waits.longest, self.waits.share)).collect();
        let jitters = if self.jitter > 0.0 { even(-self.jitter, self.jitter, 1.0).collect() } else { vec![(0.0, 1.0)] };
        let with = |one: &[(f64, f64)], other: &[(f64, f64)]| -> Vec<_> {
            one.iter().flat_map(|a| other.iter().map(move |b| (a.0 + b.0, a.1 * b.1))).collect()
        };
        with(&with(&waits, delays), &jitters)
    }
}

impl Loss {
    /// How much longer messages take, each with its share, where a lost packet takes so much longer.
    fn delays(&self, longer: f64) -> Vec<(f64, f64)> {
        let own = self.own.min(1.0);
        let behind = (self.behind * longer).min(1.0 - own);
        // The timer doubles.
        let longest = longer + 2.0 * (self.round_trip + TIMER);
        let once = 1.0 - self.again;
        [(0.0, 1.0 - own - behind), (longer, own * once), (longest, own * self.again)]
            .into_iter()
            .chain(even(0.0, longer, behind * once))
            .chain(even(0.0, longest, behind * self.again))
            .collect()
    }
}

/// The share of messages that are published while a long poll is away, of so many in a round trip.
fn waiting(in_a_round_trip: f64, is_even: bool) -> f64 {
    if is_even {
        return if in_a_round_trip >= 1.0 { 1.0 } else { 0.0 };
    }
    // Those that come at random: a poll that finds none waits for one, which does not wait.
    in_a_round_trip / (in_a_round_trip + (-in_a_round_trip).exp())
}

/// Points evenly between two ends, which have the share together.
fn even(low: f64, high: f64, share: f64) -> impl Iterator<Item = (f64, f64)> {
    let each = share / f64::from(POINTS);
    (0..POINTS).map(move |index| ((high - low).mul_add((f64::from(index) + 0.5) / f64::from(POINTS), low), each))
}

fn quantile(points: &[(f64, f64)], share: f64) -> f64 {
    let mut points = points.to_vec();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut below = 0.0;
    let reached = points.iter().find(|(_, weight)| {
        below += weight;
        below >= share
    });
    reached.or(points.last()).map_or(0.0, |(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::workload;

    /// A feed to one reader, at so many messages a second; polls every second.
    fn feed(rate: f64) -> Workload {
        let text = format!(
            "name = \"feed\"\nquestion = \"?\"\nsubscribers = 1\n[publish]\nrate = {rate:?}\narrival = \"poisson\"\n\
             payload = {{ bytes = 128 }}\n[polling]\ninterval = \"1s\"\n[slo]\nshare = 0.99\nwithin = \"1s\"\n\
             may_skip = false\n[phases]\nmeasure = \"2s\"\n"
        );
        workload::parse(&text, Path::new("feed.toml")).unwrap()
    }

    fn link(round_trip_ms: u64, loss: f64) -> Link {
        let mut link = Link::default();
        for direction in [&mut link.down, &mut link.up] {
            direction.delay_ns = round_trip_ms * 500_000;
            direction.loss = loss;
        }
        link
    }

    /// Median and 99th percentile in milliseconds, at least and at most.
    fn expected(rate: f64, transport: Transport, link: &Link) -> [(f64, f64); 2] {
        let theory = LatencyTheory::of(&feed(rate), transport, link).unwrap();
        [0.5, 0.99].map(|share| {
            let (low, high) = theory.quantile(share);
            (low.as_secs_f64() * 1e3, high.as_secs_f64() * 1e3)
        })
    }

    fn near(found: (f64, f64), wanted: f64) -> bool {
        found.0 * 0.97 <= wanted && wanted <= found.1 * 1.03
    }

    #[test]
    fn without_loss_a_stream_takes_half_a_round_trip_and_a_poll_what_it_waits_for() {
        let over = link(100, 0.0);
        for transport in [Transport::Sse, Transport::HttpStreaming, Transport::WebSocket] {
            assert!(expected(20.0, transport, &over).iter().all(|it| near(*it, 50.0)), "{transport}");
        }
        let [p50, p99] = expected(100.0, Transport::LongPolling, &over);
        assert!(near(p50, 100.0) && near(p99, 149.0), "{p50:?} {p99:?}");
        let [p50, p99] = expected(20.0, Transport::ShortPolling, &over);
        assert!(near(p50, 550.0) && near(p99, 1_040.0), "{p50:?} {p99:?}");
        assert!(LatencyTheory::of(&feed(20.0), Transport::RawTcp, &over).is_none());
    }

    /// What a simulation of TCP, packet by packet, had as its 99th percentiles.
    #[test]
    fn loss_is_a_band_between_packets_that_follow_and_the_timer() {
        for (round_trip, loss, rate, transport, p99) in [
            (100, 0.01, 20.0, Transport::Sse, 169.0),
            (100, 0.01, 100.0, Transport::Sse, 167.0),
            (100, 0.03, 20.0, Transport::Sse, 229.0),
            (20, 0.01, 100.0, Transport::Sse, 35.0),
            (100, 0.01, 20.0, Transport::LongPolling, 433.0),
            (100, 0.03, 20.0, Transport::LongPolling, 541.0),
        ] {
            let [p50, found] = expected(rate, transport, &link(round_trip, loss));
            assert!(
                found.0 * 0.85 <= p99 && p99 <= found.1 * 1.15,
                "{transport}, {round_trip} ms, {loss}, {rate}: {p50:?} {found:?}, not {p99}"
            );
        }
    }

    #[test]
    fn messages_that_come_evenly_wait_for_a_long_poll_only_where_it_is_away_for_longer_than_their_gap() {
        assert_eq!((waiting(0.9, true), waiting(1.1, true)), (0.0, 1.0));
        assert!((waiting(1.0, false) - 1.0 / (1.0 + (-1_f64).exp())).abs() < 1e-12);
    }
}
