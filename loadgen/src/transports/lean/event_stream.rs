//! A parser of event streams. Source: WHATWG HTML §9.2.5 and §9.2.6.
//!
//! It leaves two things to others: what a `retry:` asks for, because every transport waits in the
//! same way here, and the last ID of the stream, because every message of the contract has its own.

use bytes::{Buf, Bytes, BytesMut};

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// Its type; empty where it has none, which means `message`.
    pub(super) name: Bytes,
    /// Its data lines, joined with LF.
    pub(super) data: Bytes,
    /// Its own ID.
    pub(super) id: Option<Bytes>,
}

/// Events out of bytes, wherever the reads happened to end. What lies whole in what was read at
/// once is not copied.
#[derive(Debug, Default)]
pub(super) struct EventStream {
    lines: Lines,
    name: Bytes,
    data: Option<Bytes>,
    id: Option<Bytes>,
}

impl EventStream {
    /// Adds what was read. All events of what was read before must have been taken.
    pub(super) fn extend(&mut self, chunk: &Bytes) {
        self.lines.extend(chunk);
    }

    /// Takes the next whole event.
    pub(super) fn next_event(&mut self) -> Option<Event> {
        while let Some(line) = self.lines.next_line() {
            if !line.is_empty() {
                self.field(&line);
                continue;
            }
            let (name, id) = (std::mem::take(&mut self.name), self.id.take());
            if let Some(data) = self.data.take() {
                return Some(Event { name, data, id });
            }
        }
        None
    }

    /// Whether an event has begun that is not whole.
    pub(super) fn is_mid_event(&self) -> bool {
        self.data.is_some() || self.lines.is_mid_line()
    }

    fn field(&mut self, line: &Bytes) {
        let (name, value) = match memchr::memchr(b':', line) {
            Some(colon) => {
                let value = colon + 1 + usize::from(line.get(colon + 1) == Some(&b' '));
                (&line[..colon], line.slice(value..))
            }
            None => (&line[..], Bytes::new()),
        };
        match name {
            b"data" => {
                self.data = Some(match self.data.take() {
                    Some(before) => [&before[..], b"\n", &value].concat().into(),
                    None => value,
                });
            }
            b"id" if memchr::memchr(0, &value).is_none() => self.id = Some(value),
            b"event" => self.name = value,
            // A comment has no name; others are ignored by the standard.
            _other => {}
        }
    }
}

/// Lines that end in LF, CR LF or CR.
#[derive(Debug, Default)]
struct Lines {
    begun: BytesMut,
    chunk: Bytes,
    /// An LF that comes next belongs to the line before.
    after_cr: bool,
    /// Whether the byte order mark that may stand first can come no more.
    in_text: bool,
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

impl Lines {
    fn extend(&mut self, chunk: &Bytes) {
        self.begun.extend_from_slice(&self.chunk);
        self.chunk = chunk.clone();
    }

    fn next_line(&mut self) -> Option<Bytes> {
        if self.after_cr && !self.chunk.is_empty() {
            self.after_cr = false;
            if self.chunk[0] == b'\n' {
                self.chunk.advance(1);
            }
        }
        let Some(length) = memchr::memchr2(b'\n', b'\r', &self.chunk) else {
            self.begun.extend_from_slice(&self.chunk);
            self.chunk.clear();
            return None;
        };
        self.after_cr = self.chunk[length] == b'\r';
        let mut line = self.chunk.split_to(length);
        self.chunk.advance(1);
        if !self.begun.is_empty() {
            self.begun.extend_from_slice(&line);
            line = self.begun.split().freeze();
        }
        if !self.in_text && line.starts_with(BYTE_ORDER_MARK) {
            line.advance(BYTE_ORDER_MARK.len());
        }
        self.in_text = true;
        Some(line)
    }

