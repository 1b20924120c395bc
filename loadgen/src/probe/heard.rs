//! What one response brought, and when: events, the reads that brought them, and where a read cut an event.
//!
//! Sources: WHATWG HTML §9.2.6 for event streams, a line an event elsewhere (NDJSON); RFC 1952 for gzip.

use std::io::Write;
use std::time::Duration;

use flate2::write::GzDecoder;

/// Bytes that come closer together than this came in one read. Chosen here: a tenth of the shortest schedule.
const TOGETHER: Duration = Duration::from_millis(10);

/// How an answer is cut into events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Separation {
    /// An empty line ends an event.
    Blank,
    /// Each line that is not empty is one.
    #[default]
    Line,
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
    separation: Separation,
    decoder: Option<GzDecoder<Vec<u8>>>,
    pub(super) arrivals: Vec<Arrival>,
    /// The first bytes of the line that has not ended, and whether the event that has not ended has data.
    line: Vec<u8>,
    has_data: bool,
}

/// As many bytes of a line as tell its field.
const FIELD: usize = 5;

impl Heard {
    /// A body of events that are separated so; `is_gzip`: compressed.
    pub(super) fn new(separation: Separation, is_gzip: bool) -> Self {
        let decoder = is_gzip.then(|| GzDecoder::new(Vec::new()));
        Self { separation, decoder, ..Self::default() }
    }

    /// Takes bytes that came at `at`.
    pub(super) fn take(&mut self, at: Duration, bytes: &[u8]) {
        let events = match self.decoder.take() {
            None => self.split(bytes),
            Some(mut decoder) => {
                // Content that cannot be decoded brings no event, which is said of it.
                let decoded = decoder.write_all(bytes).and_then(|()| decoder.flush());
                let plain = decoded.map_or_else(|_| Vec::new(), |()| std::mem::take(decoder.get_mut()));
                self.decoder = Some(decoder);
                self.split(&plain)
            }
        };
        let cuts = !self.line.is_empty() || self.has_data;
        match self.arrivals.last_mut().filter(|last| at.saturating_sub(last.last) < TOGETHER) {
            Some(last) => {
                let (bytes, events) = (last.bytes + bytes.len(), last.events + events);
                *last = Arrival { last: at, bytes, events, cuts, ..*last };
            }
            None => self.arrivals.push(Arrival { at, last: at, bytes: bytes.len(), events, cuts }),
        }
    }

    /// How many events these bytes end.
    fn split(&mut self, bytes: &[u8]) -> usize {
        let mut events = 0;
        for &byte in bytes {
            match (byte, self.separation) {
                (b'\r', _) => {}
                (b'\n', Separation::Blank) if self.line.is_empty() => {
                    events += usize::from(std::mem::take(&mut self.has_data));
                }
                (b'\n', Separation::Blank) => {
                    self.has_data |= self.line.starts_with(b"data");
                    self.line.clear();
                }
                (b'\n', Separation::Line) => {
                    events += usize::from(!self.line.is_empty());
                    self.line.clear();
                }
                (byte, _) if self.line.len() < FIELD => self.line.push(byte),
                _ => {}
            }
        }
        events
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

    #[test]
    fn comments_heartbeats_and_an_opening_are_no_events() {
        let mut heard = Heard::new(Separation::Blank, false);
        heard.take(MS(0), b"retry: 1000\nid: a-0\n\n");
        heard.take(MS(100), b":\n\n");
        heard.take(MS(200), b"id: a-1\r\ndata: 1\r\n\r\n");
        assert_eq!((heard.events(), heard.bringing().count(), heard.buffer()), (1, 1, None));
        let mut heard = Heard::new(Separation::Line, false);
        heard.take(MS(0), b"\n");
        heard.take(MS(100), b"{}\n{}\n");
        assert_eq!((heard.events(), heard.arrivals.len()), (2, 2));
    }

    #[test]
    fn a_buffer_shows_by_the_events_that_it_cuts() {
        let text = b"data: 0123456789\n\n".repeat(100);
        let mut heard = Heard::new(Separation::Blank, false);
        for (number, piece) in (0..).zip(text.chunks(512)) {
            heard.take(MS(100 * number), piece);
        }
        assert_eq!((heard.events(), heard.buffer()), (100, Some((512, 3))), "the fourth ends where the stream does");
        let mut network = Heard::new(Separation::Blank, false);
        for number in 0..10 {
            network.take(MS(1_000 * number), b"data: one event in two");
            network.take(MS(1_000 * number + 50), b" segments\n\n");
        }
        assert_eq!((network.events(), network.buffer()), (10, None));
    }

    #[test]
    fn what_is_flushed_is_decoded_at_once() {
        let (mut heard, mut encoder) =
            (Heard::new(Separation::Line, true), GzEncoder::new(Vec::new(), Compression::fast()));
        for number in 0..5 {
            encoder.write_all(b"{\"n\":1}\n").unwrap();
            encoder.flush().unwrap();
            heard.take(MS(100 * number), &std::mem::take(encoder.get_mut()));
        }
        assert_eq!((heard.events(), heard.bringing().count()), (5, 5));
    }

    #[test]
    fn silence_is_measured_to_the_end_and_from_where_it_is_asked() {
        let mut heard = Heard::new(Separation::Line, false);
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
            let mut heard = Heard::new(Separation::Blank, false);
            for piece in stream.as_bytes().chunks(cut) {
                heard.take(MS(0), piece);
            }
            prop_assert_eq!(heard.events(), texts.len());
        }
    }
}
