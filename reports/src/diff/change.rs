//! What a comparison finds: of each metric of a cell, and of what could not be compared.

use pushoff_model::CellKey;
use pushoff_stats::Figure;
use serde::Serialize;

use crate::metric::{Bound, Metric};

/// What came of a comparison, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Finding {
    /// Worse by more than the floor.
    Regressed,
    /// Better by more than the floor.
    Improved,
    /// The interval reaches beyond the floor and the test does not.
    Inconclusive,
    /// The whole interval lies within the floor.
    Unchanged,
}

impl Finding {
    pub(super) const ALL: [Self; 4] = [Self::Regressed, Self::Improved, Self::Inconclusive, Self::Unchanged];

    /// As documents write it.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Improved => "improved",
            Self::Inconclusive => "inconclusive",
            Self::Unchanged => "unchanged",
        }
    }
}

/// What is held against what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum By {
    /// Each figure against the same figure.
    Figure,
    /// Each figure's ratio to raw TCP's in its own run: the machines differ.
    RatioToFloor,
}

/// One metric of one cell on both sides.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Change {
    pub(super) finding: Finding,
    /// In NEW; in BASE another server may have served.
    #[serde(flatten)]
    pub(super) key: CellKey,
    /// Its id names the unit; where machines differ its values are ratios to raw TCP.
    pub(super) metric: Metric,
    /// Whether the two are ratios to raw TCP's.
    #[serde(skip)]
    pub(super) is_ratio: bool,
    pub(super) base: Figure,
    pub(super) new: Figure,
    /// NEW ÷ BASE.
    pub(super) ratio: Figure,
    pub(super) bound: Bound,
    /// How many rounds of one run the ratio is of, each with a trial of both; absent where these are of two.
    pub(super) pairs: Option<usize>,
    /// Changes of so small a share do not matter.
    pub(super) floor: f64,
    /// Of the minimum-effect test; absent where a bound or a step of a search decides.
    pub(super) p: Option<f64>,
    /// The same after Benjamini & Hochberg.
    pub(super) adjusted_p: Option<f64>,
}

/// Something that only one side has, or that cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct LeftOut {
    /// The cell, and the metric where it is not all of it.
    pub(super) what: String,
    pub(super) reason: String,
}

/// How many comparisons came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Worse by more than the floor.
    pub regressed: usize,
    /// Better by more than the floor.
    pub improved: usize,
    /// Cannot be told.
    pub inconclusive: usize,
    /// Within the floor.
    pub unchanged: usize,
    /// Cells in which something went wrong that did not before: deliveries lost, repeated or reordered, messages
    /// not published, connections broken, trials failed.
    pub faults: usize,
    /// Cells and figures that could not be compared.
    pub left_out: usize,
}

impl Tally {
    pub(super) const fn of(self, finding: Finding) -> usize {
        match finding {
            Finding::Regressed => self.regressed,
            Finding::Improved => self.improved,
            Finding::Inconclusive => self.inconclusive,
            Finding::Unchanged => self.unchanged,
        }
    }

    /// How many comparisons there are.
    #[must_use]
    pub const fn compared(self) -> usize {
        self.regressed + self.improved + self.inconclusive + self.unchanged
    }
}
