//! Cuts what comes into units, as the target's dialect separates them.

use bytes::Bytes;
use pushoff_model::target::Units;

use super::line::LineBuffer;
use super::texts::TextBuffer;
use crate::clients::error::ConnectionError;

/// Units out of a stream of bytes.
#[derive(Debug)]
pub(crate) enum UnitBuffer {
    /// A line each.
    Lines(LineBuffer),
    /// JSON texts.
    Texts(TextBuffer),
}

impl UnitBuffer {
    pub(crate) fn new(units: &Units) -> Self {
        match units {
            Units::Texts => Self::Texts(TextBuffer::default()),
            Units::Lines | Units::Whole | Units::Array(_) | Units::Events { .. } | Units::Frames => {
                Self::Lines(LineBuffer::default())
            }
        }
    }

    /// Adds what was read.
    pub(crate) fn extend(&mut self, chunk: &Bytes) {
        match self {
            Self::Lines(lines) => lines.extend(chunk),
            Self::Texts(texts) => texts.extend(chunk),
        }
    }

    /// Takes the next whole unit.
    pub(crate) fn next_unit(&mut self) -> Option<Bytes> {
        match self {
            Self::Lines(lines) => lines.next_line(),
            Self::Texts(texts) => texts.next_text(),
        }
    }

    /// Refuses a unit that has begun and is longer than is taken.
    pub(crate) fn bounded(&self) -> Result<(), ConnectionError> {
        match self {
            Self::Lines(lines) => ConnectionError::bounded("a line", lines.begun()),
            Self::Texts(texts) => ConnectionError::bounded("a JSON text", texts.begun()),
        }
    }

    /// Whether a unit has begun that is not whole.
    pub(crate) fn is_mid_unit(&self) -> bool {
        match self {
            Self::Lines(lines) => lines.is_mid_line(),
            Self::Texts(texts) => texts.is_mid_text(),
        }
    }
}
