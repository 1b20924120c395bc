//! Topics and cursors: how a place in a log is named on the wire.
//!
//! A cursor is opaque to clients. The epoch in it tells a log from one of the same topic in an
//! earlier life of the server, so that an old cursor is recognised and never misread.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest topic name, in bytes. Source: the wire contract in `docs/TRANSPORTS.md`.
pub const MAX_TOPIC_BYTES: usize = 64;

/// The name of a log: 1 to 64 of `A-Z a-z 0-9 . _ -`, but neither `.` nor `..`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(Arc<str>);

impl Topic {
    /// The name as it stands in a URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a topic name must look like, for the one who sent another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a topic is 1 to 64 of the characters A-Z a-z 0-9 . _ -, and neither . nor ..")]
pub struct InvalidTopic;

impl FromStr for Topic {
    type Err = InvalidTopic;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        // A URL cannot name these two: they mean this path and the one above (RFC 3986 §5.2.4).
        let is_path = matches!(name, "." | "..");
        if (1..=MAX_TOPIC_BYTES).contains(&name.len()) && name.bytes().all(allowed) && !is_path {
            Ok(Self(name.into()))
        } else {
            Err(InvalidTopic)
        }
    }
}

/// Drawn once when a topic's log is created; 8 lower-case hex digits on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Epoch(pub u32);

/// A place in a topic's log: after the message with this sequence number.
///
/// Sequences count from 1 and grow by 1 a message; 0 is the start of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Which life of the topic.
    pub epoch: Epoch,
    /// How many messages lie at or before this place.
    pub sequence: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{}", self.epoch.0, self.sequence)
    }
}

/// What a cursor must look like, for the one who sent another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cursor is 8 hex digits, a dash and a sequence number, e.g. 5f3a9c21-42")]
pub struct InvalidCursor;

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Read for every message that is delivered: by hand, in one pass.
        let (epoch, rest) = text.as_bytes().split_first_chunk::<8>().ok_or(InvalidCursor)?;
        let sequence = rest.strip_prefix(b"-").ok_or(InvalidCursor)?;
        let epoch = epoch.iter().try_fold(0, |sum: u32, &digit| match digit {
            b'0'..=b'9' => Ok(sum << 4 | u32::from(digit - b'0')),
            b'a'..=b'f' => Ok(sum << 4 | u32::from(digit - b'a' + 10)),
            _other => Err(InvalidCursor),
        })?;
        if sequence.is_empty() || (sequence[0] == b'0' && sequence.len() > 1) {
            return Err(InvalidCursor);
        }
        let sequence = sequence.iter().try_fold(0, |sum: u64, &digit| match digit {
            b'0'..=b'9' => sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
            _other => None,
        });
        Ok(Self { epoch: Epoch(epoch), sequence: sequence.ok_or(InvalidCursor)? })
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Cursor;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a cursor such as 5f3a9c21-42")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Cursor, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Where a subscriber begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the next message.
    Now,
    /// With the oldest message that is kept (`?after=start`).
    Oldest,
    /// With the message after this cursor.
    After(Cursor),
}

impl FromStr for Start {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "start" => Ok(Self::Oldest),
            cursor => cursor.parse().map(Self::After),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_a_topic_or_refused(text in ".{0,80}") {
            let allowed = !["", ".", ".."].contains(&text.as_str()) && text.len() <= 64
                && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
            prop_assert_eq!(text.parse::<Topic>().is_ok(), allowed);
        }
    }
}
