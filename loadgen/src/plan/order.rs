//! The order of trials: block-randomised, so that drift of the machine affects all cells alike.
//!
//! Every round holds each cell (workload × transport × client × server) once, in an order shuffled by the seed.
//! Servers that are compared run one right after the other, in random order, because a pair of trials is worth more
//! the closer it stands. Trials that can run at once, over networks, come first in a round. A trial that the machine
//! spoilt is measured again at the end of its round, once, so that rounds stay whole. A cell whose capacity is searched
//! takes part until its search ends: each round is one step of every search, so no result depends on when in the run it
//! was measured.

use std::time::Duration;

use pushoff_model::cell::SERVER;
use pushoff_model::record::{Failure, FailureKind, Limit, Outcome};
use pushoff_model::workload::{Growth, Search};
use pushoff_model::{Client, Transport, Workload};
use rand::seq::SliceRandom;

use super::asked::{Asked, AskedCell, Trial};
use super::descriptors::most_subscribers;
use super::search::{CapacitySearch, verdict};
use crate::seeding::{Purpose, mix, stream};

/// Rounds, in a run without a number of them, of what others are compared with: the raw TCP floor and other clients.
/// Chosen here: with two, one degree of freedom makes an interval of 13 standard errors, with three 4.
const REFERENCE_ROUNDS: u32 = 3;
/// Trials of a search's staircase, in a run without a number of rounds; else twice as many as there are rounds.
const STAIRCASE: u32 = 8;

/// The trials of a run. It hands out the next one and is told each outcome.
#[derive(Clone, Debug)]
pub struct Plan {
    cells: Vec<Cell>,
    seed: u64,
    round: u32,
    /// The cells that remain in this round, the next one last.
    rest: Vec<usize>,
    /// The cells to measure again at its end.
    spoilt: Vec<usize>,
    /// Whether `rest` holds cells that are measured again.
    repeats: bool,
    begun: u32,
}

#[derive(Clone, Debug)]
struct Cell {
    /// Its workload's number.
    place: u64,
    /// The common part of its trials. A search replaces the load of its workload.
    trial: Trial,
    /// Whether a trial that the machine spoilt is measured again.
    is_repeated: bool,
    part: Part,
}

/// How long a cell takes part.
#[derive(Clone, Debug)]
enum Part {
    /// In every round.
    Always,
    /// In the rounds up to this one.
    Until(u32),
    /// Until the search ends.
    Search(CapacitySearch),
}

/// The rest of a run; of its present round, where only the caller ends the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Trials.
    pub trials: u64,
    /// How long they take.
    pub time: Duration,
    /// Whether fewer may follow: a search ends when it has its result.
    pub at_most: bool,
}

impl Plan {
    /// A plan with nothing done.
    #[must_use]
    pub fn new(asked: &Asked<'_>) -> Self {
        let mut cells = Vec::new();
        for (place, workload) in (0..).zip(asked.workloads) {
            for cell in asked.cells(workload) {
                // In the time that one trial over a network takes, all others of a round are measured as well.
                let is_repeated = cell.network.is_none() || asked.rounds.is_some();
                let (part, trial) = (part(asked, &cell), cell.trial(asked.whole, cells.len()));
                cells.push(Cell { place, trial, is_repeated, part });
            }
        }
        Self { cells, seed: asked.seed, round: 0, rest: Vec::new(), spoilt: Vec::new(), repeats: false, begun: 0 }
    }

    /// The next trials, to be run at the same time; none when the run is over. Call [`Self::ended`] for each of them before
    /// the next. Without a network, a trial runs alone.
    pub fn next_trials(&mut self) -> Vec<Trial> {
        let mut trials: Vec<Trial> = self.next_trial().into_iter().collect();
        let mut taken: f64 = trials.iter().map(Trial::share).sum();
        while let Some(&next) = self.rest.last() {
            taken += self.cells[next].trial.share();
            if taken > 1.0 {
                break;
            }
            trials.extend(self.next_trial());
        }
        trials
    }

