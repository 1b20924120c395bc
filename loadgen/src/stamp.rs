//! The generator's envelope: what a published payload says of itself.
//!
//! Every payload is a JSON object that begins with who sent it, its index, when it was due and
//! when it was sent, in columns of fixed width, so that a message has the same size whatever its
//! stamps and whatever carries it. White space between JSON tokens fills the columns.

use pushoff_model::RunInstant;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::text::append;

/// The bytes that the envelope adds to a body, as long as every number fits its column: 60,000
/// publishers, 10^10 messages of one, 11 days of nanoseconds.
pub const ENVELOPE_BYTES: usize = 82;

/// The publisher number of the greeting that each topic gets before the load begins.
pub const GREETER: u32 = 99_999;

/// Who sent a message, which one it is, and its two times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The publisher's number, from 0, or [`GREETER`].
    pub publisher: u32,
    /// Which message of that publisher, from 0.
    pub index: u64,
    /// When it was due.
    pub due: RunInstant,
    /// When the publisher handed it to its connection.
    pub sent: RunInstant,
}

/// Appends the payload with this stamp and this body, which must be a JSON text.
pub fn write(out: &mut String, stamp: &Stamp, body: impl FnOnce(&mut String)) {
    let Stamp { publisher, index, due, sent } = stamp;
    let (due, sent) = (due.as_nanos(), sent.as_nanos());
    append(
        out,
        format_args!("{{\"from\":{publisher:>5},\"n\":{index:>10},\"due\":{due:>15},\"sent\":{sent:>15},\"body\":"),
    );
    body(out);
    out.push('}');
}

/// Reads the stamp of a payload; `None` where the payload is not one of the generator's.
///
/// The body is not looked at: reading costs the same whatever the size, unless a server has
/// written the payload anew, with its parts in another order.
#[must_use]
pub fn read(payload: &[u8]) -> Option<Stamp> {
    in_columns(payload).or_else(|| as_written(payload)).or_else(|| written_anew(payload))
}

/// A stamp whose numbers all fit their columns stands where it always does.
fn in_columns(payload: &[u8]) -> Option<Stamp> {
    const { assert!(ENVELOPE_BYTES == 82) };
    let (head, body) = payload.split_first_chunk::<81>()?;
    let is_ours = head[..8] == *b"{\"from\":"
        && head[13..18] == *b",\"n\":"
        && head[28..35] == *b",\"due\":"
        && head[50..58] == *b",\"sent\":"
        && head[73..] == *b",\"body\":"
        && body.last() == Some(&b'}');
    is_ours.then_some(())?;
    Some(Stamp {
        publisher: u32::try_from(column(&head[8..13])?).ok()?,
        index: column(&head[18..28])?,
        due: RunInstant::from_nanos(column(&head[35..50])?),
        sent: RunInstant::from_nanos(column(&head[58..73])?),
    })
}

/// The number in a column of at most 15: spaces, then digits.
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

fn as_written(payload: &[u8]) -> Option<Stamp> {
    let (publisher, rest) = number(payload, b"{\"from\":")?;
    let (index, rest) = number(rest, b",\"n\":")?;
    let (due, rest) = number(rest, b",\"due\":")?;
    let (sent, rest) = number(rest, b",\"sent\":")?;
    rest.strip_prefix(b",\"body\":")?.strip_suffix(b"}")?;
    Some(Stamp {
        publisher: u32::try_from(publisher).ok()?,
        index,
        due: RunInstant::from_nanos(due),
        sent: RunInstant::from_nanos(sent),
    })
}

/// The envelope as any JSON writer may write it.
#[derive(Deserialize)]
struct Envelope {
    from: u32,
    n: u64,
    due: u64,
    sent: u64,
    #[serde(rename = "body")]
    _body: IgnoredAny,
}

#[cold]
fn written_anew(payload: &[u8]) -> Option<Stamp> {
    let Envelope { from, n, due, sent, .. } = serde_json::from_slice(payload).ok()?;
    let [due, sent] = [due, sent].map(RunInstant::from_nanos);
    Some(Stamp { publisher: from, index: n, due, sent })
}

/// The number after `key`, and what follows it.
fn number<'a>(text: &'a [u8], key: &[u8]) -> Option<(u64, &'a [u8])> {
    let text = text.strip_prefix(key)?.trim_ascii_start();
    let (mut number, mut digits) = (0_u64, 0);
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
        digits += 1;
    }
    (digits > 0).then(|| (number, &text[digits..]))
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

    #[test]
    fn a_payload_is_json_of_a_size_that_does_not_depend_on_its_stamps() {
        let early = written(&stamp(0, 0, 0, 1), "\"x\"");
        let late = written(&stamp(59_999, 9_999_999_999, 864_000_000_000_000, 999_999_999_999_999), "\"x\"");
        assert_eq!((early.len(), late.len()), (ENVELOPE_BYTES + 3, ENVELOPE_BYTES + 3));
        let json: serde_json::Value = serde_json::from_str(&late).unwrap();
        assert_eq!((&json["from"], &json["body"]), (&59_999.into(), &"x".into()));
    }

    proptest! {
        #[test]
        fn a_stamp_reads_back_as_it_was_written(publisher: u32, index: u64, due: u64, sent: u64) {
            let stamp = stamp(publisher, index, due, sent);
            prop_assert_eq!(read(written(&stamp, "[1]").as_bytes()), Some(stamp));
        }

        #[test]
        fn columns_are_read_as_any_number_is(publisher in 0_u32..60_000, index in 0_u64..10_000_000_000, due in 0_u64..1_000_000_000_000_000) {
            let stamp = stamp(publisher, index, due, due / 2);
            let payload = written(&stamp, "[1]");
            prop_assert_eq!(in_columns(payload.as_bytes()), Some(stamp));
            prop_assert_eq!(as_written(payload.as_bytes()), Some(stamp));
            for column in [12, 27, 49, 72] {
                let mut wrong = payload.clone().into_bytes();
                wrong[column] = b'x';
                prop_assert_eq!(read(&wrong), None);
            }
        }

        #[test]
        fn a_server_may_write_it_anew(publisher: u32, index: u64, due: u64, sent: u64, body: String) {
            let stamp = stamp(publisher, index, due, sent);
            let payload = written(&stamp, &serde_json::to_string(&body).unwrap());
            // Keys sorted, white space gone; and with as much of it as there can be.
            let anew: serde_json::Value = serde_json::from_str(&payload).unwrap();
            prop_assert_eq!(anew.to_string().find("\"body\""), Some(1));
            prop_assert_eq!(read(anew.to_string().as_bytes()), Some(stamp));
            prop_assert_eq!(read(serde_json::to_string_pretty(&anew).unwrap().as_bytes()), Some(stamp));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            prop_assert_eq!(read(&bytes), None);
        }

        #[test]
        fn a_payload_that_was_cut_is_not_read(cut in 1_usize..80) {
            let whole = written(&stamp(1, 2, 3, 4), "[1]");
            prop_assert_eq!(read(&whole.as_bytes()[..whole.len() - cut]), None);
        }
    }
}
