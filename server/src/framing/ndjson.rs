//! NDJSON: a JSON text a line, for both kinds of polling and for HTTP streaming.
//!
//! A line has no line break inside: one in the published JSON, where it is white space, becomes a space.
//! Source: the NDJSON specification, media type `application/x-ndjson`.

use pushoff_model::Cursor;

use super::envelope::{CursorText, envelope, lines, missed_object, open_object};

/// The heartbeat of an idle stream: an empty line.
pub const HEARTBEAT: &[u8] = b"\n";

/// Appends `{"id":"CURSOR","data":PAYLOAD}` and a line break.
pub fn message(out: &mut Vec<u8>, cursor: Cursor, payload: &[u8]) {
    let cursor = CursorText::new(cursor);
    let mut lines = lines(payload);
    let first = lines.next().unwrap_or_default();
    if first.len() == payload.len() {
        envelope(out, cursor, payload);
    } else {
        let joined = lines.fold(first.to_vec(), |mut joined, line| {
            joined.push(b' ');
            joined.extend_from_slice(line);
            joined
        });
        envelope(out, cursor, &joined);
    }
    out.push(b'\n');
}

/// Appends `{"missed":N}` and a line break.
pub fn missed(out: &mut Vec<u8>, count: Option<u64>, cursor: Cursor) {
    out.extend_from_slice(missed_object(count, cursor).as_bytes());
    out.push(b'\n');
}

/// The first line of a stream: its first cursor.
#[must_use]
pub fn opening(cursor: Cursor) -> Vec<u8> {
    (open_object(cursor) + "\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pushoff_model::Epoch;

    use super::*;

    const CURSOR: Cursor = Cursor { epoch: Epoch(0x5f3a_9c21), sequence: 42 };

    fn encoded(payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        message(&mut out, CURSOR, payload);
        out
    }

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(encoded(b"[1, 2]"), b"{\"id\":\"5f3a9c21-42\",\"data\":[1, 2]}\n");
    }

    #[test]
    fn a_line_break_in_the_payload_becomes_a_space() {
        assert_eq!(encoded(b"{\n\"a\":\r\n1\r}"), b"{\"id\":\"5f3a9c21-42\",\"data\":{ \"a\": 1 }}\n");
    }

    #[test]
    fn notices_are_lines_too() {
        let mut out = Vec::new();
        missed(&mut out, Some(7), CURSOR);
        missed(&mut out, None, CURSOR);
        let [seven, unknown] = ["7", "null"].map(|count| format!("{{\"missed\":{count},\"id\":\"5f3a9c21-42\"}}\n"));
        assert_eq!(out, (seven + &unknown).as_bytes());
        assert_eq!(opening(CURSOR), b"{\"open\":\"5f3a9c21-42\"}\n");
    }

    proptest! {
        #[test]
        fn decoding_a_line_gives_the_value_that_was_published(
            strings in proptest::collection::vec(any::<String>(), 0..4), indent: bool,
        ) {
            let value = serde_json::json!({ "strings": strings });
            let payload =
                if indent { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
            let line = encoded(&payload);
            prop_assert_eq!(line.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count(), 1);
            let decoded: serde_json::Value = serde_json::from_slice(&line).unwrap();
            prop_assert_eq!(&decoded["data"], &value);
            prop_assert_eq!(&decoded["id"], "5f3a9c21-42");
        }
    }
}
