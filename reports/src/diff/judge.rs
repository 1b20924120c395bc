//! From pairs of figures to findings: the floor, the test, and the correction for how many there are.
//!
//! A change is *improved* or *regressed* where the minimum-effect test says so after correction,
//! *unchanged* where its whole 95 % interval lies within the floor (equivalence: Schuirmann, *J.
//! Pharmacokinet. Biopharm.* 15, 1987; the 90 % interval would do), else *inconclusive*. The border
//! of a search and a bound are no figures of trials: what they say is certain or nothing, without a
//! test.

use pushoff_model::CellKey;

use super::change::{Change, Finding};
use crate::metric::{Better, Bound, Metric};
use pushoff_stats::{Figure, Interval, Sampled, adjusted};

/// How often, at most, nothing but chance may be called a change.
const LEVEL: f64 = 0.05;
/// The step of a search's staircase: two searches that stop a step apart have seen the same.
pub(super) const SEARCH_STEP: f64 = 0.1;

/// Below what a change does not matter.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChangeFloor {
    pub(super) share: f64,
    /// Latencies that differ by less do not differ.
    pub(super) noise_ns: f64,
}

impl ChangeFloor {
    /// For a metric; `latency` is the least that its ratio is made of.
    fn of(&self, metric: Metric, latency: Option<f64>) -> f64 {
        match latency.filter(|it| *it > 0.0) {
            Some(latency) => self.share.max(self.noise_ns / latency),
            None if metric.is_of_a_search() => self.share.max(SEARCH_STEP),
            None => self.share,
        }
    }
}

/// One metric of a cell that both sides measured.
#[derive(Debug)]
pub(super) struct Matched {
    pub(super) key: CellKey,
    pub(super) metric: Metric,
    pub(super) base: Sampled,
    pub(super) new: Sampled,
    /// NEW ÷ BASE, where their trials took turns in one run.
    pub(super) paired: Option<Sampled>,
    /// Of NEW ÷ BASE.
    pub(super) bound: Bound,
    /// Whether the two are ratios to raw TCP's.
    pub(super) is_ratio: bool,
    /// The least latency that its ratio is made of, where it is a latency.
    pub(super) latency: Option<f64>,
}

/// Judges all, the most urgent first. What has no ratio is inconclusive.
pub(super) fn judge(all: Vec<Matched>, floor: &ChangeFloor) -> Vec<Change> {
    let mut changes: Vec<Change> = all.into_iter().map(|it| it.contrast(floor)).collect();
    let tested: Vec<f64> = changes.iter().filter_map(|it| it.p).collect();
    let mut corrected = adjusted(&tested).into_iter();
    for change in &mut changes {
        change.adjusted_p = change.p.and_then(|_| corrected.next());
        change.finding = change.judged();
    }
    let size = |it: &Change| it.ratio.point.ln().abs();
    changes.sort_by(|one, other| {
        let by_size = || size(other).total_cmp(&size(one));
        let by_size = || if one.finding < Finding::Inconclusive { by_size() } else { std::cmp::Ordering::Equal };
        one.finding.cmp(&other.finding).then_with(by_size)
    });
    changes
}

impl Matched {
    fn contrast(self, floor: &ChangeFloor) -> Change {
        let floor = floor.of(self.metric, self.latency);
        let (base, new) = (self.base.figure, self.new.figure);
        let is_tested = self.bound == Bound::Exact && !self.metric.is_of_a_search();
        let contrast = match &self.paired {
            Some(ratio) => ratio.of_pairs(floor),
            None => self.new.over(&self.base, floor),
        };
        let contrast = contrast.filter(|_| is_tested);
        let ratio = contrast.map_or_else(|| step_apart(&base, &new, self.bound), |contrast| contrast.ratio);
        Change {
            finding: Finding::Inconclusive,
            key: self.key,
            metric: self.metric,
            is_ratio: self.is_ratio,
            base,
            new,
            ratio,
            bound: self.bound,
            pairs: self.paired.filter(|_| is_tested).map(|ratio| ratio.trials),
            floor,
            p: contrast.and_then(|contrast| contrast.p),
            adjusted_p: None,
        }
    }
}

/// The ratio of two that are known to within a step: such errors are bounds, and add up in full.
fn step_apart(base: &Figure, new: &Figure, bound: Bound) -> Figure {
    let interval = (bound == Bound::Exact && base.low() > 0.0 && base.interval.is_some() && new.interval.is_some())
        .then(|| Interval { low: new.low() / base.high(), high: new.high() / base.low() });
    Figure { point: new.point / base.point, interval }
}

impl Change {
    fn judged(&self) -> Finding {
        let (low, high) = (1.0 / (1.0 + self.floor), 1.0 + self.floor);
        let toward = |is_more: bool| match (self.metric.better(), is_more) {
            (Better::Higher, true) | (Better::Lower, false) => Finding::Improved,
            (Better::Higher, false) | (Better::Lower, true) => Finding::Regressed,
            (Better::Neither | Better::Zero, _) => Finding::Inconclusive,
        };
        match (self.bound, self.adjusted_p, self.ratio.interval) {
            (Bound::AtLeast, ..) if self.ratio.point > high => toward(true),
            (Bound::AtMost, ..) if self.ratio.point < low => toward(false),
            (Bound::AtLeast | Bound::AtMost, ..) => Finding::Inconclusive,
            (Bound::Exact, Some(p), _) if p <= LEVEL => toward(self.ratio.point > 1.0),
            (Bound::Exact, None, Some(interval)) if interval.low > high => toward(true),
            (Bound::Exact, None, Some(interval)) if interval.high < low => toward(false),
            (Bound::Exact, _, Some(interval)) if interval.low >= low && interval.high <= high => Finding::Unchanged,
            (Bound::Exact, ..) => Finding::Inconclusive,
        }
    }
}
