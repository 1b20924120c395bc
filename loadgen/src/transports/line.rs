//! The JSON lines of polling, HTTP streaming, WebSocket and raw TCP, and what separates them.
//!
//! Source: the wire contract in `docs/TRANSPORTS.md`; JSON is RFC 8259.

use bytes::{Buf, Bytes, BytesMut};
use pushoff_model::Cursor;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What one line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// `{"open":"CURSOR"}`: the stream is open.
    Open(Cursor),
    /// `{"id":"CURSOR","data":PAYLOAD}`: a message.
    Message {
        /// Its place in the log.
        cursor: Cursor,
        /// The published JSON text.
        payload: &'a str,
    },
    /// `{"missed":N}`: so many were missed; `None` where the server cannot know.
    Missed(Option<u64>),
    /// An empty line.
    Heartbeat,
}

#[derive(Deserialize)]
struct Fields<'a> {
    id: Option<Cursor>,
    #[serde(borrow, default, deserialize_with = "raw")]
    data: Option<&'a RawValue>,
    open: Option<Cursor>,
    #[serde(default, deserialize_with = "present")]
    missed: Option<Option<u64>>,
}

/// Tells a `null` that is there from a field that is not.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A payload of `null` is a payload.
fn raw<'de: 'a, 'a, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

/// Reads one line, without its line break.
///
/// # Errors
/// When the line is not of the wire contract.
pub fn parse(line: &[u8]) -> Result<Line<'_>, serde_json::Error> {
    if line.trim_ascii().is_empty() {
        return Ok(Line::Heartbeat);
    }
    match serde_json::from_slice(line)? {
        Fields { id: Some(cursor), data: Some(data), .. } => Ok(Line::Message { cursor, payload: data.get() }),
        Fields { missed: Some(count), .. } => Ok(Line::Missed(count)),
        Fields { open: Some(cursor), .. } => Ok(Line::Open(cursor)),
        Fields { .. } => Err(serde::de::Error::custom("neither a message, nor a notice, nor an opening")),
    }
}

/// Reads one line as [`parse`] does, and takes a message's payload for the JSON text that a server
/// of the wire contract has checked: what stands between `"data":` and the last brace.
///
/// # Errors
/// When the line is not of the wire contract.
pub fn parse_trusted(line: &[u8]) -> Result<Line<'_>, serde_json::Error> {
    match message(line) {
        Some((cursor, payload)) => Ok(Line::Message { cursor, payload }),
        None => parse(line),
    }
}

/// A message that is written exactly as the contract writes it.
fn message(line: &[u8]) -> Option<(Cursor, &str)> {
    let rest = line.strip_prefix(br#"{"id":""#)?;
    let (cursor, rest) = rest.split_at_checked(memchr::memchr(b'"', rest)?)?;
    let payload = rest.strip_prefix(br#"","data":"#)?.strip_suffix(b"}")?;
    let cursor = std::str::from_utf8(cursor).ok()?.parse().ok()?;
    Some((cursor, std::str::from_utf8(payload).ok().filter(|payload| !payload.is_empty())?))
}

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

    /// Whether a line has begun that is not whole.
    #[must_use]
    pub fn is_mid_line(&self) -> bool {
        !self.begun.is_empty() || !self.chunk.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pushoff_model::Epoch;

    use super::*;

    const CURSOR: Cursor = Cursor { epoch: Epoch(0x5f3a_9c21), sequence: 42 };

    #[test]
    fn every_line_of_the_contract_is_read() {
        let message = |payload| Line::Message { cursor: CURSOR, payload };
        let fixtures = [
            (r#"{"id":"5f3a9c21-42","data":{"a": [1, null]}}"#, message(r#"{"a": [1, null]}"#)),
            (r#"{"id":"5f3a9c21-42","data":null}"#, message("null")),
            (r#"{ "data" : " }, " , "id" : "5f3a9c21-42" }"#, message(r#"" }, ""#)),
            (r#"{"open":"5f3a9c21-42"}"#, Line::Open(CURSOR)),
            (r#"{"missed":7}"#, Line::Missed(Some(7))),
            (r#"{"missed":null}"#, Line::Missed(None)),
            ("", Line::Heartbeat),
        ];
        for (text, line) in fixtures {
            assert_eq!(parse(text.as_bytes()).unwrap(), line, "{text}");
            assert_eq!(parse_trusted(text.as_bytes()).unwrap(), line, "{text}");
        }
    }

    #[test]
    fn other_lines_are_refused() {
        for wrong in ["{}", "[]", "x", r#"{"id":"5f3a9c21-42"}"#, r#"{"id":"42","data":1}"#, r#"{"missed":-1}"#] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong}");
            assert!(parse_trusted(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

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

        #[test]
        fn no_bytes_make_the_parser_panic(bytes: Vec<u8>) {
            drop(parse(&bytes));
            drop(parse_trusted(&bytes));
        }

        #[test]
        fn a_server_that_is_trusted_is_read_no_differently(epoch: u32, sequence: u64, strings: Vec<String>, indent: bool) {
            let cursor = Cursor { epoch: Epoch(epoch), sequence };
            let payload =
                if indent { serde_json::to_string_pretty(&strings) } else { serde_json::to_string(&strings) }.unwrap();
            let line = format!("{{\"id\":\"{cursor}\",\"data\":{payload}}}");
            prop_assert_eq!(message(line.as_bytes()), Some((cursor, payload.as_str())));
            prop_assert_eq!(parse_trusted(line.as_bytes()).unwrap(), parse(line.as_bytes()).unwrap());
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
