//! The arrivals of one response: its events, the reads that brought them, and the reads that cut an event.
//!
//! Sources: WHATWG HTML §9.2.6 for event streams, a line an event elsewhere (NDJSON); RFC 1952 for gzip.

use std::io::Write;
use std::time::Duration;

use flate2::write::GzDecoder;

use crate::clients::{EventStream, LONGEST_MESSAGE, Lines};

/// Bytes that come closer together than this came in one read. Chosen here: a tenth of the shortest schedule.
const TOGETHER: Duration = Duration::from_millis(10);

/// Cuts an answer into events.
#[derive(Debug)]
pub(super) enum Cutter {
    /// Into those of an event stream.
    Events(EventStream),
    /// Into lines that are not empty.
    Lines(Lines),
}

impl Default for Cutter {
    fn default() -> Self {
        Self::Lines(Lines::default())
    }
}

impl Cutter {
    /// How many events these bytes end.
    fn take(&mut self, mut bytes: &[u8]) -> usize {
        let mut events = 0;
        match self {
            Self::Events(stream) => {
                while stream.next(&mut bytes).is_some() {
                    events += 1;
                }
            }
            Self::Lines(lines) => {
                while let Some(line) = lines.next(&mut bytes) {
                    events += usize::from(!line.is_empty());
                }
            }
        }
        self.bound();
        events
    }

    /// Forgets the beginning of an event that does not end.
    fn bound(&mut self) {
        match self {
            Self::Events(stream) if stream.begun() > LONGEST_MESSAGE => *stream = EventStream::default(),
            Self::Lines(lines) if lines.begun() > LONGEST_MESSAGE => *lines = Lines::default(),
            Self::Events(_) | Self::Lines(_) => {}
        }
    }

    const fn is_mid_event(&self) -> bool {
        match self {
            Self::Events(stream) => stream.is_mid_event(),
            Self::Lines(lines) => lines.begun() > 0,
        }
    }
}

/// Bytes that came in one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    /// When, since the request.
    pub(super) at: Duration,
    /// When its last byte came.
    last: Duration,
    /// As they came, compressed or not.
    pub(super) bytes: usize,
    /// The events that ended in them.
    pub(super) events: usize,
    /// Whether they end in the middle of an event.
    pub(super) cuts: bool,
}

/// A body, as far as it came.
#[derive(Debug, Default)]
pub(super) struct Heard {
    cutter: Cutter,
    decoder: Option<GzDecoder<Vec<u8>>>,
    pub(super) arrivals: Vec<Arrival>,
}

impl Heard {
    /// A body that is cut so into events; `is_gzip`: compressed.
    pub(super) fn new(cutter: Cutter, is_gzip: bool) -> Self {
        let decoder = is_gzip.then(|| GzDecoder::new(Vec::new()));
        Self { cutter, decoder, ..Self::default() }
    }

    /// Takes bytes that came at `at`.
    pub(super) fn take(&mut self, at: Duration, bytes: &[u8]) {
        let events = match self.decoder.take() {
            None => self.cutter.take(bytes),
            Some(mut decoder) => {
                // Content that cannot be decoded brings no event, which is said of it.
                let decoded = decoder.write_all(bytes).and_then(|()| decoder.flush());
                let plain = decoded.map_or_else(|_| Vec::new(), |()| std::mem::take(decoder.get_mut()));
                self.decoder = Some(decoder);
                self.cutter.take(&plain)
            }
        };
        let cuts = self.cutter.is_mid_event();
        match self.arrivals.last_mut().filter(|last| at.saturating_sub(last.last) < TOGETHER) {
            Some(last) => {
                let (bytes, events) = (last.bytes + bytes.len(), last.events + events);
                *last = Arrival { last: at, bytes, events, cuts, ..*last };
            }
            None => self.arrivals.push(Arrival { at, last: at, bytes: bytes.len(), events, cuts }),
        }
    }

    pub(super) fn events(&self) -> usize {
        self.arrivals.iter().map(|arrival| arrival.events).sum()
    }

    /// The arrivals that brought an event.
    pub(super) fn bringing(&self) -> impl Iterator<Item = &Arrival> {
        self.arrivals.iter().filter(|arrival| arrival.events > 0)
    }

