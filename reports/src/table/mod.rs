//! Tables: metrics × cells, laid out once for the page, the Markdown, the terminal, `--json` and CSV.
//!
//! Metrics are listed by importance, which a terminal goes by when there is not room for all; the page sets them
//! in the order of the catalogue. The best of a metric is marked only where no other comes near it; else all that
//! come near the best are marked as tied. What differs by less than the machine's noise is near.

mod marks;
pub(crate) mod metrics;

use pushoff_model::{CellKey, Transport};

use crate::cells::validity::{self, Validity};
use crate::metric::Standing;
use crate::metric::{Bound, Figures, Metric, Value};
use crate::words::number::{ABSENT, Quantity};

pub(crate) use marks::{Mark, marks};

/// A cell that has a row.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) key: CellKey,
    /// What tells its row from others of its transport, where there are several.
    pub(crate) of: Option<String>,
    /// Whether it is good enough, where that is asked.
    pub(crate) standing: Option<&'a Standing>,
    pub(crate) validity: Validity,
    /// Why its figures are void, if they are.
    pub(crate) void: Option<String>,
    pub(crate) is_choice: bool,
    /// How many trials its figures rest on: fewer than two are no contest.
    pub(crate) trials: usize,
    pub(crate) figures: Option<&'a Figures>,
}

impl<'a> Subject<'a> {
    /// One that nothing is known of but its figures.
    pub(crate) const fn new(key: CellKey, figures: Option<&'a Figures>) -> Self {
        let (of, standing, void) = (None, None, None);
        Self { key, of, standing, validity: Validity::NotMeasured, void, is_choice: false, trials: 0, figures }
    }
}

/// One figure, written out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The point with its unit.
    pub(crate) point: String,
    /// The interval, `(1.19–1.31)`.
    pub(crate) interval: Option<String>,
    /// How it stands.
    pub(crate) mark: Mark,
    /// What it says, for machines.
    pub(crate) value: Option<Value>,
}

impl Entry {
    /// A figure in its unit. A bound has no interval.
    pub(crate) fn of(unit: Quantity, value: Value, mark: Mark) -> Self {
        Self {
            point: format!("{}{}", value.bound.sign(), unit.write(value.figure.point)),
            interval: unit.write_interval(&value.figure).filter(|_| value.bound == Bound::Exact),
            mark,
            value: Some(value),
        }
    }

    /// A figure of a metric. A difference of two readings that may be none is none.
    pub(crate) fn of_metric(metric: Metric, value: Value, mark: Mark) -> Self {
        if metric.is_of_memory() && value.figure.low() <= 0.0 {
            return Self::words(UNRESOLVED);
        }
        Self::of(metric.unit(), value, mark)
    }

    /// Words in place of a figure.
    pub(crate) fn words(words: impl Into<String>) -> Self {
        Self { point: words.into(), interval: None, mark: Mark::None, value: None }
    }

    /// What stands where nothing was measured.
    pub(crate) fn absent() -> Self {
        Self::words(ABSENT)
    }

    /// Point and interval in one line.
    pub(crate) fn whole(&self) -> String {
        self.interval.as_ref().map_or_else(|| self.point.clone(), |interval| format!("{} {interval}", self.point))
    }
}

/// One cell's figures.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) key: CellKey,
    /// What tells it from other rows of its transport.
    pub(crate) of: Option<String>,
    /// Whether it is good enough, where that is asked.
    pub(crate) standing: Option<Standing>,
    /// What limited it.
    pub(crate) validity: Validity,
    /// Why its figures are void, if they are.
    pub(crate) void: Option<String>,
    /// Whether it is the one to take.
    pub(crate) is_choice: bool,
    /// One entry a column; all absent where nothing was measured.
    pub(crate) entries: Vec<Entry>,
}

impl Row {
    pub(crate) const fn transport(&self) -> Transport {
        self.key.transport
    }

    /// `SSE`, or `SSE on nchan` where there are several rows of a transport.
    pub(crate) fn name(&self) -> String {
        let label = self.transport().label();
        self.of.as_ref().map_or_else(|| label.to_owned(), |of| format!("{label}{of}"))
    }

    /// What needs a reason: that it is void, fails or is undecided.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.void.as_deref().or_else(|| self.standing.as_ref().and_then(Standing::reason))
    }
}

/// A table: a row a cell.
#[derive(Debug)]
pub(crate) struct Table {
    /// The columns that at least one cell has a figure for, by importance.
    pub(crate) columns: Vec<Metric>,
    /// The cells, the floor last.
    pub(crate) rows: Vec<Row>,
    /// What needs saying below: limits, void cells, and figures that could not be given.
    pub(crate) notes: Vec<String>,
}

impl Table {
    /// Lays out metrics over cells. Latencies that differ by less than `noise_ns` do not differ.
    pub(crate) fn lay_out(metrics: &[Metric], subjects: Vec<Subject<'_>>, noise_ns: f64) -> Self {
        let is_measured =
            |metric: &Metric| subjects.iter().any(|it| it.figures.is_some_and(|it| it.get(*metric).is_some()));
        let metrics: Vec<Metric> = metrics.iter().copied().filter(is_measured).collect();
        let marks: Vec<Vec<Mark>> = metrics.iter().map(|metric| marks(*metric, &subjects, noise_ns)).collect();
        let cells: Vec<_> = subjects.iter().map(|subject| (subject.key.transport, subject.validity)).collect();
        let rows = subjects.into_iter().enumerate().map(|(index, subject)| Row {
            entries: metrics.iter().zip(&marks).map(|(metric, marks)| entry(*metric, &subject, marks[index])).collect(),
            key: subject.key,
            of: subject.of,
            standing: subject.standing.cloned(),
            validity: subject.validity,
            void: subject.void,
            is_choice: subject.is_choice,
        });
        let rows: Vec<Row> = rows.collect();
        let mut notes: Vec<String> = validity::note(&cells).into_iter().collect();
        notes.extend(rows.iter().flat_map(|row| &row.entries).any(|it| it.point == UNRESOLVED).then(unresolved));
        Self { rows, columns: metrics, notes }
    }

    /// Whether it is asked of any row whether it is good enough.
    pub(crate) fn has_standings(&self) -> bool {
        self.rows.iter().any(|row| row.standing.is_some())
    }

    /// Whether anything limited any row.
    pub(crate) fn has_limits(&self) -> bool {
        self.rows.iter().any(|row| row.validity != Validity::NotSaturated)
    }

    /// The places of the columns in the order of the page.
    pub(crate) fn in_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        order.sort_by_key(|&index| self.columns[index]);
        order
    }
}

/// What stands where a difference of two readings cannot be told from none.
const UNRESOLVED: &str = "unresolved";

fn unresolved() -> String {
    format!("{UNRESOLVED}: memory before and after differs by no more than it differs from trial to trial.")
}

fn entry(metric: Metric, subject: &Subject<'_>, mark: Mark) -> Entry {
    let value = subject.figures.and_then(|figures| Some((figures, figures.value(metric)?)));
    value.map_or_else(Entry::absent, |(figures, value)| {
        let mark = if figures.has_fault(metric) { Mark::Fault } else { mark };
        Entry::of_metric(metric, value, mark)
    })
}

/// What is below the noise of the machine, where that was measured.
pub(crate) fn noise(noise_ns: f64) -> Option<String> {
    let words = Quantity::Time.write(noise_ns);
    (noise_ns > 0.0).then(|| {
        format!("Latencies that differ by less than {words}, what this machine differs from itself by, are not called different.")
    })
}
