//! The event stream that a browser's `EventSource` reads.
//!
//! A payload keeps its bytes but for its line breaks, which become several `data:` lines: the
//! reader joins them with LF. Source: WHATWG HTML §9.2.5 and §9.2.6.

use std::time::Duration;

use pushoff_model::Cursor;

use super::envelope::{CursorText, lines, number_or_null};

/// The heartbeat of an idle stream: a comment.
pub const HEARTBEAT: &[u8] = b":\n\n";

/// Appends an event: `id:`, a `data:` line a line of the payload, a blank line.
pub fn message(out: &mut Vec<u8>, cursor: Cursor, payload: &[u8]) {
    out.extend_from_slice(b"id: ");
    out.extend_from_slice(CursorText::new(cursor).as_bytes());
    for line in lines(payload) {
        out.extend_from_slice(b"\ndata: ");
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b"\n\n");
}

/// Appends an event of type `missed`, with the cursor before the oldest kept message as its id.
pub fn missed(out: &mut Vec<u8>, count: Option<u64>, cursor: Cursor) {
    let count = number_or_null(count);
    out.extend_from_slice(format!("event: missed\nid: {cursor}\ndata: {count}\n\n").as_bytes());
}

/// The start of a stream: the reconnection time and the cursor. An `EventSource` dispatches no event without
/// data, but keeps its id.
#[must_use]
pub fn opening(retry: Duration, cursor: Cursor) -> Vec<u8> {
    format!("retry: {}\nid: {cursor}\n\n", retry.as_millis()).into_bytes()
}

/// The end of a stream whose reader is to come back: after that time. An event without data is not dispatched.
#[must_use]
pub fn farewell(retry: Duration) -> Vec<u8> {
    format!("retry: {}\n\n", retry.as_millis()).into_bytes()
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

    /// The interpretation of WHATWG HTML §9.2.6, for one event: last event id and data.
    fn interpret(stream: &str) -> (String, String) {
        let (mut id, mut data) = (String::new(), String::new());
        for line in stream.replace("\r\n", "\n").replace('\r', "\n").split('\n') {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "id" => value.clone_into(&mut id),
                "data" => data.extend([value, "\n"]),
                _ => {}
            }
        }
        data.pop();
        (id, data)
    }

    #[test]
    fn a_message_is_an_id_its_data_and_a_blank_line() {
        assert_eq!(encoded(b"{\"a\": 1}"), b"id: 5f3a9c21-42\ndata: {\"a\": 1}\n\n");
    }

    #[test]
    fn every_line_break_begins_another_data_line() {
        assert_eq!(encoded(b"[\n 1,\r\n2\r]"), b"id: 5f3a9c21-42\ndata: [\ndata:  1,\ndata: 2\ndata: ]\n\n");
    }

    #[test]
    fn the_opening_sets_retry_and_last_event_id() {
        assert_eq!(opening(Duration::from_secs(1), CURSOR), b"retry: 1000\nid: 5f3a9c21-42\n\n");
    }

    #[test]
    fn the_end_sets_retry_and_dispatches_nothing() {
        assert_eq!(farewell(Duration::from_millis(1234)), b"retry: 1234\n\n");
    }

    #[test]
    fn a_missed_notice_is_a_named_event() {
        let mut out = Vec::new();
        missed(&mut out, Some(7), CURSOR);
        missed(&mut out, None, CURSOR);
        let [seven, unknown] = ["7", "null"].map(|count| format!("event: missed\nid: 5f3a9c21-42\ndata: {count}\n\n"));
        assert_eq!(out, (seven + &unknown).as_bytes());
    }

    proptest! {
        #[test]
        fn a_browser_reads_the_published_bytes_with_lf_for_line_breaks(payload in "[ a-z:\\n\\r]{1,40}") {
            let (id, data) = interpret(&String::from_utf8(encoded(payload.as_bytes())).unwrap());
            prop_assert_eq!(id, "5f3a9c21-42");
            prop_assert_eq!(data, payload.replace("\r\n", "\n").replace('\r', "\n"));
        }
    }
}
