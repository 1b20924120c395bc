//! One direction of all readers: a wire for each pair of addresses, and the packets of all wires in the order they are due.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};
use std::net::Ipv4Addr;
use std::time::Duration;

use pushoff_model::network::Direction;
use pushoff_model::record::LinkDirection;

use crate::wire::{Fate, Wire};

/// Bytes of the packets that a direction holds at most; a packet beyond that is dropped. Chosen here: two seconds of
/// 1 Gbit/s.
const MOST_HELD: u64 = 256 << 20;

/// Which way packets go.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// From the server to the readers.
    Down,
    /// From the readers to the server.
    Up,
}

/// Source and destination.
type Addresses = (Ipv4Addr, Ipv4Addr);
type Packet = Box<[u8]>;

/// The wires of one direction. Times are since the link was made, and never go back.
#[derive(Debug)]
pub(crate) struct Wires {
    direction: Direction,
    seed: u64,
    way: Way,
    wires: HashMap<Addresses, LastMile>,
    schedule: Schedule,
    held_bytes: u64,
    /// Counts of offered, dropped and lost packets. The forwarder counts the packets that it delivers.
    pub(crate) tally: LinkDirection,
}

/// One wire.
#[derive(Debug)]
struct LastMile {
    wire: Wire<Packet>,
    /// Whether the schedule has a time at which to serve it.
    is_scheduled: bool,
}

impl Wires {
    pub(crate) fn new(direction: Direction, seed: u64, way: Way) -> Self {
        let (wires, schedule, tally) = (HashMap::new(), Schedule::default(), LinkDirection::of(&direction));
        Self { direction, seed, way, wires, schedule, held_bytes: 0, tally }
    }

    /// Takes over a packet, if it is one of IPv4.
    pub(crate) fn offer(&mut self, now: Duration, packet: &[u8]) {
        let Some(addresses) = addresses(packet) else { return };
        let size = packet.len() as u64;
        self.tally.offered += 1;
        self.tally.largest = self.tally.largest.max(size);
        if self.held_bytes + size > MOST_HELD {
            self.tally.dropped += 1;
            return;
        }
        self.held_bytes += size;
        self.serve(now, addresses, Some(packet.into()));
    }

    /// The next packet that is due, and since when.
    pub(crate) fn due(&mut self, now: Duration) -> Option<(Duration, Packet)> {
        while self.next()? <= now {
            let Reverse(Event { at, what, .. }) = self.schedule.events.pop()?;
            match what {
                What::Arrives(packet) => {
                    self.held_bytes -= packet.len() as u64;
                    return Some((at, packet));
                }
                What::Serve(addresses) => self.serve(now, addresses, None),
            }
        }
        None
    }

    /// When [`Wires::due`] must be called again.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.schedule.events.peek().map(|Reverse(first)| first.at)
    }

    /// Whether a thread must stay awake for each packet.
    pub(crate) fn needs_awake(&self) -> bool {
        self.direction.needs_awake()
    }

    /// Gives a packet to a wire, or only serves it.
    fn serve(&mut self, now: Duration, addresses: Addresses, offered: Option<Packet>) {
        let mile = self.wires.entry(addresses).or_insert_with(|| {
            let seed = seed(self.seed, self.way, addresses);
            LastMile { wire: Wire::new(self.direction.clone(), seed), is_scheduled: false }
        });
        let tell = |fate: Fate<Packet>| match fate {
            Fate::Arrives(due, packet) => self.schedule.add(due, What::Arrives(packet)),
            Fate::Dropped(packet) => {
                self.tally.dropped += 1;
                self.held_bytes -= packet.len() as u64;
            }
            Fate::Lost(packet) => {
                self.tally.lost += 1;
                self.held_bytes -= packet.len() as u64;
            }
        };
        match offered {
            Some(packet) => mile.wire.offer(now, packet.len() as u64, packet, tell),
            None => {
                mile.is_scheduled = false;
                mile.wire.serve(now, tell);
            }
        }
        if !mile.is_scheduled
            && let Some(next) = mile.wire.next()
        {
            mile.is_scheduled = true;
            self.schedule.add(next, What::Serve(addresses));
        }
    }
}

/// What is to be done, by its time; at the same time in the order it was added.
#[derive(Debug, Default)]
struct Schedule {
    events: BinaryHeap<Reverse<Event>>,
    added: u64,
}

impl Schedule {
    fn add(&mut self, at: Duration, what: What) {
        self.added += 1;
        self.events.push(Reverse(Event { at, sequence: self.added, what }));
    }
}

