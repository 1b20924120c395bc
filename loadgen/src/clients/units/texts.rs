//! Cuts a stream of bytes into JSON texts, one after another, with white space or nothing between.
//!
//! Only brackets and quotes are looked at: whether a piece is JSON is for its reader to say.
//! Source: RFC 8259.

use bytes::{Buf, Bytes, BytesMut};

/// JSON texts out of bytes, wherever the reads happened to end.
#[derive(Debug, Default)]
pub(crate) struct TextBuffer {
    /// What is not handed out.
    bytes: BytesMut,
    /// How far it has been looked at, from the start of a text.
    at: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl TextBuffer {
    /// Adds what was read.
    pub(crate) fn extend(&mut self, chunk: &[u8]) {
        self.bytes.extend_from_slice(chunk);
    }

    /// Takes the next whole text. A number or a name is whole when something follows it.
    pub(crate) fn next_text(&mut self) -> Option<Bytes> {
        while let Some(&byte) = self.bytes.get(self.at) {
            let begun = self.at > 0;
            if self.in_string {
                self.at += 1;
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _inside => {}
                }
                if !self.in_string && self.depth == 0 {
                    return Some(self.take());
                }
                continue;
            }
            match byte {
                b'{' | b'[' | b'"' if begun && self.depth == 0 => return Some(self.take()),
                b' ' | b'\t' | b'\r' | b'\n' if begun && self.depth == 0 => return Some(self.take()),
                b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => {
                    self.bytes.advance(1);
                    continue;
                }
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _other => {}
            }
            self.at += 1;
            if matches!(byte, b'}' | b']') && self.depth == 0 {
                return Some(self.take());
            }
        }
        None
    }

    /// What is left when no more will come; `None` where that is nothing.
    pub(crate) fn rest(&mut self) -> Option<Bytes> {
        self.at = self.bytes.len();
        Some(self.take()).filter(|rest| !rest.is_empty())
    }

    /// How long the text is that has begun and is not whole.
    pub(crate) const fn begun(&self) -> usize {
        self.at
    }

    /// Whether a text has begun that is not whole.
    pub(crate) fn is_mid_text(&self) -> bool {
        self.at > 0
    }

    fn take(&mut self) -> Bytes {
        let text = self.bytes.split_to(self.at).freeze();
        *self = Self { bytes: std::mem::take(&mut self.bytes), ..Self::default() };
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(bytes: &[u8], cuts: &[usize]) -> Vec<String> {
        let (mut buffer, mut out, mut rest) = (TextBuffer::default(), Vec::new(), bytes);
        for cut in cuts.iter().cycle() {
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            buffer.extend(piece);
            out.extend(std::iter::from_fn(|| buffer.next_text()));
            rest = after;
            if rest.is_empty() {
                out.extend(buffer.rest());
                break;
            }
        }
        out.into_iter().map(|text| String::from_utf8_lossy(&text).into_owned()).collect()
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
    fn what_breaks_off_is_told_from_what_ended() {
        for (text, is_mid_text) in [("", false), ("{} \n", false), ("{", true), ("{}1", true)] {
            let mut buffer = TextBuffer::default();
            buffer.extend(text.as_bytes());
            while buffer.next_text().is_some() {}
            assert_eq!(buffer.is_mid_text(), is_mid_text, "{text}");
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
