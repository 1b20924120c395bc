//! Checksums of bodies: they show whether the received body is the published one.
//!
//! A body nearly always arrives with the same bytes, and a CRC-32 of the bytes shows that. A server that rewrites
//! JSON may change white space, the order of names, and the form of numbers and escapes (RFC 8259); a checksum of the
//! JSON value covers that case.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Number, Value};

use crate::seeding::mix;

/// How many checksums of values are cached, because many subscribers receive the same body. Chosen here: 32 KiB.
const REMEMBERED: usize = 4_096;

/// For a body: the checksum of its bytes and the checksum of its value.
static SEEN: [AtomicU64; REMEMBERED] = [const { AtomicU64::new(0) }; REMEMBERED];

/// The checksum of a body's bytes: CRC-32 (IEEE 802.3).
pub(crate) fn of_bytes(body: &[u8]) -> u32 {
    crc32fast::hash(body)
}

/// The checksum of a body's value, however it is written; `None` if it is not JSON. `bytes` is [`of_bytes`] of the
/// same body.
#[cold]
pub(crate) fn of_value(body: &[u8], bytes: u32) -> Option<u32> {
    let place = usize::try_from(bytes).unwrap_or_default() % REMEMBERED;
    let [a, b, c, d, value @ ..] = SEEN[place].load(Ordering::Relaxed).to_be_bytes();
    let value = u32::from_be_bytes(value);
    if u32::from_be_bytes([a, b, c, d]) == bytes && value != 0 {
        return Some(value);
    }
    let value: Value = serde_json::from_slice(body).ok()?;
    // Nearly all writers write a plain string in the same way, so its bytes can be compared.
    let value = if value.is_string() { of_bytes(value.to_string().as_bytes()) } else { high(digest(&value)) };
    SEEN[place].store(u64::from(bytes) << 32 | u64::from(value), Ordering::Relaxed);
    Some(value)
}

/// A hash that is equal for equal values, whatever the order of an object's names.
fn digest(value: &Value) -> u64 {
    match value {
        Value::Null => mix(1),
        Value::Bool(value) => mix(2 + u64::from(*value)),
        Value::Number(number) => mix(4 ^ text(&plain(number))),
        Value::String(value) => mix(5 ^ text(value)),
        Value::Array(all) => all.iter().fold(mix(6), |sum, one| mix(sum ^ digest(one))),
        Value::Object(all) => {
            let members = all.iter().map(|(name, value)| mix(text(name) ^ mix(digest(value))));
            mix(7 ^ members.fold(0, u64::wrapping_add))
        }
    }
}

fn text(text: &str) -> u64 {
    (text.len() as u64) << 32 | u64::from(of_bytes(text.as_bytes()))
}

/// The canonical form of a number: `250.00`, `2.5e2` and `250` are equal.
fn plain(number: &Number) -> String {
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (None, None, Some(0.0)) => "0".to_owned(),
        (None, None, Some(number)) => number.to_string(),
        _ => number.to_string(),
    }
}

/// The upper 32 bits.
pub(crate) fn high(number: u64) -> u32 {
    let [a, b, c, d, ..] = number.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(body: &str) -> Option<u32> {
        of_value(body.as_bytes(), of_bytes(body.as_bytes()))
    }

    #[test]
    fn a_value_has_one_checksum_however_it_is_written() {
        let written = r#"{"bid":250.00,"name":"ü/\"","list":[1,2,{"a":true,"b":null}],"zero":-0.0}"#;
        let anew = r#" { "zero" : 0, "list" : [ 1.0, 2, {"b":null, "a":true}], "name": "\u00fc\/\"", "bid": 2.5e2 } "#;
        assert!(value(written).is_some() && value(written) == value(anew));
        assert_eq!(value(written), value(written), "and the second time as the first");
        for text in ["\"x\"", "\"\"", "\"über\""] {
            assert_eq!(value(text), Some(of_bytes(text.as_bytes())), "a plain text's is that of its bytes");
        }
        assert_eq!(value(r#""\u0078""#), value("\"x\""));
    }

    #[test]
    fn another_value_has_another_checksum() {
        let all = [
            "null",
            "true",
            "false",
            "0",
            "1",
            "-1",
            "0.5",
            "\"\"",
            "\"0\"",
            "\"1\"",
            "[]",
            "{}",
            "[0]",
            "[[0]]",
            "[0,1]",
            "[1,0]",
            r#"{"a":0}"#,
            r#"{"a":1}"#,
            r#"{"b":0}"#,
            r#"{"a":0,"b":1}"#,
            r#"{"a":1,"b":0}"#,
            r#"{"a":{"b":0}}"#,
            "12345678901234567890",
            "12345678901234567000",
        ];
        let mut sums: Vec<u32> = all.iter().map(|body| value(body).unwrap()).collect();
        sums.sort_unstable();
        sums.dedup();
        assert_eq!(sums.len(), all.len());
        assert_eq!([value("{"), value(""), value("nul")], [None; 3]);
    }
}