    fn is_mid_line(&self) -> bool {
        !self.begun.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(name: &str, data: &str, id: Option<&str>) -> Event {
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        Event { name: bytes(name), data: bytes(data), id: id.map(bytes) }
    }

    /// The events of a text that comes in pieces of these lengths, in turn.
    fn events(text: &str, cuts: &[usize]) -> Vec<Event> {
        let (mut stream, mut out) = (EventStream::default(), Vec::new());
        let mut rest = Bytes::copy_from_slice(text.as_bytes());
        for cut in cuts.iter().cycle() {
            stream.extend(&rest.split_to((*cut).min(rest.len())));
            out.extend(std::iter::from_fn(|| stream.next_event()));
            if rest.is_empty() {
                return out;
            }
        }
        out
    }

    /// What the standard's own examples mean (§9.2.6), and this contract's lines.
    #[test]
    fn the_standards_examples_are_read_as_it_says() {
        let fixtures: [(&str, Vec<Event>); 8] = [
            ("data: YHOO\ndata: +2\ndata: 10\n\n", vec![event("", "YHOO\n+2\n10", None)]),
            (
                ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
                vec![
                    event("", "first event", Some("1")),
                    event("", "second event", Some("")),
                    event("", " third event", None),
                ],
            ),
            ("data\n\ndata\ndata\n\ndata:", vec![event("", "", None), event("", "\n", None)]),
            ("data:test\n\ndata: test\n\n", vec![event("", "test", None), event("", "test", None)]),
            (
                "retry: 1000\nid: 5f3a9c21-0\n\n:\n\nid: 5f3a9c21-1\ndata: [1]\n\n",
                vec![event("", "[1]", Some("5f3a9c21-1"))],
            ),
            (
                "event: missed\ndata: 7\n\nevent: gone\n\ndata: 8\n\n",
                vec![event("missed", "7", None), event("", "8", None)],
            ),
            ("\u{feff}data: \u{feff}x\r\rdata: y\r\n\r\n", vec![event("", "\u{feff}x", None), event("", "y", None)]),
            ("id: a\0b\nDATA: x\ndata : y\ndata: z\n\n", vec![event("", "z", None)]),
        ];
        for (text, meant) in fixtures {
            for cuts in [&[usize::MAX][..], &[1], &[2, 3]] {
                assert_eq!(events(text, cuts), meant, "{text:?} cut {cuts:?}");
            }
        }
    }

    #[test]
    fn what_breaks_off_is_told_from_what_ended() {
        for (text, is_mid_event) in [("", false), ("data: x\n\n", false), ("data: x\n", true), ("id", true)] {
            let mut stream = EventStream::default();
            stream.extend(&Bytes::from_static(text.as_bytes()));
            while stream.next_event().is_some() {}
            assert_eq!(stream.is_mid_event(), is_mid_event, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn events_are_the_same_however_they_were_cut(
            text in "(\u{feff})?((data|id|event|retry|:|x)?(:| :|: )?[a-z: ]{0,5}(\n|\r|\r\n|\n\n|\r\r|\r\n\r\n)){0,12}",
            cuts in proptest::collection::vec(1_usize..9, 1..12),
        ) {
            prop_assert_eq!(events(&text, &cuts), events(&text, &[usize::MAX]));
        }

        #[test]
        fn what_is_written_is_read(
            written in proptest::collection::vec(("[a-z]{0,4}", "[a-z0-9-]{1,9}", "[ -~]{0,9}(\n[ -~]{0,9}){0,3}"), 0..6),
            line_break in prop_oneof![Just("\n"), Just("\r"), Just("\r\n")],
            cuts in proptest::collection::vec(1_usize..9, 1..12),
        ) {
            let text: String = written.iter().map(|(name, id, data)| {
                let data: String = data.split('\n').map(|line| format!("data: {line}{line_break}")).collect();
                format!("event: {name}{line_break}id: {id}{line_break}{data}{line_break}")
            }).collect();
            let meant: Vec<_> = written.iter().map(|(name, id, data)| event(name, data, Some(id))).collect();
            prop_assert_eq!(events(&text, &cuts), meant);
        }
    }
}