    /// The size of a buffer that shows, and how often it did: a read that ends one event and begins the next, which comes to its
    /// own end later, was cut by neither server nor event. A network may do so once.
    pub(super) fn buffer(&self) -> Option<(usize, usize)> {
        let shows = self.bringing().filter(|arrival| arrival.cuts);
        let mut sizes: Vec<usize> = shows.map(|arrival| arrival.bytes).collect();
        sizes.sort_unstable();
        (sizes.len() > 1).then(|| (sizes[sizes.len() / 2], sizes.len()))
    }

    /// The longest silence that began after `from` and before `now`.
    pub(super) fn silence(&self, from: Duration, now: Duration) -> Duration {
        let ends = self.arrivals.iter().map(|arrival| arrival.at).chain([now]);
        let begins = [Duration::ZERO].into_iter().chain(self.arrivals.iter().map(|arrival| arrival.last));
        begins
            .zip(ends)
            .filter(|(_, end)| *end >= from)
            .map(|(begin, end)| end.saturating_sub(begin))
            .max()
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn of_events() -> Cutter {
        Cutter::Events(EventStream::default())
    }

    #[test]
    fn comments_heartbeats_and_an_opening_are_no_events() {
        let mut heard = Heard::new(of_events(), false);
        heard.take(MS(0), b"retry: 1000\nid: a-0\n\n");
        heard.take(MS(100), b":\n\n");
        heard.take(MS(200), b"id: a-1\r\ndata: 1\r\n\r\n");
        assert_eq!((heard.events(), heard.bringing().count(), heard.buffer()), (1, 1, None));
        let mut heard = Heard::new(Cutter::default(), false);
        heard.take(MS(0), b"\n");
        heard.take(MS(100), b"{}\n{}\n");
        assert_eq!((heard.events(), heard.arrivals.len()), (2, 2));
    }

    #[test]
    fn a_buffer_shows_by_the_events_that_it_cuts() {
        let text = b"data: 0123456789\n\n".repeat(100);
        let mut heard = Heard::new(of_events(), false);
        for (number, piece) in (0..).zip(text.chunks(512)) {
            heard.take(MS(100 * number), piece);
        }
        assert_eq!((heard.events(), heard.buffer()), (100, Some((512, 3))), "the fourth ends where the stream does");
        let mut network = Heard::new(of_events(), false);
        for number in 0..10 {
            network.take(MS(1_000 * number), b"data: one event in two");
            network.take(MS(1_000 * number + 50), b" segments\n\n");
        }
        assert_eq!((network.events(), network.buffer()), (10, None));
    }

    #[test]
    fn what_is_flushed_is_decoded_at_once() {
        let (mut heard, mut encoder) =
            (Heard::new(Cutter::default(), true), GzEncoder::new(Vec::new(), Compression::fast()));
        for number in 0..5 {
            encoder.write_all(b"{\"n\":1}\n").unwrap();
            encoder.flush().unwrap();
            heard.take(MS(100 * number), &std::mem::take(encoder.get_mut()));
        }
        assert_eq!((heard.events(), heard.bringing().count()), (5, 5));
    }

    #[test]
    fn an_event_without_an_end_is_not_kept() {
        for cutter in [of_events(), Cutter::default()] {
            let mut heard = Heard::new(cutter, false);
            for number in 0..100 {
                heard.take(MS(number), &[b'x'; LONGEST_MESSAGE / 4]);
                let kept = match &heard.cutter {
                    Cutter::Events(stream) => stream.begun(),
                    Cutter::Lines(lines) => lines.begun(),
                };
                assert!(kept <= LONGEST_MESSAGE, "{kept}");
            }
        }
    }

    #[test]
    fn silence_is_measured_to_the_end_and_from_where_it_is_asked() {
        let mut heard = Heard::new(Cutter::default(), false);
        for at in [100, 5_000, 5_100] {
            heard.take(MS(at), b"1\n");
        }
        assert_eq!(heard.silence(MS(0), MS(5_200)), MS(4_900));
        assert_eq!(heard.silence(MS(5_001), MS(7_100)), MS(2_000));
    }

    proptest! {
        #[test]
        fn events_do_not_depend_on_how_they_are_cut(texts in proptest::collection::vec("[a-z]{1,20}", 0..20), cut in 1_usize..50) {
            let stream: String = texts.iter().map(|text| format!("data: {text}\n\n")).collect();
            let mut heard = Heard::new(of_events(), false);
            for piece in stream.as_bytes().chunks(cut) {
                heard.take(MS(0), piece);
            }
            prop_assert_eq!(heard.events(), texts.len());
        }
    }
}
