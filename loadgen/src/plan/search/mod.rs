//! The search for the highest load that meets an SLO: a pure state machine for each cell.
//!
//! The load doubles until the SLO breaks, or halves until it holds; then the gap is bisected geometrically down to
//! one step. One trial near the limit says little, so a staircase of trials follows, up by a step after the SLO held
//! and down after it broke (up-down method: Dixon and Mood, JASA 1948). Its loads are the sample that the capacity
//! and its interval come from. Two loads beyond the capacity show the effect of overload.

use pushoff_model::Workload;
use pushoff_model::record::{Failure, FailureKind, Measurement, Outcome, Purpose, Step};
use pushoff_model::workload::{Growth, Search, Slo};

use crate::numbers::{float, whole};

/// The staircase's step, and the precision of the bisection. Chosen here: finer than the scatter between trials of a
/// server, and coarse enough to end soon.
const STEP: f64 = 1.1;
/// How often a trial is repeated whose limit was not the server.
const MOST_REPEATS: u32 = 2;
/// How many halvings below the workload's own load a search goes. Chosen here.
const MOST_HALVINGS: i32 = 10;
/// The overloads as multiples of the capacity. Chosen here: clearly past the knee, and far past it.
const OVERLOADS: [f64; 2] = [1.5, 2.5];

/// The verdict of a trial on its load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The SLO was met and nothing was lost.
    Held,
    /// The SLO was missed, or something was lost.
    Broke,
    /// The SLO was met although the generator or the machine was the limit. A repeat may be cleaner; the search goes
    /// on anyway.
    HeldInSpite,
    /// The generator or the machine was the limit, so the trial says nothing about the server.
    Void,
    /// There is no measurement.
    Failed,
    /// The run was interrupted.
    Interrupted,
}

/// Judges a trial by the SLO of its workload.
pub(crate) fn verdict(slo: Option<&Slo>, outcome: &Outcome) -> Verdict {
    let measurement = match outcome {
        Outcome::Measured(measurement) => measurement,
        Outcome::Failed(Failure { kind: FailureKind::Interrupted, .. }) | Outcome::NotRun(_) => {
            return Verdict::Interrupted;
        }
        Outcome::Failed(Failure { kind: FailureKind::Generator | FailureKind::Machine, .. }) => return Verdict::Void,
        Outcome::Failed(Failure {
            kind: FailureKind::Server | FailureKind::Connect | FailureKind::Unbalanced, ..
        }) => return Verdict::Failed,
    };
    // An SLO without a latency bound gains nothing from a cleaner trial at a load that held.
    let is_bounded = slo.is_none_or(Slo::bounds_latency);
    match (slo.is_none_or(|slo| meets(measurement, slo)), measurement.void(slo).is_some()) {
        (true, false) => Verdict::Held,
        (true, true) if !is_bounded => Verdict::Held,
        (true, true) => Verdict::HeldInSpite,
        (false, false) => Verdict::Broke,
        (false, true) => Verdict::Void,
    }
}

fn meets(measurement: &Measurement, slo: &Slo) -> bool {
    let (counts, due) = (&measurement.counts, measurement.window.due);
    let in_time = measurement.delivery_latency.count_within(slo.within);
    let enough = float(in_time) >= slo.share.as_f64() * float(due);
    enough && counts.lost == 0 && (slo.may_skip || counts.missed == 0)
}

/// A capacity search.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CapacitySearch {
    pub(crate) growth: Growth,
    least: f64,
    most: f64,
    confirmations: usize,
    repeats: u32,
    state: State,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    /// Doubling; or halving, until the SLO holds for the first time.
    Ramp {
        load: f64,
        held: Option<f64>,
        broke: Option<f64>,
    },
    Bisection {
        held: f64,
        broke: f64,
    },
    Confirmation {
        load: f64,
        walked: Vec<f64>,
    },
    /// The remaining loads, the next one last.
    Overload(Vec<f64>),
    Over,
}

impl CapacitySearch {
    /// A search from the workload's own load up to the search's `most`, with this many trials of the staircase.
    pub(crate) fn new(search: &Search, workload: &Workload, confirmations: u32) -> Self {
        let begin = workload.offered(search.grow);
        let least = match search.grow {
            Growth::Rate => begin * 0.5_f64.powi(MOST_HALVINGS),
            Growth::Subscribers => f64::from(workload.topics),
        };
        let most = match search.grow {
            Growth::Rate => search.most,
            Growth::Subscribers => search.most.floor(),
        };
        let load = begin.min(most).max(least);
        Self {
            growth: search.grow,
            least,
            most: most.max(least),
            confirmations: confirmations as usize,
            repeats: 0,
            state: State::Ramp { load, held: None, broke: None },
        }
    }

    /// The next load; `None` when the search is over.
    pub(crate) fn step(&self) -> Option<Step> {
        let (load, purpose) = match &self.state {
            State::Ramp { load, .. } => (*load, Purpose::Ramp),
            State::Bisection { held, broke } => (self.middle(*held, *broke), Purpose::Bisection),
            State::Confirmation { load, .. } => (*load, Purpose::Confirmation),
            State::Overload(loads) => (*loads.last()?, Purpose::Overload),
            State::Over => return None,
        };
        Some(Step { load, purpose })
    }

