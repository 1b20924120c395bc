//! A payload is one JSON text, checked once when it arrives, without building values.
//!
//! The check is iterative, so that deep nesting cannot overflow the stack: `serde_json` skips values with a
//! stack of its own on the heap. Source: RFC 8259.

use bytes::Bytes;
use serde::de::IgnoredAny;

/// One JSON text (RFC 8259), in the bytes in which it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload(Bytes);

/// A checked payload that is not copied yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unkept<'a>(&'a [u8]);

impl Unkept<'_> {
    pub(crate) const fn as_bytes(&self) -> &[u8] {
        self.0
    }

    /// The payload in a buffer of its own size.
    pub(crate) fn keep(self) -> Payload {
        Payload(Bytes::copy_from_slice(self.0))
    }
}

/// Why bytes are not a payload.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The payload is longer than the server allows.
    #[error("a payload is at most {limit} bytes, and this one has {length}")]
    TooLong {
        /// The length of the payload, in bytes.
        length: usize,
        /// The longest payload allowed.
        limit: usize,
    },
    /// The bytes are not UTF-8, which RFC 8259 §8.1 requires.
    #[error("a payload is UTF-8")]
    NotUtf8(#[source] std::str::Utf8Error),
    /// The text is not JSON.
    #[error("a payload is one JSON text: {reason}")]
    NotJson {
        /// The parser's message, with line and column.
        reason: serde_json::Error,
    },
}

impl Payload {
    /// The payload in `bytes`, copied into a buffer of its own size.
    ///
    /// # Errors
    /// When it is longer than `limit` bytes, not UTF-8 or not one JSON text.
    pub fn parse(bytes: &[u8], limit: usize) -> Result<Self, PayloadError> {
        Self::check(bytes, limit).map(Unkept::keep)
    }

    /// The payload in `bytes`, not copied.
    pub(crate) fn check(bytes: &[u8], limit: usize) -> Result<Unkept<'_>, PayloadError> {
        if bytes.len() > limit {
            return Err(PayloadError::TooLong { length: bytes.len(), limit });
        }
        let text = std::str::from_utf8(bytes).map_err(PayloadError::NotUtf8)?;
        serde_json::from_str::<IgnoredAny>(text).map_err(|reason| PayloadError::NotJson { reason })?;
        Ok(Unkept(bytes))
    }

    /// The bytes as published, shared.
    pub(crate) fn to_bytes(&self) -> Bytes {
        self.0.clone()
    }

    /// The bytes as published.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn any_json_text_is_kept_byte_by_byte() {
        for text in ["0", "null", "\"é\"", " {\"a\" :\n[1,2.5e3, true]}\r\n", "\"\\ud83d\"", "[]"] {
            assert_eq!(Payload::parse(text.as_bytes(), 100).unwrap().as_bytes(), text.as_bytes());
        }
    }

    #[test]
    fn any_other_text_than_one_json_text_is_refused() {
        for text in ["", " ", "{", "{'a':1}", "1 2", "nul", "NaN", "01", "\"\n\"", "\u{feff}1", "[1,]", "\"\\x\""] {
            assert!(matches!(Payload::parse(text.as_bytes(), 100), Err(PayloadError::NotJson { .. })), "{text:?}");
        }
        assert!(matches!(Payload::parse(b"\"\xff\"", 100), Err(PayloadError::NotUtf8(_))));
        assert!(matches!(Payload::parse(b"12345", 4), Err(PayloadError::TooLong { length: 5, limit: 4 })));
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let depth = 1_000_000;
        let text = "[".repeat(depth) + &"]".repeat(depth);
        assert!(Payload::parse(text.as_bytes(), usize::MAX).is_ok());
        assert!(Payload::parse("[".repeat(depth).as_bytes(), usize::MAX).is_err());
    }

    proptest! {
        #[test]
        fn the_check_accepts_what_a_full_parser_accepts(text in "[\\[\\]{}\",:0-9.eE+ \\n-]{0,12}") {
            let parsed = serde_json::from_str::<serde_json::Value>(&text);
            // A value is refused for one reason that the grammar does not know: a number out of range.
            let out_of_range = parsed.as_ref().err().is_some_and(|error| error.to_string().contains("out of range"));
            prop_assert_eq!(Payload::parse(text.as_bytes(), 100).is_ok(), parsed.is_ok() || out_of_range);
        }
    }
}
