//! The envelope of a payload: publisher, index, times and checksum.
//!
//! Every payload is a JSON object that begins with its publisher, its index, when it was due, when it was sent, and a
//! checksum of these and of the body. The fields have a fixed width, padded with white space, so a message has the
//! same size for all stamps and transports.

use pushoff_model::RunInstant;
use pushoff_model::workload::Search;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::checksum::{high, of_bytes, of_value};
use super::text::append;
use crate::seeding::mix;

/// The bytes that the envelope adds to a body while every number fits its column: 60,000 publishers, 10^10 messages
/// of one publisher, 27 hours in nanoseconds.
pub(crate) const ENVELOPE_BYTES: usize = 97;

/// The publisher number of the greeting that each topic gets before the load begins. No publisher has it. It is wider
/// than its column, so a greeting is five bytes longer than another message with its body.
pub(crate) const GREETER: u32 = u32::MAX;
const _: () = assert!(GREETER > Search::MOST_SUBSCRIBERS, "a workload has no more publishers than subscribers");

/// The text before the body, and the checksum's column, counted back from its end.
const HEAD_BYTES: usize = ENVELOPE_BYTES - 1;
const SUM_BEFORE_BODY: std::ops::Range<usize> = 8..18;

/// The publisher, index and times of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The publisher's number, from 0, or [`GREETER`].
    pub(crate) publisher: u32,
    /// Its index among the publisher's messages, from 0.
    pub(crate) index: u64,
    /// When it was due.
    pub(crate) due: RunInstant,
    /// When the publisher handed it to its connection.
    pub(crate) sent: RunInstant,
}

/// A received payload of the generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) stamp: Stamp,
    /// Whether the checksum confirms stamp and body.
    pub(crate) is_whole: bool,
}

/// Appends the payload for this stamp and this body, which must be JSON. The checksum covers the body's bytes: for
/// servers that forward bytes unchanged, and for strings.
pub(crate) fn write(out: &mut String, stamp: &Stamp, body: impl FnOnce(&mut String)) {
    append_sealed(out, stamp, |body| Some(of_bytes(body)), body);
}

/// The same with a checksum of the body's value, for servers that may rewrite JSON.
pub(crate) fn write_by_value(out: &mut String, stamp: &Stamp, body: impl FnOnce(&mut String)) {
    append_sealed(out, stamp, |body| of_value(body, of_bytes(body)), body);
}

/// The same from a page's result: the payload's checksum without the body's part.
pub(crate) fn write_found(out: &mut String, stamp: &Stamp, found: u32) {
    append_sealed(out, stamp, |body| Some(of_bytes(body) ^ found ^ fold(stamp)), |body| body.push('0'));
}

fn append_sealed(
    out: &mut String,
    stamp: &Stamp,
    sum_of: impl FnOnce(&[u8]) -> Option<u32>,
    body: impl FnOnce(&mut String),
) {
    let Stamp { publisher, index, due, sent } = stamp;
    let (due, sent) = (due.as_nanos(), sent.as_nanos());
    append(
        out,
        format_args!(
            "{{\"from\":{publisher:>5},\"n\":{index:>10},\"due\":{due:>14},\"sent\":{sent:>14},\"sum\":{:>10},\"body\":",
            ""
        ),
    );
    let begin = out.len();
    body(out);
    let sum = sum_of(&out.as_bytes()[begin..]).unwrap_or_default() ^ fold(stamp);
    let column = begin - SUM_BEFORE_BODY.end..begin - SUM_BEFORE_BODY.start;
    out.replace_range(column, &format!("{sum:>10}"));
    out.push('}');
}

/// The stamp's part of the checksum.
fn fold(stamp: &Stamp) -> u32 {
    let Stamp { publisher, index, due, sent } = *stamp;
    let times =
        due.as_nanos().wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ sent.as_nanos().wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    let which = index.wrapping_mul(0x1656_67B1_9E37_79F9) ^ u64::from(publisher).wrapping_mul(0x27D4_EB2F_1656_67C5);
    high(mix(times ^ which))
}

