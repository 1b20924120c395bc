//! The decision surface: which transport is the one to take, at how many updates a second, for how
//! many users and within which time.
//!
//! Pure. A point is the planner's answer and nothing else: the same choice, the same sureness, and
//! beyond what was measured where the planner says so. A map is one staleness; a kind of workload
//! (who hears a message, who speaks, how long it is) has a map for each of [`WITHIN`].

mod borders;
mod kinds;
mod land;
mod rules;

use std::cmp::Reverse;

use pushoff_model::Transport;

use pushoff_planner::costs::CostModel;
use pushoff_planner::{Answer, Needs, Prices, Sureness, answer};

use borders::crossings;
pub(crate) use borders::{Crossing, rows_words, sentence};
#[cfg(test)]
pub(crate) use kinds::Stand;
pub(crate) use kinds::{Kind, kinds};
pub(crate) use land::{Spot, blocks, spots};
pub(crate) use rules::{Line, Rule, rules};

/// Seconds within which an update is to be there, a map each.
pub(crate) const WITHIN: [f64; 4] = [0.1, 1.0, 10.0, 60.0];
/// Points along the rate, from [`LEAST_RATE`] on.
pub(crate) const COLUMNS: usize = 33;
/// Points along the users, from [`LEAST_USERS`] on.
pub(crate) const ROWS: usize = 21;
const COLUMNS_A_DECADE: f64 = 8.0;
const ROWS_A_DECADE: f64 = 4.0;
/// Updates a second to each user: one in 100 s.
const LEAST_RATE: f64 = 0.01;
const LEAST_USERS: f64 = 100.0;
/// The rows whose borders are looked for between the points: a decade of users each.
pub(crate) const WALKED: [usize; 6] = [0, 4, 8, 12, 16, 20];

/// The maps of one kind of workload.
#[derive(Debug)]
pub(crate) struct Surface {
    pub(crate) kind: Kind,
    pub(crate) maps: Vec<Map>,
}

/// A staleness.
#[derive(Debug)]
pub(crate) struct Map {
    /// What is asked at every point, but for rate and users.
    pub(crate) needs: Needs,
    /// A row of [`COLUMNS`] rates for each number of users, the fewest first.
    points: Vec<Point>,
    /// Where along the rate the answer changes, for each of [`WALKED`].
    pub(crate) crossings: Vec<Vec<Crossing>>,
}

/// What is to be done at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    /// The transport to take.
    pub(crate) choice: Option<Transport>,
    pub(crate) sureness: Sureness,
    /// Whether another cannot be told from the least money, so that simplicity decides.
    pub(crate) is_close: bool,
    /// Whether the choice, or what it is weighed against, lies beyond what was measured.
    pub(crate) is_beyond: bool,
}

impl Point {
    /// What the planner says.
    pub(crate) fn of(answer: &Answer) -> Self {
        Self {
            choice: answer.choice,
            sureness: answer.sureness,
            is_close: answer.choice.is_some() && answer.tied.len() > 1,
            is_beyond: !answer.beyond().is_empty(),
        }
    }
}

impl Surface {
    /// The maps of a kind.
    pub(crate) fn of(kind: Kind, model: &CostModel, prices: &Prices) -> Self {
        let map = |within| Map::of(Needs { staleness: within, ..kind.needs }, model, prices);
        Self { maps: WITHIN.into_iter().map(map).collect(), kind }
    }
}

impl Map {
    fn of(needs: Needs, model: &CostModel, prices: &Prices) -> Self {
        let at = |column: f64, row: f64| {
            Point::of(&answer(model, &Needs { rate: rate_at(column), users: users_at(row), ..needs }, prices))
        };
        let places = (0..ROWS).flat_map(|row| (0..COLUMNS).map(move |column| (float(column), float(row))));
        let mut map =
            Self { needs, points: places.map(|(column, row)| at(column, row)).collect(), crossings: Vec::new() };
        map.crossings = WALKED.into_iter().map(|row| crossings(&map, row, at)).collect();
        map
    }

    /// What is to be done there.
    pub(crate) fn at(&self, column: usize, row: usize) -> Point {
        self.points[row * COLUMNS + column]
    }

    pub(crate) fn points(&self) -> impl Iterator<Item = (usize, usize, Point)> {
        self.points.iter().enumerate().map(|(index, &point)| (index % COLUMNS, index / COLUMNS, point))
    }

    /// The part of its points of which something is so.
    pub(crate) fn share(&self, is_so: impl Fn(&Point) -> bool) -> f64 {
        float(self.points.iter().filter(|point| is_so(point)).count()) / float(self.points.len())
    }

    /// The transports that are taken anywhere, the most often taken first.
    pub(crate) fn taken(&self) -> Vec<Transport> {
        let mut taken: Vec<(usize, Transport)> = Transport::ALL
            .into_iter()
            .map(|it| (self.points.iter().filter(|point| point.choice == Some(it)).count(), it))
            .filter(|(count, _)| *count > 0)
            .collect();
        taken.sort_by_key(|(count, _)| Reverse(*count));
        taken.into_iter().map(|(_, transport)| transport).collect()
    }
}

/// Updates a second at a column, or between two of them.
pub(crate) fn rate_at(column: f64) -> f64 {
    LEAST_RATE * 10_f64.powf(column / COLUMNS_A_DECADE)
}

/// Users at a row, or between two of them.
pub(crate) fn users_at(row: f64) -> f64 {
    LEAST_USERS * 10_f64.powf(row / ROWS_A_DECADE)
}

#[expect(clippy::cast_precision_loss, reason = "a place on a map")]
pub(crate) const fn float(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests;
