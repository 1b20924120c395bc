//! Cuts bytes into JSON texts, with white space or nothing between them.
//!
//! Only brackets and quotes are tracked; the reader of a text checks whether it is valid JSON. Source: RFC 8259.

/// Cuts bytes into JSON texts, wherever the reads ended. A text inside one read is not copied.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    /// The start of a text, from earlier reads.
    begun: Vec<u8>,
    /// Whether that text is complete and was handed out.
    is_out: bool,
    at: Position,
}

/// The state of the scan at the next byte.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

/// How a byte belongs to a text.
enum Byte {
    /// White space before a text.
    Before,
    Inside,
    Last,
    /// The first byte after the text.
    After,
}

impl Texts {
    /// Takes the next whole text out of these bytes. A number or a name is whole when another byte follows it.
    pub(crate) fn next<'s, 'b: 's>(&'s mut self, bytes: &mut &'b [u8]) -> Option<&'s [u8]> {
        if std::mem::take(&mut self.is_out) {
            self.begun.clear();
        }
        let mut start = 0;
        for (index, &byte) in bytes.iter().enumerate() {
            let has_begun = index > start || !self.begun.is_empty();
            match self.at.byte(byte, has_begun) {
                Byte::Before => start = index + 1,
                Byte::Inside => {}
                Byte::Last => return Some(self.cut(bytes, start, index + 1)),
                Byte::After => return Some(self.cut(bytes, start, index)),
            }
        }
        self.begun.extend_from_slice(&bytes[start..]);
        *bytes = &[];
        None
    }

    /// The last text, when no more bytes will come; `None` where there is none.
    pub(crate) fn rest(&mut self) -> Option<&[u8]> {
        if self.begun() == 0 {
            return None;
        }
        self.is_out = true;
        Some(&self.begun)
    }

    /// How many bytes of an incomplete text there are.
    pub(crate) const fn begun(&self) -> usize {
        if self.is_out { 0 } else { self.begun.len() }
    }

    fn cut<'s, 'b: 's>(&'s mut self, bytes: &mut &'b [u8], start: usize, end: usize) -> &'s [u8] {
        let (text, rest) = bytes.split_at(end);
        (*bytes, self.at) = (rest, Position::default());
        if self.begun.is_empty() {
            return &text[start..];
        }
        self.begun.extend_from_slice(text);
        self.is_out = true;
        &self.begun
    }
}

impl Position {
    fn byte(&mut self, byte: u8, has_begun: bool) -> Byte {
        if self.in_string {
            let is_end = byte == b'"' && !self.escaped;
            self.escaped = byte == b'\\' && !self.escaped;
            self.in_string = !is_end;
            return if is_end && self.depth == 0 { Byte::Last } else { Byte::Inside };
        }
        match byte {
            b'{' | b'[' | b'"' if has_begun && self.depth == 0 => return Byte::After,
            b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => {
                return if has_begun { Byte::After } else { Byte::Before };
            }
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return if self.depth == 0 { Byte::Last } else { Byte::Inside };
            }
            _other => {}
        }
        Byte::Inside
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(bytes: &[u8], cuts: &[usize]) -> Vec<String> {
        let (mut texts, mut out, mut rest) = (Texts::default(), Vec::new(), bytes);
        let owned = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        for cut in cuts.iter().cycle() {
            let (mut piece, after) = rest.split_at((*cut).min(rest.len()));
            while let Some(text) = texts.next(&mut piece) {
                out.push(owned(text));
            }
            rest = after;
            if rest.is_empty() {
                out.extend(texts.rest().map(owned));
                break;
            }
        }
        out
    }

    #[test]
    fn texts_are_parted_where_nothing_stands_between() {
        let stream = br#"{"a":"}{\"\\"}[1,[2]]"x y"12 null{"b":{}}  7"#;
        let parted = [r#"{"a":"}{\"\\"}"#, "[1,[2]]", "\"x y\"", "12", "null", r#"{"b":{}}"#, "7"];
        for cuts in [&[usize::MAX][..], &[1], &[3, 2]] {
            assert_eq!(texts(stream, cuts), parted, "{cuts:?}");
        }
    }

    #[test]
    fn a_text_that_breaks_off_is_told_from_one_that_ended() {
        for (text, begun) in [("", 0), ("{} \n", 0), ("{", 1), ("{}1", 1)] {
            let (mut texts, mut bytes) = (Texts::default(), text.as_bytes());
            while texts.next(&mut bytes).is_some() {}
            assert_eq!(texts.begun(), begun, "{text}");
        }
    }

    proptest! {
        #[test]
        fn texts_are_the_same_however_they_were_cut(
            bytes: Vec<u8>,
            cuts in proptest::collection::vec(1_usize..7, 1..12),
        ) {
            prop_assert_eq!(texts(&bytes, &cuts), texts(&bytes, &[usize::MAX]));
        }

        #[test]
        fn what_is_written_is_read(
            strings in proptest::collection::vec(".{0,9}", 0..9),
            between in "[ \n]{0,2}",
            cuts in proptest::collection::vec(1_usize..7, 1..12),
        ) {
            let written: Vec<_> =
                strings.iter().map(|text| serde_json::json!({ "a": [text, { text: text }] }).to_string()).collect();
            let stream: String = written.iter().map(|text| text.clone() + &between).collect();
            prop_assert_eq!(texts(stream.as_bytes(), &cuts), written);
        }
    }
}