/// Reads a payload; `None` if the generator did not send it.
///
/// The body is only checksummed, and parsed only if a server has rewritten the payload.
pub(crate) fn read(payload: &[u8]) -> Option<Received> {
    match in_columns(payload) {
        Some((sealed, body @ Some(_))) => Some(sealed.with(body)),
        Some((sealed, None)) => written_anew(payload).or_else(|| Some(sealed.with(None))),
        None => in_order(payload).or_else(|| written_anew(payload)),
    }
}

/// A stamp and its checksum.
#[derive(Clone, Copy, Debug)]
struct Sealed {
    stamp: Stamp,
    sum: u32,
}

impl Sealed {
    /// Checks the body, if one was found.
    fn with(self, body: Option<&[u8]>) -> Received {
        let expected = self.sum ^ fold(&self.stamp);
        let is_expected = |body| {
            let bytes = of_bytes(body);
            bytes == expected || of_value(body, bytes) == Some(expected)
        };
        Received { stamp: self.stamp, is_whole: body.is_some_and(is_expected) }
    }
}

/// Reads a stamp whose numbers stand in their columns; without a body if the payload does not end as it should.
fn in_columns(payload: &[u8]) -> Option<(Sealed, Option<&[u8]>)> {
    let (head, rest) = payload.split_first_chunk::<HEAD_BYTES>()?;
    let is_ours = head[..8] == *b"{\"from\":"
        && head[13..18] == *b",\"n\":"
        && head[28..35] == *b",\"due\":"
        && head[49..57] == *b",\"sent\":"
        && head[71..78] == *b",\"sum\":"
        && head[88..] == *b",\"body\":";
    is_ours.then_some(())?;
    let stamp = Stamp {
        publisher: u32::try_from(column(&head[8..13])?).ok()?,
        index: column(&head[18..28])?,
        due: RunInstant::from_nanos(column(&head[35..49])?),
        sent: RunInstant::from_nanos(column(&head[57..71])?),
    };
    let sum = u32::try_from(column(&head[78..88])?).ok()?;
    Some((Sealed { stamp, sum }, rest.strip_suffix(b"}")))
}

/// The number in a column of at most 14 characters: spaces, then digits.
fn column(text: &[u8]) -> Option<u64> {
    let (mut number, mut begun) = (0, false);
    for &byte in text {
        let digit = byte ^ b'0';
        if digit <= 9 {
            number = number * 10 + u64::from(digit);
            begun = true;
        } else if begun || byte != b' ' {
            return None;
        }
    }
    begun.then_some(number)
}

/// Reads a payload with our keys in our order and without spaces between them, as most JSON writers rewrite it. The
/// body is not parsed, so that a damaged one is still known for one of ours.
fn in_order(payload: &[u8]) -> Option<Received> {
    let (publisher, rest) = number(payload, b"{\"from\":")?;
    let (index, rest) = number(rest, b",\"n\":")?;
    let (due, rest) = number(rest, b",\"due\":")?;
    let (sent, rest) = number(rest, b",\"sent\":")?;
    let (sum, rest) = number(rest, b",\"sum\":")?;
    let body = rest.strip_prefix(b",\"body\":")?.strip_suffix(b"}")?;
    let [due, sent] = [due, sent].map(RunInstant::from_nanos);
    let stamp = Stamp { publisher: u32::try_from(publisher).ok()?, index, due, sent };
    Some(Sealed { stamp, sum: u32::try_from(sum).ok()? }.with(Some(body)))
}

/// The number after `key`, and the bytes after it.
fn number<'a>(text: &'a [u8], key: &[u8]) -> Option<(u64, &'a [u8])> {
    let text = text.strip_prefix(key)?.trim_ascii_start();
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    Some((std::str::from_utf8(number).ok()?.parse().ok()?, rest))
}

