//! Lines that end in LF or CR LF, as in NDJSON.

/// Takes the first whole line out of these bytes, without its line break.
pub(crate) fn split_line<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (line, rest) = bytes.split_at(memchr::memchr(b'\n', bytes)?);
    *bytes = &rest[1..];
    Some(without_cr(line))
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Cuts bytes into lines, wherever the reads ended. A line inside one read is not copied.
#[derive(Debug, Default)]
pub struct Lines {
    /// The start of a line, from earlier reads.
    begun: Vec<u8>,
    /// Whether that line is complete and was handed out.
    is_out: bool,
}

impl Lines {
    /// Takes the next whole line out of these bytes, without its line break.
    pub fn next<'s, 'b: 's>(&'s mut self, bytes: &mut &'b [u8]) -> Option<&'s [u8]> {
        if std::mem::take(&mut self.is_out) {
            self.begun.clear();
        }
        if self.begun.is_empty()
            && let Some(line) = split_line(bytes)
        {
            return Some(line);
        }
        let end = memchr::memchr(b'\n', bytes);
        let (line, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        self.begun.extend_from_slice(line);
        *bytes = rest.get(1..).unwrap_or_default();
        self.is_out = end.is_some();
        self.is_out.then(|| without_cr(&self.begun))
    }

    /// How many bytes of an incomplete line there are.
    pub(crate) const fn begun(&self) -> usize {
        if self.is_out { 0 } else { self.begun.len() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_come_out_whole_wherever_they_were_cut(
            lines in proptest::collection::vec("[a-z\r]{0,9}[a-z]", 0..20),
            ends in prop_oneof![Just("\n"), Just("\r\n")],
            cuts in proptest::collection::vec(1_usize..7, 1..20),
        ) {
            let whole: String = lines.iter().map(|line| format!("{line}{ends}")).collect();
            let (mut reader, mut out, mut rest) = (Lines::default(), Vec::new(), whole.as_bytes());
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let mut piece = rest.split_off(..(*cut).min(rest.len())).unwrap();
                while let Some(line) = reader.next(&mut piece) {
                    out.push(String::from_utf8(line.to_vec()).unwrap());
                }
            }
            prop_assert_eq!(out, lines);
            prop_assert_eq!(reader.begun(), 0);
        }
    }
}
