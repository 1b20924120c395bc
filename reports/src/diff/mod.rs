//! Two runs of the same workloads, or two servers of one: what improved, what regressed, what is
//! unchanged, and what cannot be told.
//!
//! Pure. A cell of one side is held against the same cell of the other, metric by metric; where both ran in
//! the same rounds, trial by trial. Nothing is left out in silence: what only one side has, what is void,
//! and what has no ratio are named with the reason.

mod change;
mod document;
mod environment;
mod judge;
mod pairs;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::Run;
use crate::findings::study::Study;
use change::{By, Change, Finding, LeftOut};
use environment::{Difference, differences};

pub use change::Tally;

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
