//! A cell that is compared with others: its figures, and their ratios to another cell's, drawn in pairs of trials.

use pushoff_model::record::Measurement;
use pushoff_model::wire::Wire;
use pushoff_model::{CellKey, Transport};

use crate::cells::faults::CellFaults;
use crate::cells::validity::Validity;
use crate::cells::{Cell, Group, Round, in_common};
use crate::findings::comparison::{Comparison, Holding};
use crate::findings::search::{self, Curve, Searched};
use crate::metric::Standing;
use crate::metric::{Bound, Evidence, Figures, Metric, Value};
use crate::table::Subject;
use pushoff_stats::{Figure, Sampled};

/// From so many pairs on, the ratio is drawn in pairs even if some trials have no partner. With fewer, it is drawn in
/// pairs only if every trial has one. Chosen here: below three pairs a spread is not known.
const LEAST_PAIRS: usize = 3;

/// A cell that is compared with others.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) key: CellKey,
    /// Whether it is good enough, where that is asked.
    pub(crate) standing: Option<Standing>,
    /// What limited it.
    pub(crate) validity: Validity,
    /// Why its figures are void, if they are.
    pub(crate) void: Option<String>,
    /// What went wrong in its trials.
    pub(crate) faults: CellFaults,
    pub(crate) figures: Figures,
    /// What its statistics are of: the trials that are shown; none of a search.
    shown: Vec<&'a Measurement>,
    /// The trials that count: with those of other lines that ran in the same round they make pairs.
    counting: Vec<Round<'a>>,
}

/// What a group came to.
#[derive(Clone, Copy)]
pub(crate) enum Part<'s, 'a> {
    Compared(&'s Comparison<'a>),
    Held(&'s Holding<'a>),
    Searched(&'s Searched<'a>),
}

impl<'s, 'a> Part<'s, 'a> {
    pub(crate) const fn group(self) -> &'s Group<'a> {
        match self {
            Self::Compared(it) => &it.group,
            Self::Held(it) => &it.group,
            Self::Searched(it) => &it.group,
        }
    }

    /// Its cells, each as a line.
    pub(crate) fn lines(self) -> impl Iterator<Item = Line<'a>> {
        let cells = self.group().cells.iter().enumerate();
        cells.map(move |(index, cell)| self.line(cell, index))
    }

    /// The line of a transport.
    pub(crate) fn line_of(self, transport: Transport) -> Option<Line<'a>> {
        let index = self.group().cells.iter().position(|cell| cell.transport() == transport)?;
        Some(self.line(&self.group().cells[index], index))
    }

    fn line(self, cell: &Cell<'a>, index: usize) -> Line<'a> {
        let line = Line {
            key: cell.key.clone(),
            standing: None,
            validity: Validity::of(cell),
            void: cell.void_reason().map(str::to_owned),
            faults: CellFaults::of(&cell.trials),
            figures: Figures::default(),
            shown: cell.shown(),
            counting: cell.rounds(),
        };
        match self {
            Self::Compared(comparison) => {
                let candidate = &comparison.candidates[index];
                let (standing, figures) = (candidate.standing.clone(), candidate.figures.clone().unwrap_or_default());
                Line { standing: Some(standing), figures, ..line }
            }
            Self::Held(holding) => Line { figures: holding.figures[index].clone().unwrap_or_default(), ..line },
            Self::Searched(searched) => {
                let curve: &Curve = &searched.curves[index];
                Line {
                    validity: search::validity(curve),
                    // What held in spite of a limit is a lower bound.
                    void: curve.void.clone().filter(|_| curve.capacity.is_none()),
                    figures: search::figures(curve, searched),
                    shown: Vec::new(),
                    ..line
                }
            }
        }
    }
}

impl Line<'_> {
    pub(crate) const fn transport(&self) -> Transport {
        self.key.transport
    }

    pub(crate) fn server(&self) -> &str {
        &self.key.conditions.server
    }

    /// What carried the bytes.
    pub(crate) fn wire(&self) -> Wire {
        self.key.conditions.wire()
    }

    /// As a table shows it.
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            standing: self.standing.as_ref(),
            validity: self.validity,
            void: self.void.clone(),
            trials: self.trials(),
            ..Subject::new(self.key.clone(), Some(&self.figures))
        }
    }

    /// How many trials count.
    pub(crate) const fn trials(&self) -> usize {
        self.counting.len()
    }

    /// This line's figure divided by the other's; `None` where either is absent, void, or not above zero.
    pub(crate) fn over(&self, other: &Self, metric: Metric) -> Option<Value> {
        if std::ptr::eq(self, other) {
            return None;
        }
        let (ours, theirs) = (self.figures.value(metric)?, other.figures.value(metric)?);
        // The exact figure of a void cell is not used. A lower bound is: the generator's limit made it one.
        let is_void = |line: &Line<'_>, value: &Value| line.void.is_some() && value.bound == Bound::Exact;
        if is_void(self, &ours) || is_void(other, &theirs) {
            return None;
        }
        let bound = ours.bound.over(theirs.bound)?;
        if bound != Bound::Exact {
            let point = ours.figure.point / theirs.figure.point;
            return Some(Value { figure: Figure { point, interval: None }, bound })
                .filter(|_| theirs.figure.point > 0.0);
        }
        let figure = match self.paired(other, metric) {
            Some(ratio) => Some(ratio.figure),
            None => ours.figure.over(&theirs.figure),
        };
        // Differences, such as of memory, may be zero or below: those have no ratio.
        figure.filter(|it| it.point > 0.0 && it.point.is_finite()).map(|figure| Value { figure, bound })
    }

    /// This line's figure divided by the other's, over the rounds in which a trial of each counts: what the machine did
    /// in a round cancels out. `None` where the two have too few rounds in common.
    pub(crate) fn paired(&self, other: &Self, metric: Metric) -> Option<Sampled> {
        let pairs = in_common(&self.counting, &other.counting);
        if pairs.len() < LEAST_PAIRS && self.counting != other.counting {
            return None;
        }
        let of = |line: &Line<'_>| metric.statistic(&Evidence::of_trials(line.transport(), line.shown.clone()));
        let figure = of(self)?.over(&of(other)?, [self.trials(), other.trials()], &pairs)?;
        Some(Sampled { figure, trials: pairs.len() })
    }
}

/// Whether the ratio is not shown to differ from 1. A ratio without an interval never is.
pub(crate) fn holds_one(ratio: &Value) -> bool {
    ratio.figure.interval.is_none_or(|it| it.low <= 1.0 && 1.0 <= it.high)
}
