//! A parser of event streams. Source: WHATWG HTML §9.2.5 and §9.2.6.
//!
//! It ignores `retry:`, because all transports share one back-off, and it keeps no last ID, because every message of
//! the protocol carries its own.

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event<'e> {
    /// Its type; empty means `message`.
    pub(crate) name: &'e [u8],
    /// Its data lines, joined with LF.
    pub(crate) data: &'e [u8],
    /// Its own ID.
    pub(crate) id: Option<&'e [u8]>,
}

/// Cuts bytes into events, wherever the reads ended.
#[derive(Debug, Default)]
pub(crate) struct EventStream {
    /// The start of a line, from earlier reads.
    begun: Vec<u8>,
    /// A following LF belongs to the previous line break.
    after_cr: bool,
    /// Whether the first line was read: only that one may begin with a byte order mark.
    in_text: bool,
    event: Fields,
    /// Whether `event` is complete and was handed out.
    is_out: bool,
}

/// The fields of the next event. Their buffers are reused.
#[derive(Debug, Default)]
struct Fields {
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    id: Vec<u8>,
    has_id: bool,
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

impl EventStream {
    /// Takes the next whole event out of these bytes.
    pub(crate) fn next(&mut self, bytes: &mut &[u8]) -> Option<Event<'_>> {
        if std::mem::take(&mut self.is_out) {
            self.event.clear();
        }
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                *bytes = &bytes[1..];
                continue;
            }
            let end = memchr::memchr2(b'\n', b'\r', bytes);
            let (line, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            *bytes = rest.get(1..).unwrap_or_default();
            if end.is_none() {
                self.begun.extend_from_slice(line);
                return None;
            }
            self.after_cr = rest.starts_with(b"\r");
            if self.ends_event(line) {
                self.is_out = true;
                return Some(self.event.lend());
            }
        }
        None
    }

    /// Adds a line; whether it is the empty line that ends an event.
    fn ends_event(&mut self, line: &[u8]) -> bool {
        let mut begun = std::mem::take(&mut self.begun);
        let mut line = line;
        if !begun.is_empty() {
            begun.extend_from_slice(line);
            line = &begun;
        }
        if !std::mem::replace(&mut self.in_text, true) {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        let is_end = line.is_empty() && self.event.has_data;
        if line.is_empty() && !is_end {
            self.event.clear();
        }
        self.event.enter(line);
        begun.clear();
        self.begun = begun;
        is_end
    }

    /// How many bytes of an incomplete event there are.
    pub(crate) const fn begun(&self) -> usize {
        let Fields { name, data, id, .. } = &self.event;
        self.begun.len() + name.len() + data.len() + id.len()
    }

    /// Whether an event is incomplete.
    pub(crate) const fn is_mid_event(&self) -> bool {
        (self.event.has_data && !self.is_out) || !self.begun.is_empty()
    }
}

impl Fields {
    fn lend(&self) -> Event<'_> {
        Event { name: &self.name, data: &self.data, id: self.has_id.then_some(&self.id) }
    }

    fn clear(&mut self) {
        (self.has_data, self.has_id) = (false, false);
        for field in [&mut self.name, &mut self.data, &mut self.id] {
            field.clear();
        }
    }

    fn enter(&mut self, line: &[u8]) {
        let (name, value) = match memchr::memchr(b':', line) {
            Some(colon) => {
                let value = &line[colon + 1..];
                (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &[][..]),
        };
        match name {
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            b"id" if memchr::memchr(0, value).is_none() => {
                self.has_id = true;
                self.id.clear();
                self.id.extend_from_slice(value);
            }
            b"event" => {
                self.name.clear();
                self.name.extend_from_slice(value);
            }
            // A comment has an empty name; the standard ignores other names.
            _other => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An event's type, data and ID.
    type Owned = (String, String, Option<String>);

    fn event(name: &str, data: &str, id: Option<&str>) -> Owned {
        (name.into(), data.into(), id.map(str::to_owned))
    }

    /// The events of a text that comes in pieces of these lengths.
    fn events(text: &str, cuts: &[usize]) -> Vec<Owned> {
        let owned = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (mut stream, mut out) = (EventStream::default(), Vec::new());
        let mut rest = text.as_bytes();
        for cut in cuts.iter().cycle() {
            let (mut piece, after) = rest.split_at((*cut).min(rest.len()));
            while let Some(event) = stream.next(&mut piece) {
                out.push((owned(event.name), owned(event.data), event.id.map(owned)));
            }
            rest = after;
            if rest.is_empty() {
                return out;
            }
        }
        out
    }

    /// The standard's own examples (§9.2.6), and lines of pushoff's protocol.
    #[test]
    fn the_standards_examples_are_read_as_it_says() {
        let fixtures: [(&str, Vec<Owned>); 8] = [
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
    fn an_event_that_breaks_off_is_told_from_one_that_ended() {
        for (text, is_mid_event) in [("", false), ("data: x\n\n", false), ("data: x\n", true), ("id", true)] {
            let mut stream = EventStream::default();
            let mut bytes = text.as_bytes();
            while stream.next(&mut bytes).is_some() {}
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
