//! Searches for capacity: the load–latency curve of each transport, its knee, and who carries most.
//!
//! Pure. A load that several trials stood at is one point, its histograms merged. Past the knee the
//! curve goes on: what a transport does when overloaded is a result. Where latency is not bounded
//! there is no knee, and what is found is the most that was delivered.

mod capacity;
mod curve;
mod delivered;
mod sentence;
mod table;

use pushoff_model::workload::{Direction, Growth, Load, Slo};
use pushoff_model::{Transport, Workload};

use crate::cells::faults::CellFaults;
use crate::cells::validity::Validity;
use crate::cells::{Cell, Group};
use crate::prose::Prose;

pub(crate) use capacity::{Capacity, Reach};
pub(crate) use curve::{AT_A_LOAD, LoadPoint};
pub(crate) use table::{figures, table, validity};

/// A search with what it found.
#[derive(Debug)]
pub(crate) struct Searched<'a> {
    /// The cells: every step of each transport.
    pub(crate) group: Group<'a>,
    /// What had to hold.
    pub(crate) slo: Slo,
    /// What grew.
    pub(crate) growth: Growth,
    /// Whether latency is bounded: else the most that was delivered is sought, however late.
    pub(crate) is_bounded: bool,
    /// One a cell, in the same order.
    pub(crate) curves: Vec<Curve>,
    /// Who carries the most, in words.
    pub(crate) sentence: Prose,
}

/// What became of one transport as its load grew.
#[derive(Debug)]
pub(crate) struct Curve {
    pub(crate) transport: Transport,
    /// Every load that was measured, the least first.
    pub(crate) points: Vec<LoadPoint>,
    /// The most that the SLO survived; absent where the search did not come to confirm it.
    pub(crate) capacity: Option<Capacity>,
    /// What limited the trials together.
    pub(crate) validity: Validity,
    /// Why nothing could be measured, where nothing was.
    pub(crate) void: Option<String>,
    /// What went wrong in its trials.
    pub(crate) faults: CellFaults,
}

impl<'a> Searched<'a> {
    /// Draws the curves and finds the knees.
    pub(crate) fn of(group: Group<'a>, slo: &Slo) -> Self {
        let growth = group.workload.search.map_or(Growth::Rate, |search| search.grow);
        let is_bounded = slo.bounds_latency();
        let curve = |cell| {
            let offers = Offers::of(cell, group.workload, growth);
            let mut curve = Curve::of(cell, &offers, slo);
            if !is_bounded {
                curve.capacity = Capacity::delivered(cell, &offers);
            }
            curve
        };
        let curves: Vec<Curve> = group.cells.iter().map(curve).collect();
        let sentence = sentence::verdict(&curves, growth, (!is_bounded).then_some(slo.within));
        Self { slo: *slo, growth, is_bounded, curves, sentence, group }
    }
}

impl Curve {
    fn of(cell: &Cell<'_>, offers: &Offers, slo: &Slo) -> Self {
        let points = curve::points(cell, offers, slo);
        let held = points.iter().filter(|it| it.holds).map(|it| it.load);
        let highest_held = held.max_by(f64::total_cmp);
        let is_void = points.is_empty() || points.iter().all(LoadPoint::is_void);
        Self {
            transport: cell.transport(),
            capacity: Capacity::of(cell, offers, slo, highest_held),
            validity: Validity::of(cell),
            faults: CellFaults::of(&cell.trials),
            void: is_void.then(|| cell.void_reason().unwrap_or("nothing was measured").to_owned()),
            points,
        }
    }

    /// The highest load beyond the capacity: what becomes of the transport there.
    pub(crate) fn beyond(&self) -> Option<&LoadPoint> {
        let capacity = self.capacity.as_ref()?;
        self.points.iter().rfind(|it| it.load > capacity.load.high() && it.is_overload)
    }
}

/// How many deliveries a second a load asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offers {
    factor: f64,
    /// With which power of the load deliveries grow: 2 where every new subscriber also speaks.
    power: i32,
}

impl Offers {
    fn of(cell: &Cell<'_>, workload: &Workload, growth: Growth) -> Self {
        let (topics, subscribers) = (f64::from(workload.topics), f64::from(workload.subscribers));
        let Load::Rate { per_second, .. } = &workload.load else { return Self::seen(cell) };
        let rate = per_second.as_per_second();
        let (factor, power) = match (growth, workload.direction) {
            (Growth::Rate, Direction::Down) => (subscribers, 1),
            (Growth::Rate, Direction::Both) => (subscribers * subscribers / topics, 1),
            (Growth::Subscribers, Direction::Down) => (rate, 1),
            (Growth::Subscribers, Direction::Both) => (rate / topics, 2),
        };
        Self { factor, power }
    }

    /// Of a trace, as its trials saw it.
    #[expect(clippy::cast_precision_loss, reason = "a factor needs no more than 53 bits")]
    fn seen(cell: &Cell<'_>) -> Self {
        let mut sums = (0.0, 0.0);
        for trial in &cell.trials {
            if let (Some(step), Some(it)) = (trial.record.step, trial.record.measurement()) {
                sums = (sums.0 + it.window.due as f64, sums.1 + step.load * it.measured_ns as f64 / 1e9);
            }
        }
        Self { factor: if sums.1 > 0.0 { sums.0 / sums.1 } else { 0.0 }, power: 1 }
    }

    /// Deliveries a second at a load.
    pub(crate) fn at(&self, load: f64) -> f64 {
        self.factor * load.powi(self.power)
    }

    /// The load that asks for so many deliveries a second.
    fn load_of(&self, deliveries: f64) -> f64 {
        if self.factor > 0.0 { (deliveries / self.factor).powf(1.0 / f64::from(self.power)) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests;