    /// The next trial; `None` when the run is over. Call [`Self::ended`] for each trial before the next.
    pub fn next_trial(&mut self) -> Option<Trial> {
        if self.rest.is_empty() {
            if self.spoilt.is_empty() {
                self.begin_round();
            } else {
                (self.rest, self.repeats) = (std::mem::take(&mut self.spoilt), true);
            }
        }
        let Cell { place, trial, part, .. } = self.cells.get(self.rest.pop()?)?;
        let step = match part {
            Part::Search(search) => search.step().map(|step| (search.growth, step)),
            Part::Always | Part::Until(_) => None,
        };
        self.begun += 1;
        let stepped = step.map(|(growth, step)| trial.asked.at(growth, step.load).into());
        Some(Trial {
            workload: stepped.unwrap_or_else(|| trial.workload.clone()),
            step: step.map(|(_, step)| step),
            number: self.round,
            position: self.begun,
            seed: mix(mix(self.seed ^ mix(*place)) ^ u64::from(self.round)),
            ..trial.clone()
        })
    }

    /// Notes a trial's outcome: it decides a search's next step, and whether the trial is measured again.
    pub fn ended(&mut self, trial: &Trial, outcome: &Outcome) {
        let Some(cell) = self.cells.get_mut(trial.cell) else { return };
        match &mut cell.part {
            Part::Search(search) => search.tell(verdict(cell.trial.asked.slo.as_ref(), outcome)),
            Part::Always | Part::Until(_) if is_spoilt(outcome) && !self.repeats && cell.is_repeated => {
                self.spoilt.push(trial.cell);
            }
            Part::Always | Part::Until(_) => {}
        }
    }

    /// Leaves the trials of this round that the machine spoilt as they are: there is no time to measure them again.
    pub fn forgo_repeats(&mut self) {
        self.spoilt.clear();
        if self.repeats {
            self.rest.clear();
        }
    }

    /// The present round, from 1; 0 before the first trial.
    #[must_use]
    pub const fn round(&self) -> u32 {
        self.round
    }

    /// Whether nothing of the present round is left, once its last trial has [`Self::ended`].
    #[must_use]
    pub const fn is_round_complete(&self) -> bool {
        self.rest.is_empty() && self.spoilt.is_empty()
    }