/// The envelope as any JSON writer may rewrite or shorten it.
#[derive(Deserialize)]
struct Envelope<'a> {
    from: u32,
    n: u64,
    due: u64,
    sent: u64,
    #[serde(default)]
    sum: Option<u32>,
    #[serde(default, borrow)]
    body: Option<&'a RawValue>,
}

#[cold]
fn written_anew(payload: &[u8]) -> Option<Received> {
    let Envelope { from, n, due, sent, sum, body } = serde_json::from_slice(payload).ok()?;
    let [due, sent] = [due, sent].map(RunInstant::from_nanos);
    let stamp = Stamp { publisher: from, index: n, due, sent };
    let body = body.filter(|_| sum.is_some()).map(|body| body.get().as_bytes());
    Some(Sealed { stamp, sum: sum.unwrap_or_default() }.with(body))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stamp(publisher: u32, index: u64, due: u64, sent: u64) -> Stamp {
        Stamp { publisher, index, due: RunInstant::from_nanos(due), sent: RunInstant::from_nanos(sent) }
    }

    fn written(stamp: &Stamp, body: &str) -> String {
        let mut text = String::new();
        write(&mut text, stamp, |out| out.push_str(body));
        text
    }

    fn by_value(stamp: &Stamp, body: &str) -> String {
        let mut text = String::new();
        write_by_value(&mut text, stamp, |out| out.push_str(body));
        text
    }

    fn whole(stamp: Stamp) -> Option<Received> {
        Some(Received { stamp, is_whole: true })
    }

    fn is_whole(payload: &str) -> Option<bool> {
        read(payload.as_bytes()).map(|it| it.is_whole)
    }

    #[test]
    fn a_payload_is_json_of_a_size_that_does_not_depend_on_its_stamps() {
        let early = written(&stamp(0, 0, 0, 1), "\"x\"");
        let late = written(&stamp(59_999, 9_999_999_999, 86_400_000_000_000, 99_999_999_999_999), "\"x\"");
        assert_eq!((early.len(), late.len()), (ENVELOPE_BYTES + 3, ENVELOPE_BYTES + 3));
        let json: serde_json::Value = serde_json::from_str(&late).unwrap();
        assert_eq!((&json["from"], &json["body"]), (&59_999.into(), &"x".into()));
    }

    #[test]
    fn an_altered_payload_is_not_whole() {
        let payload = written(&stamp(3, 7, 1_000, 2_000), r#"{"bid":1.50,"name":"PUSH"}"#);
        let other = written(&stamp(3, 8, 1_000, 2_000), r#"{"bid":1.75,"name":"PUSH"}"#);
        let body = |payload: &str| payload[payload.find("\"body\":").unwrap() + 7..].to_owned();
        assert_eq!(is_whole(&payload), Some(true));
        for (altered, how) in [
            (payload.replace(r#"{"bid":1.50,"name":"PUSH"}"#, "\"\""), "emptied"),
            (payload.replace("1.50", "1.51"), "another number"),
            (payload.replace("PUSH", "PUS"), "shortened"),
            (payload.replace("PUSH", "PUSH "), "lengthened"),
            (payload.replace(&body(&payload), &body(&other)), "another message's"),
            (payload.replace("\"due\":          1000", "\"due\":             1"), "due earlier"),
            (payload.replace("\"due\":          1000", "\"due\":1"), "due earlier, in fewer bytes"),
            (payload.replace("\"sent\":          2000", "\"sent\":          2001"), "sent later"),
            (payload.replace("\"n\":         7", "\"n\":         8"), "another index"),
            (payload.replace("\"from\":    3", "\"from\":    4"), "another publisher"),
            (payload.replace(&format!(",\"body\":{}", body(&payload)), "}"), "without its body"),
            (payload[..payload.len() - 3].to_owned(), "cut off"),
        ] {
            assert_ne!(altered, payload, "{how}");
            assert_eq!(is_whole(&altered), Some(false), "{how}: {altered}");
        }
        let unsealed = payload.replace("\"sum\"", "\"mus\"");
        assert_eq!(is_whole(&unsealed), Some(false));
    }

    #[test]
    fn a_shortened_payload_with_a_damaged_body_is_still_ours() {
        let payload = written(&stamp(1, 2, 3, 4), "{\"a\":1}").replace(' ', "");
        assert_eq!(read(payload.as_bytes()), whole(stamp(1, 2, 3, 4)));
        let damaged = payload.replace("{\"a\":1}", "{\"a\"x1}");
        assert!(serde_json::from_str::<serde_json::Value>(&damaged).is_err());
        assert_eq!(is_whole(&damaged), Some(false));
    }

    #[test]
    fn a_checksum_of_a_page_is_judged_like_a_received_payload() {
        let (stamp, mut text) = (stamp(1, 2, 3, 4), String::new());
        write_found(&mut text, &stamp, fold(&stamp));
        assert_eq!(read(text.as_bytes()), whole(stamp));
        text.clear();
        write_found(&mut text, &stamp, fold(&stamp) ^ 1);
        assert_eq!(is_whole(&text), Some(false));
    }

    proptest! {
        #[test]
        fn a_stamp_reads_back_as_it_was_written(publisher: u32, index: u64, due: u64, sent: u64) {
            let stamp = stamp(publisher, index, due, sent);
            prop_assert_eq!(read(written(&stamp, "[1]").as_bytes()), whole(stamp));
        }

        #[test]
        fn columns_are_read_as_any_number_is(publisher in 0_u32..60_000, index in 0_u64..10_000_000_000, due in 0_u64..100_000_000_000_000) {
            let stamp = stamp(publisher, index, due, due / 2);
            let payload = written(&stamp, "[1]");
            let (sealed, body) = in_columns(payload.as_bytes()).unwrap();
            prop_assert_eq!(Some(sealed.with(body)), whole(stamp));
            prop_assert_eq!(written_anew(payload.as_bytes()), whole(stamp));
            for column in [12, 27, 48, 70, 87] {
                let mut wrong = payload.clone().into_bytes();
                wrong[column] = b'x';
                prop_assert_eq!(read(&wrong), None);
            }
        }

        #[test]
        fn a_server_may_write_it_anew(publisher: u32, index: u64, due: u64, sent: u64, text: String, cents: i32) {
            let number = f64::from(cents) / 100.0;
            let stamp = stamp(publisher, index, due, sent);
            let body = serde_json::json!({ "text": text, "list": [number, index], "another": { "z": 1, "a": number } });
            for payload in [by_value(&stamp, &body.to_string()), written(&stamp, &serde_json::to_string(&text).unwrap())] {
                // Keys sorted, with the least and with the most white space.
                let anew: serde_json::Value = serde_json::from_str(&payload).unwrap();
                prop_assert_eq!(anew.to_string().find("\"body\""), Some(1));
                prop_assert_eq!(read(payload.as_bytes()), whole(stamp));
                prop_assert_eq!(read(anew.to_string().as_bytes()), whole(stamp));
                prop_assert_eq!(read(serde_json::to_string_pretty(&anew).unwrap().as_bytes()), whole(stamp));
            }
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            prop_assert_eq!(read(&bytes), None);
        }

        #[test]
        fn any_other_body_is_not_whole(body in "[a-z]{0,40}", other in "[a-z]{0,40}") {
            prop_assume!(body != other);
            let payload = written(&stamp(1, 2, 3, 4), &format!("\"{body}\""));
            let altered = payload.replace(&format!(":\"{body}\"}}"), &format!(":\"{other}\"}}"));
            prop_assert_eq!(is_whole(&altered), Some(false));
        }

        #[test]
        fn a_payload_that_was_cut_is_never_whole(cut in 1_usize..97) {
            let whole = written(&stamp(1, 2, 3, 4), "[1]");
            prop_assert!(read(&whole.as_bytes()[..whole.len() - cut]).is_none_or(|it| !it.is_whole));
        }
    }
}
