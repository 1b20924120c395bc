//! Cuts bytes into units, as the target's dialect separates them.

use pushoff_model::target::Units;

use super::lines::Lines;
use super::texts::Texts;
use crate::clients::error::ConnectionError;

/// Cuts bytes into units, wherever the reads ended.
#[derive(Debug)]
pub(crate) enum UnitBuffer {
    Lines(Lines),
    Texts(Texts),
}

impl UnitBuffer {
    pub(crate) fn new(units: &Units) -> Self {
        match units {
            Units::Texts => Self::Texts(Texts::default()),
            Units::Lines | Units::Whole | Units::Array(_) | Units::Events { .. } | Units::Frames => {
                Self::Lines(Lines::default())
            }
        }
    }

    /// Takes the next whole unit out of these bytes.
    pub(crate) fn next<'s, 'b: 's>(&'s mut self, bytes: &mut &'b [u8]) -> Option<&'s [u8]> {
        match self {
            Self::Lines(lines) => lines.next(bytes),
            Self::Texts(texts) => texts.next(bytes),
        }
    }

    /// Refuses an incomplete unit that is longer than [`LONGEST_MESSAGE`](crate::clients::LONGEST_MESSAGE).
    pub(crate) const fn bounded(&self) -> Result<(), ConnectionError> {
        match self {
            Self::Lines(lines) => ConnectionError::bounded("a line", lines.begun()),
            Self::Texts(texts) => ConnectionError::bounded("a JSON text", texts.begun()),
        }
    }

    /// Whether a unit is incomplete.
    pub(crate) const fn is_mid_unit(&self) -> bool {
        match self {
            Self::Lines(lines) => lines.begun() > 0,
            Self::Texts(texts) => texts.begun() > 0,
        }
    }
}