    /// Whether no trial will follow.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_round_complete() && !self.cells.iter().any(|cell| cell.goes_on(self.round))
    }

    /// Takes cells out of the rounds that follow. A search goes on.
    pub fn leave_out(&mut self, out: impl Fn(&AskedCell<'_>) -> bool) {
        for cell in &mut self.cells {
            match cell.part {
                Part::Always | Part::Until(_) if out(&cell.trial.as_asked()) => {
                    cell.part = Part::Until(self.round);
                }
                Part::Always | Part::Until(_) | Part::Search(_) => {}
            }
        }
    }

    /// The rest, if a trial of a workload `takes` that long; of the present round alone, or of the next one where
    /// that is complete, if only the caller ends the run.
    #[must_use]
    pub fn left(&self, takes: impl Fn(&Workload) -> Duration) -> Left {
        let ends = !self.cells.iter().any(|cell| matches!(cell.part, Part::Always));
        let begins = u32::from(self.is_round_complete());
        let mut left = Left::default();
        for (number, cell) in self.cells.iter().enumerate() {
            let in_round = self.rest.iter().chain(&self.spoilt).filter(|&&due| due == number).count() as u64;
            let (trials, at_most) = match &cell.part {
                Part::Search(search) => (search.most_left(), search.step().is_some()),
                Part::Until(last) if ends => (in_round + u64::from(last.saturating_sub(self.round)), false),
                Part::Until(last) => (in_round + u64::from(last.saturating_sub(self.round).min(begins)), false),
                Part::Always => (in_round + u64::from(begins), false),
            };
            left.trials += trials;
            let takes = takes(&cell.trial.workload).mul_f64(cell.trial.share());
            left.time += takes.saturating_mul(u32::try_from(trials).unwrap_or(u32::MAX));
            left.at_most |= at_most;
        }
        left
    }

    /// How long the next round takes, if a trial of a workload `takes` that long. A search has one step in it.
    #[must_use]
    pub fn next_round(&self, takes: impl Fn(&Workload) -> Duration) -> Duration {
        let going = self.cells.iter().filter(|cell| cell.goes_on(self.round));
        going.map(|cell| takes(&cell.trial.workload).mul_f64(cell.trial.share())).sum()
    }

    fn begin_round(&mut self) {
        let goes_on = |&number: &usize| self.cells[number].goes_on(self.round);
        let going: Vec<usize> = (0..self.cells.len()).filter(goes_on).collect();
        if going.is_empty() {
            return;
        }
        let asks_the_same = |&one: &usize, &other: &usize| self.cells[one].asks_the_same_as(&self.cells[other]);
        let mut sides: Vec<Vec<usize>> = going.chunk_by(asks_the_same).map(<[usize]>::to_vec).collect();
        self.round += 1;
        let mut random = stream(self.seed, Purpose::Order, self.round.into());
        sides.shuffle(&mut random);
        sides.iter_mut().for_each(|servers| servers.shuffle(&mut random));
        // Those that can run at once stand together, at the end, which comes first.
        sides.sort_by_key(|servers| servers.iter().any(|&number| self.cells[number].trial.share() < 1.0));
        (self.rest, self.repeats) = (sides.concat(), false);
    }
}

impl Cell {
    /// Whether it takes part in a round after this one.
    fn goes_on(&self, round: u32) -> bool {
        match &self.part {
            Part::Always => true,
            Part::Until(last) => round < *last,
            Part::Search(search) => search.step().is_some(),
        }
    }

    /// Whether two cells differ only in the server. Such cells are neighbours in the plan.
    fn asks_the_same_as(&self, other: &Self) -> bool {
        (self.place, self.trial.transport) == (other.place, other.trial.transport)
            && self.trial.conditions().is_same_without(&other.trial.conditions(), SERVER)
    }
}

/// How long a cell takes part in a run.
fn part(asked: &Asked<'_>, cell: &AskedCell<'_>) -> Part {
    let workload = &**cell.workload;
    match (&workload.search, asked.rounds) {
        (Some(search), rounds) => {
            let within = fitting(search, workload, cell.transport, cell.client, asked.descriptors);
            let walk = rounds.map_or(STAIRCASE, |rounds| rounds.get().saturating_mul(2));
            Part::Search(CapacitySearch::new(&within, workload, walk))
        }
        (None, Some(rounds)) => Part::Until(rounds.get()),
        (None, None) if cell.is_contender() => Part::Always,
        (None, None) => Part::Until(REFERENCE_ROUNDS),
    }
}

/// Whether the machine spoilt a trial, which says nothing about the server then: it was short of processors or its
/// network resent, or it or the generator failed.
fn is_spoilt(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Measured(measurement) => measurement.concerns.iter().any(|concern| concern.limit == Limit::Machine),
        Outcome::Failed(Failure { kind, .. }) => matches!(kind, FailureKind::Machine | FailureKind::Generator),
        Outcome::NotRun(_) => false,
    }
}

/// Limits a search to what the descriptors allow.
fn fitting(search: &Search, workload: &Workload, transport: Transport, client: Client, descriptors: u64) -> Search {
    match search.grow {
        Growth::Rate => *search,
        Growth::Subscribers => {
            let most = most_subscribers(workload, transport, client, descriptors);
            Search { most: search.most.min(f64::from(most)), ..*search }
        }
    }
}

#[cfg(test)]
mod tests;