    /// Notes the result of the trial at [`Self::step`].
    pub(crate) fn tell(&mut self, verdict: Verdict) {
        let held = match verdict {
            Verdict::Interrupted => {
                self.state = State::Over;
                return;
            }
            Verdict::HeldInSpite | Verdict::Void | Verdict::Failed
                if self.repeats < MOST_REPEATS && !self.is_overload() =>
            {
                self.repeats += 1;
                return;
            }
            // The generator cannot saturate the server: the last load that held is within its capacity.
            Verdict::Void if !self.is_overload() => {
                self.state = State::Over;
                return;
            }
            Verdict::Held | Verdict::HeldInSpite => true,
            Verdict::Broke | Verdict::Void | Verdict::Failed => false,
        };
        let fails_from_the_start = verdict == Verdict::Failed && matches!(self.state, State::Ramp { held: None, .. });
        self.repeats = 0;
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Ramp { .. } if fails_from_the_start => State::Over,
            State::Ramp { load, held: before, broke } => self.ramped(load, held, before, broke),
            State::Bisection { held: low, broke: high } => {
                let load = self.middle(low, high);
                if held { self.between(load, high) } else { self.between(low, load) }
            }
            State::Confirmation { load, walked } => self.walked(load, held, walked),
            State::Overload(mut loads) => {
                loads.pop();
                if loads.is_empty() { State::Over } else { State::Overload(loads) }
            }
            State::Over => State::Over,
        };
    }

    /// The most trials that remain, without repeats.
    pub(crate) fn most_left(&self) -> u64 {
        let steps = |ratio: f64, base: f64| whole(ratio.max(1.0).log(base).ceil());
        // Half of an odd number of subscribers is rounded.
        let whole = u64::from(self.growth == Growth::Subscribers);
        let bisections = |ratio: f64| steps(ratio.max(STEP).log(STEP), 2.0) + whole;
        let after = self.confirmations as u64 + OVERLOADS.len() as u64;
        match &self.state {
            State::Ramp { load, broke: None, held } => {
                let up = steps(self.most / load, 2.0);
                let down = if held.is_some() { 0 } else { steps(load / self.least, 2.0) };
                1 + up.max(down) + bisections(2.0) + after
            }
            State::Ramp { load, .. } => 1 + steps(load / self.least, 2.0) + bisections(2.0) + after,
            State::Bisection { held, broke } => bisections(broke / held) + after,
            State::Confirmation { walked, .. } => after - walked.len() as u64,
            State::Overload(loads) => loads.len() as u64,
            State::Over => 0,
        }
    }

    const fn is_overload(&self) -> bool {
        matches!(self.state, State::Overload(_))
    }

    fn ramped(&self, load: f64, held: bool, before: Option<f64>, broke: Option<f64>) -> State {
        match (held, before, broke) {
            (true, _, Some(broke)) => self.between(load, broke),
            (false, Some(before), _) => self.between(before, load),
            (true, _, None) if load >= self.most => State::Over,
            (true, _, None) => State::Ramp { load: (load * 2.0).min(self.most), held: Some(load), broke: None },
            (false, None, _) if load <= self.least => State::Over,
            (false, None, _) => {
                let half = self.whole(load / 2.0).max(self.least);
                State::Ramp { load: half, held: None, broke: Some(load) }
            }
        }
    }

    /// Bisects the gap, or begins the staircase if the gap is small.
    fn between(&self, held: f64, broke: f64) -> State {
        let middle = self.middle(held, broke);
        if broke / held <= STEP || middle <= held || middle >= broke {
            State::Confirmation { load: held, walked: Vec::new() }
        } else {
            State::Bisection { held, broke }
        }
    }

    fn walked(&self, load: f64, held: bool, mut walked: Vec<f64>) -> State {
        walked.push(load);
        if walked.len() < self.confirmations {
            let load = if held { self.above(load) } else { self.below(load) };
            return State::Confirmation { load, walked };
        }
        let logarithms: f64 = walked.iter().map(|load| load.ln()).sum();
        let capacity = (logarithms / float(walked.len() as u64)).exp();
        let mut loads: Vec<f64> =
            OVERLOADS.iter().rev().map(|over| self.whole(capacity * over).min(self.most)).collect();
        loads.dedup();
        loads.retain(|&load| load > capacity * STEP);
        if loads.is_empty() { State::Over } else { State::Overload(loads) }
    }

    fn above(&self, load: f64) -> f64 {
        let next = self.whole(load * STEP);
        if next > load { next.min(self.most) } else { (load + 1.0).min(self.most) }
    }

    fn below(&self, load: f64) -> f64 {
        let next = self.whole(load / STEP);
        if next < load { next.max(self.least) } else { (load - 1.0).max(self.least) }
    }

    fn middle(&self, held: f64, broke: f64) -> f64 {
        self.whole((held * broke).sqrt())
    }

    /// A load that can be run: subscribers are whole numbers.
    fn whole(&self, load: f64) -> f64 {
        match self.growth {
            Growth::Rate => load,
            Growth::Subscribers => load.round(),
        }
    }
}

#[cfg(test)]
mod tests;
