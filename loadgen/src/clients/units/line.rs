//! Lines, and what separates them: LF or CR LF, as in NDJSON.

use bytes::{Buf, Bytes, BytesMut};

/// Cuts a stream of bytes into lines, wherever the reads happened to end. A line that lies whole
/// in what was read at once is not copied.
#[derive(Debug, Default)]
pub struct LineBuffer {
    /// A line that has begun in what was read before.
    begun: BytesMut,
    /// What was read last, as far as it is not handed out.
    chunk: Bytes,
}

impl LineBuffer {
    /// Adds what was read.
    pub fn extend(&mut self, chunk: &Bytes) {
        if self.chunk.is_empty() {
            self.chunk = chunk.clone();
        } else {
            self.chunk = [&self.chunk[..], chunk].concat().into();
        }
    }

    /// Takes the next whole line, without its LF or CR LF.
    pub fn next_line(&mut self) -> Option<Bytes> {
        let Some(length) = memchr::memchr(b'\n', &self.chunk) else {
            self.begun.extend_from_slice(&self.chunk);
            self.chunk.clear();
            return None;
        };
        let mut line = self.chunk.split_to(length);
        self.chunk.advance(1);
        if !self.begun.is_empty() {
            self.begun.extend_from_slice(&line);
            line = self.begun.split().freeze();
        }
        if line.ends_with(b"\r") {
            line.truncate(line.len() - 1);
        }
        Some(line)
    }

    /// How long the line is that has begun and is not whole.
    #[must_use]
    pub fn begun(&self) -> usize {
        self.begun.len()
    }

    /// Whether a line has begun that is not whole.
    #[must_use]
    pub fn is_mid_line(&self) -> bool {
        !self.begun.is_empty() || !self.chunk.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_come_out_whole_however_they_were_cut(
            lines in proptest::collection::vec("[a-z\r]{0,9}[a-z]", 0..20),
            cuts in proptest::collection::vec(1_usize..7, 1..20),
        ) {
            let whole: Bytes = lines.iter().map(|line| format!("{line}\n")).collect::<String>().into();
            let (mut buffer, mut out, mut rest) = (LineBuffer::default(), Vec::new(), whole);
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                buffer.extend(&rest.split_to((*cut).min(rest.len())));
                while let Some(line) = buffer.next_line() {
                    out.push(String::from_utf8(line.to_vec()).unwrap());
                }
            }
            prop_assert_eq!(out, lines);
            prop_assert!(!buffer.is_mid_line());
        }
    }

    #[test]
    fn a_carriage_return_belongs_to_the_line_break() {
        let mut buffer = LineBuffer::default();
        buffer.extend(&Bytes::from_static(b"one\r\ntwo"));
        assert_eq!(buffer.next_line().as_deref(), Some(&b"one"[..]));
        assert_eq!(buffer.next_line(), None);
        assert!(buffer.is_mid_line());
    }
}