#[derive(Debug)]
struct Event {
    at: Duration,
    sequence: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    /// A packet arrives. Those of one wire are added in their order and never for an earlier time, so none overtakes another.
    Arrives(Packet),
    /// Packets of a wire's queue have begun to be sent.
    Serve(Addresses),
}

impl Event {
    fn key(&self) -> (Duration, u64) {
        (self.at, self.sequence)
    }
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Event {}

/// The addresses of a packet of IPv4 (RFC 791, section 3.1); none of any other.
fn addresses(packet: &[u8]) -> Option<Addresses> {
    let &[first, _, _, _, _, _, _, _, _, _, _, _, a, b, c, d, e, f, g, h] = packet.first_chunk()?;
    (first >> 4 == 4).then_some(([a, b, c, d].into(), [e, f, g, h].into()))
}

/// The seed of one wire's losses and jitter. `StdRng` is a stream cipher and this its key: seeds that differ in one bit
/// make unrelated numbers.
fn seed(link: u64, way: Way, (source, destination): Addresses) -> [u8; 32] {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&link.to_le_bytes());
    // What all addresses of a side begin with may differ from link to link.
    seed[8..10].copy_from_slice(&source.octets()[2..]);
    seed[10..12].copy_from_slice(&destination.octets()[2..]);
    seed[12] = match way {
        Way::Down => 0,
        Way::Up => 1,
    };
    seed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use pushoff_model::network::parse;
    use std::collections::BTreeMap;
    use std::path::Path;

    const MS: Duration = Duration::from_millis(1);
    const SERVER: [u8; 4] = [10, 77, 0, 1];

    /// The way down of a network, with these lines.
    fn wires(down: &str) -> Wires {
        let text = format!("name = \"a\"\nsays = \"a\"\n[down]\n{down}\n[up]\ndelay = \"0s\"\n");
        Wires::new(parse(&text, Path::new("a.toml")).unwrap().down, 7, Way::Down)
    }

    /// A packet from the server to a reader, with its number.
    fn packet(reader: u8, number: u32, size: usize) -> Vec<u8> {
        let mut packet = vec![0; size];
        packet[0] = 0x45;
        packet[12..16].copy_from_slice(&SERVER);
        packet[16..20].copy_from_slice(&[10, 78, 0, reader]);
        packet[20..24].copy_from_slice(&number.to_le_bytes());
        packet
    }

    /// When which packets arrive at which reader, each taken when it is due and not before.
    fn arrived(wires: &mut Wires) -> Vec<(Duration, u8, u32)> {
        let mut all = Vec::new();
        while let Some(next) = wires.next() {
            all.extend(std::iter::from_fn(|| wires.due(next)));
        }
        all.into_iter().map(seen).collect()
    }

    fn seen((due, packet): (Duration, Packet)) -> (Duration, u8, u32) {
        (due, packet[19], u32::from_le_bytes(packet[20..24].try_into().unwrap()))
    }

    #[test]
    fn each_reader_has_a_queue_and_a_rate_of_its_own() {
        // 1,500 bytes take 12 ms at 1 Mbit/s; a queue holds two of them.
        let mut wires = wires("delay = \"50ms\"\nrate = \"1Mbit/s\"\nqueue = \"3kB\"");
        for number in 0..3 {
            for reader in [1, 2] {
                wires.offer(Duration::ZERO, &packet(reader, number, 1_500));
            }
        }
        assert_eq!((wires.tally.offered, wires.tally.dropped), (6, 2));
        let at = |ms: u32, reader, number| (ms * MS, reader, number);
        assert_eq!(arrived(&mut wires), [at(62, 1, 0), at(62, 2, 0), at(74, 1, 1), at(74, 2, 1)]);
    }

    #[test]
    fn what_is_due_first_leaves_first_whichever_wire_it_is_of() {
        let mut wires = wires("delay = \"1ms\"\nrate = \"1Mbit/s\"\nqueue = \"9kB\"");
        wires.offer(Duration::ZERO, &packet(1, 0, 1_500));
        wires.offer(2 * MS, &packet(2, 0, 125));
        assert_eq!(wires.next(), Some(4 * MS));
        assert!(wires.due(3 * MS).is_none());
        assert_eq!(wires.due(5 * MS).map(|(due, packet)| (due, packet[19])), Some((4 * MS, 2)));
        assert!(wires.due(12 * MS).is_none());
        assert_eq!(wires.due(13 * MS).map(|(due, packet)| (due, packet[19])), Some((13 * MS, 1)));
    }

