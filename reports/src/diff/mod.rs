//! Two runs of the same workloads, or two servers of one: what improved, what regressed, what is
//! unchanged, and what cannot be told.
//!
//! Pure. A cell of one side is held against the same cell of the other, metric by metric; where both ran in
//! the same rounds, trial by trial. Nothing is left out in silence: what only one side has, what is void,
//! and what has no ratio are named with the reason.

mod document;
mod environment;
mod judge;
mod pairs;
#[cfg(test)]
mod tests;

use pushoff_model::CellKey;
use serde::Serialize;

use crate::Run;
use crate::findings::study::Study;
use crate::metric::{Bound, Metric};
use environment::{Difference, differences};
use pushoff_stats::Figure;

/// What came of a comparison, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Finding {
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
    pub(crate) const ALL: [Self; 4] = [Self::Regressed, Self::Improved, Self::Inconclusive, Self::Unchanged];

    /// As documents write it.
    pub(crate) const fn label(self) -> &'static str {
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
pub(crate) enum By {
    /// Each figure against the same figure.
    Figure,
    /// Each figure's ratio to raw TCP's in its own run: the machines differ.
    RatioToFloor,
}

/// One metric of one cell on both sides.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Change {
    pub(crate) finding: Finding,
    /// In NEW; in BASE another server may have served.
    #[serde(flatten)]
    pub(crate) key: CellKey,
    /// Its id names the unit; where machines differ its values are ratios to raw TCP.
    pub(crate) metric: Metric,
    /// Whether the two are ratios to raw TCP's.
    #[serde(skip)]
    pub(crate) is_ratio: bool,
    pub(crate) base: Figure,
    pub(crate) new: Figure,
    /// NEW ÷ BASE.
    pub(crate) ratio: Figure,
    pub(crate) bound: Bound,
    /// How many rounds of one run the ratio is of, each with a trial of both; absent where these are of two.
    pub(crate) pairs: Option<usize>,
    /// Changes of so small a share do not matter.
    pub(crate) floor: f64,
    /// Of the minimum-effect test; absent where a bound or a step of a search decides.
    pub(crate) p: Option<f64>,
    /// The same after Benjamini & Hochberg.
    pub(crate) adjusted_p: Option<f64>,
}

/// Something that only one side has, or that cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LeftOut {
    /// The cell, and the metric where it is not all of it.
    pub(crate) what: String,
    pub(crate) reason: String,
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
    const fn of(self, finding: Finding) -> usize {
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

/// A run held against an earlier one, or a server against another.
#[derive(Clone, Debug, Serialize)]
pub struct Diff {
    /// How it came out, in numbers.
    pub tally: Tally,
    base: Side,
    new: Side,
    by: By,
    /// Changes of so small a share do not matter; some metrics have a greater floor.
    floor: f64,
    /// Latencies that differ by less do not differ.
    noise_ns: f64,
    environment: Vec<Difference>,
    /// The regressed first, the greatest change first.
    changes: Vec<Change>,
    /// What should never happen, and happened in the new run alone: a sentence each.
    faults: Vec<String>,
    left_out: Vec<LeftOut>,
}

/// One of the two.
#[derive(Clone, Debug, Serialize)]
struct Side {
    run: String,
    /// Where it is not all of the run's.
    server: Option<String>,
    revision: String,
    debug_build: bool,
}

impl Side {
    fn of(study: &Study<'_>, server: Option<&&str>) -> Self {
        let all = &study.run.environments;
        let joined = |of: fn(&pushoff_model::Environment) -> &str| all.iter().map(of).collect::<Vec<_>>().join(", ");
        Self {
            run: joined(|it| &it.run),
            server: server.map(|server| (*server).to_owned()),
            revision: joined(|it| &it.revision),
            debug_build: study.has_debug_build(),
        }
    }
}

/// Holds a run against an earlier one, or a server of NEW (the second of `servers`) against one of BASE;
/// changes of the share `floor` do not matter.
#[must_use]
pub fn diff(base: &Run, new: &Run, servers: Option<[&str; 2]>, floor: f64) -> Diff {
    let (base, new) = (Study::of(base), Study::of(new));
    let environment = differences(&base.run.environments, &new.run.environments);
    let by = if environment.iter().any(|it| it.is_machine) { By::RatioToFloor } else { By::Figure };
    let noise_ns = base.noise_ns.max(new.noise_ns);
    let pairs = pairs::pairs(&base, &new, servers, by);
    let changes = judge::judge(pairs.matched, &judge::ChangeFloor { share: floor, noise_ns });
    let count = |finding| changes.iter().filter(|it| it.finding == finding).count();
    let tally = Tally {
        regressed: count(Finding::Regressed),
        improved: count(Finding::Improved),
        inconclusive: count(Finding::Inconclusive),
        unchanged: count(Finding::Unchanged),
        faults: pairs.faults.len(),
        left_out: pairs.left_out.len(),
    };
    let [old, current] = [0, 1].map(|side| servers.as_ref().and_then(|servers| servers.get(side)));
    let (base, new) = (Side::of(&base, old), Side::of(&new, current));
    Diff { tally, base, new, by, floor, noise_ns, environment, changes, faults: pairs.faults, left_out: pairs.left_out }
}

impl Diff {
    /// Whether anything became worse: a figure, or a ledger.
    #[must_use]
    pub const fn has_regressed(&self) -> bool {
        self.tally.regressed + self.tally.faults > 0
    }

    /// Why there is no comparison, where there is none.
    #[must_use]
    pub fn why_nothing(&self) -> String {
        let reason = |it: &LeftOut| format!("{}: {}", it.what, it.reason);
        let others = self.left_out.len().saturating_sub(1);
        let first = self.left_out.first().map_or_else(|| "nothing was measured".to_owned(), reason);
        if others == 0 { first } else { format!("{first}, and {others} more likewise") }
    }
}
