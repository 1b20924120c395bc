//! A column: what it reads of a row's values, how it writes that, and which of its figures is best.

use serde::Serialize;

use super::{Entry, Mark, Subject};
use crate::kind::Kind;
use crate::number::{ABSENT, Quantity};
use crate::rank::LEAST_TRIALS;
use pushoff_stats::Figure;

/// What is better in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Better {
    Less,
    More,
    /// Nothing: the figure is not a contest.
    Neither,
}

/// What a column reads from a cell.
pub(crate) enum Reading {
    Figure(Option<Figure>),
    /// A count of what should not happen.
    Fault(u64),
}

/// What a reader sees of a column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    /// Its head.
    pub(crate) head: &'static str,
    /// What it means, for the reader who wonders.
    pub(crate) help: &'static str,
    /// What it is about.
    pub(crate) kind: Kind,
    /// Its place where there is not room for all, from 1.
    pub(crate) importance: u8,
}

/// A column of a table over values of one kind.
pub(crate) struct Column<T: 'static> {
    /// What a reader sees of it.
    pub(crate) shown: Head,
    /// How it is written.
    pub(crate) quantity: Quantity,
    /// Which end is better.
    pub(crate) better: Better,
    /// The latency behind it, where a difference below the noise of the machine is none.
    pub(crate) latency: Option<fn(&T) -> Option<Figure>>,
    /// What it reads.
    pub(crate) read: fn(&T) -> Reading,
}

/// A column: importance, head, kind, quantity, what is better, what it means, what it reads, and the
/// latency behind it where there is one.
macro_rules! column {
    ($importance:literal, $head:expr, $kind:ident, $quantity:ident, $better:ident, $help:literal, $read:expr) => {
        $crate::table::column!($importance, $head, $kind, $quantity, $better, $help, $read, None)
    };
    (
        $importance:literal, $head:expr, $kind:ident, $quantity:ident, $better:ident, $help:literal, $read:expr,
        $latency:expr
    ) => {
        $crate::table::Column {
            shown: $crate::table::Head {
                head: $head,
                help: $help,
                kind: $crate::kind::Kind::$kind,
                importance: $importance,
            },
            quantity: $crate::number::Quantity::$quantity,
            better: $crate::table::Better::$better,
            latency: $latency,
            read: $read,
        }
    };
}
pub(crate) use column;

impl<T> Column<T> {
    fn figure(&self, values: &T) -> Option<Figure> {
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        match (self.read)(values) {
            Reading::Figure(figure) => figure.filter(|figure| figure.point.is_finite()),
            Reading::Fault(count) => Some(Figure { point: count as f64, interval: None }),
        }
    }

    pub(super) fn is_measured(&self, subjects: &[Subject<'_, '_, T>]) -> bool {
        subjects.iter().filter_map(|it| it.values).any(|it| self.figure(it).is_some())
    }

    pub(crate) fn entry(&self, subject: &Subject<'_, '_, T>, mark: Mark) -> Entry {
        if self.quantity == Quantity::Ratio && self.latency.is_some() && !subject.transport.is_ranked() {
            return Entry { point: String::new(), interval: None, mark: Mark::None };
        }
        let Some((values, figure)) = subject.values.and_then(|it| Some((it, self.figure(it)?))) else {
            return Entry { point: ABSENT.into(), interval: None, mark: Mark::None };
        };
        let mark = if matches!((self.read)(values), Reading::Fault(1..)) { Mark::Fault } else { mark };
        let point = self.quantity.write(figure.point);
        if subject.is_at_least && self.shown.kind == Kind::Capacity {
            return Entry { point: format!("≥ {point}"), interval: None, mark };
        }
        Entry { point, interval: self.quantity.write_interval(&figure), mark }
    }

    /// One mark a subject. Only ranked transports with enough valid trials take part.
    pub(crate) fn marks(&self, subjects: &[Subject<'_, '_, T>], noise_ns: f64) -> Vec<Mark> {
        let contest: Vec<(usize, Figure, &T)> = subjects
            .iter()
            .enumerate()
            .filter(|(_, it)| it.transport.is_ranked() && it.void.is_none() && it.trials >= LEAST_TRIALS)
            .filter_map(|(index, it)| Some((index, self.figure(it.values?)?, it.values?)))
            .collect();
        let mut marks = vec![Mark::None; subjects.len()];
        let by_point = |one: &&(usize, Figure, &T), other: &&(usize, Figure, &T)| one.1.point.total_cmp(&other.1.point);
        let best = match self.better {
            Better::Less => contest.iter().min_by(by_point),
            Better::More => contest.iter().max_by(by_point),
            Better::Neither => None,
        };
        let Some((_, best, theirs)) = best.filter(|_| contest.len() > 1) else { return marks };
        let is_noise = |values: &T| {
            let latency = self.latency.and_then(|latency| Some((latency(values)?, latency(theirs)?)));
            latency.is_some_and(|(one, other)| (one.point - other.point).abs() < noise_ns)
        };
        let is_stepped = self.shown.kind == Kind::Capacity;
        let is_near = |it: &Figure| it.is_near(best) || is_stepped && it.overlaps(best);
        let near = contest.iter().filter(|(_, figure, values)| is_near(figure) || is_noise(values));
        let near: Vec<usize> = near.map(|(index, ..)| *index).collect();
        let mark = if near.len() == 1 { Mark::Best } else { Mark::Tied };
        for index in near {
            marks[index] = mark;
        }
        marks
    }
}