    #[test]
    fn the_packets_of_one_reader_are_lost_by_their_numbers_whatever_the_others_do() {
        let alone = |others: &[u8]| {
            let mut wires = wires("delay = \"1ms\"\njitter = \"1ms\"\nloss = 0.3");
            for number in 0..200 {
                others.iter().for_each(|&other| wires.offer(number * MS, &packet(other, number, 40)));
                wires.offer(number * MS, &packet(9, number, 40));
            }
            let mut of: BTreeMap<u8, Vec<(Duration, u32)>> = BTreeMap::new();
            arrived(&mut wires).into_iter().for_each(|(due, to, number)| of.entry(to).or_default().push((due, number)));
            of
        };
        let of = alone(&[1, 2, 3]);
        assert_eq!(alone(&[])[&9], of[&9]);
        let numbers = |reader| of[&reader].iter().map(|(_, number)| *number).collect::<Vec<_>>();
        assert!(numbers(1) != numbers(2) && numbers(2) != numbers(3) && numbers(3) != numbers(9));
    }

    #[test]
    fn both_ways_of_one_reader_lose_different_packets() {
        let pair = (Ipv4Addr::from(SERVER), Ipv4Addr::new(10, 78, 0, 1));
        assert_ne!(seed(7, Way::Down, pair), seed(7, Way::Up, pair));
        assert_ne!(seed(7, Way::Down, pair), seed(8, Way::Down, pair));
        assert_eq!(seed(7, Way::Down, pair), seed(7, Way::Down, pair));
    }

    #[test]
    fn what_is_not_ipv4_is_neither_passed_nor_counted() {
        let mut wires = wires("delay = \"0s\"");
        let mut router_solicitation = packet(1, 0, 48);
        router_solicitation[0] = 0x60;
        for packet in [&router_solicitation[..], &packet(1, 0, 40)[..19], &[]] {
            wires.offer(Duration::ZERO, packet);
        }
        assert_eq!((wires.tally.offered, wires.tally.largest, wires.next()), (0, 0, None));
    }

    #[test]
    fn without_a_rate_no_more_than_a_bound_is_on_the_way() {
        let mut wires = wires("delay = \"10s\"");
        let large = packet(1, 0, 65_000);
        let room = u32::try_from(MOST_HELD / 65_000).unwrap();
        for _ in 0..room + 2 {
            wires.offer(Duration::ZERO, &large);
        }
        assert_eq!((wires.tally.dropped, wires.schedule.events.len()), (2, room as usize));
        assert!(wires.due(Duration::from_secs(10)).is_some());
        wires.offer(Duration::from_secs(10), &large);
        assert_eq!(wires.tally.dropped, 2, "one that has arrived makes room");
    }

    #[test]
    fn a_wire_with_codel_is_served_in_time_for_its_first_packet() {
        // 12 ms a packet: they come at once, and the last begins to be sent at 60 ms.
        let mut wires = wires("delay = \"30ms\"\nrate = \"1Mbit/s\"\nqueue = \"60kB\"\ncodel = true");
        for number in 0..6 {
            wires.offer(Duration::ZERO, &packet(1, number, 1_500));
        }
        assert_eq!(wires.wires.values().map(|mile| mile.is_scheduled).collect::<Vec<_>>(), [true]);
        let due: Vec<_> = arrived(&mut wires).into_iter().map(|(due, ..)| due).collect();
        assert_eq!(due, [42, 54, 66, 78, 90, 102].map(|ms| ms * MS));
    }

    proptest! {
        #[test]
        fn no_packet_overtakes_another_of_its_reader_and_each_has_one_fate(
            packets in proptest::collection::vec((0_u32..5_000, 1_u8..4, 40_usize..1_500), 1..300),
            rate in 500_u32..9_000,
            codel: bool,
        ) {
            let mut wires = wires(&format!(
                "delay = \"20ms\"\njitter = \"20ms\"\nrate = \"{rate}kbit/s\"\nloss = 0.01\ncodel = {codel}"
            ));
            let (mut now, mut passed) = (Duration::ZERO, Vec::new());
            for (number, (gap, reader, size)) in (0..).zip(packets) {
                now += Duration::from_micros(gap.into());
                passed.extend(std::iter::from_fn(|| wires.due(now)).map(seen));
                wires.offer(now, &packet(reader, number, size));
            }
            passed.extend(arrived(&mut wires));
            let mut last = BTreeMap::new();
            for &(due, reader, number) in &passed {
                let before = last.insert(reader, (due, number));
                prop_assert!(before.is_none_or(|before| before.0 <= due && before.1 < number));
            }
            let LinkDirection { offered, dropped, lost, .. } = wires.tally;
            prop_assert_eq!(passed.len() as u64 + dropped + lost, offered);
            prop_assert_eq!(wires.held_bytes, 0);
        }
    }
}
