//! How figures become a table, once for the page, the Markdown and the terminal.
//!
//! Columns stand in the order of the page; a terminal takes them by importance and drops the rest.
//! The best of a column is marked only where no other comes near it; else all that come near the best
//! are marked as tied. What differs by less than the machine's noise is near.

mod column;

use pushoff_model::Transport;

use crate::columns::COLUMNS;
use crate::number::Quantity;
use crate::rank::Standing;
use crate::study::Comparison;
use crate::validity::{self, Validity};

pub(crate) use column::{Better, Column, Head, Reading, column};

/// A transport that has a row, with its values.
pub(crate) struct Subject<'a, 'v, T> {
    pub(crate) transport: Transport,
    /// Whether it is good enough, where that is asked.
    pub(crate) standing: Option<&'a Standing>,
    pub(crate) validity: Validity,
    /// Why its figures are void, if they are.
    pub(crate) void: Option<String>,
    /// Whether its capacity is a lower bound only.
    pub(crate) is_at_least: bool,
    pub(crate) is_choice: bool,
    /// How many trials its values rest on: fewer than two are no contest.
    pub(crate) trials: usize,
    pub(crate) values: Option<&'v T>,
}

impl<'v, T> Subject<'_, 'v, T> {
    /// One that nothing is known of but its values.
    pub(crate) const fn new(transport: Transport, values: Option<&'v T>) -> Self {
        Self {
            transport,
            standing: None,
            validity: Validity::NotMeasured,
            void: None,
            is_at_least: false,
            is_choice: false,
            trials: 0,
            values,
        }
    }
}

/// How a figure stands among those of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Like any other.
    None,
    /// Better than all others.
    Best,
    /// Cannot be told from the best.
    Tied,
    /// Should be zero and is not.
    Fault,
}

/// One figure, written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The point with its unit.
    pub(crate) point: String,
    /// The interval, `(1.19–1.31)`.
    pub(crate) interval: Option<String>,
    /// How it stands.
    pub(crate) mark: Mark,
}

impl Entry {
    /// Point and interval in one line.
    pub(crate) fn whole(&self) -> String {
        self.interval.as_ref().map_or_else(|| self.point.clone(), |interval| format!("{} {interval}", self.point))
    }
}

/// One transport's figures.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    /// Which transport.
    pub(crate) transport: Transport,
    /// Of which server, where there are several in the table.
    pub(crate) server: Option<&'a str>,
    /// Whether it is good enough, where that is asked.
    pub(crate) standing: Option<&'a Standing>,
    /// What limited it.
    pub(crate) validity: Validity,
    /// Why its figures are void, if they are.
    pub(crate) void: Option<String>,
    /// Whether it is the one to take.
    pub(crate) is_choice: bool,
    /// One entry a column; all absent where nothing was measured.
    pub(crate) entries: Vec<Entry>,
}

impl Row<'_> {
    /// `SSE`, or `SSE on nchan` where there are several servers in the table.
    pub(crate) fn name(&self) -> String {
        let label = self.transport.label();
        self.server.map_or_else(|| label.to_owned(), |server| format!("{label} on {server}"))
    }

    /// What needs a reason: that it is void, fails or is undecided.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.void.as_deref().or_else(|| self.standing.and_then(Standing::reason))
    }
}

/// A table: a row a transport.
pub(crate) struct Table<'a> {
    /// The columns that at least one transport has a figure for.
    pub(crate) columns: Vec<Head>,
    /// The transports, the floor last.
    pub(crate) rows: Vec<Row<'a>>,
    /// What needs saying below: limits, void cells, and figures that could not be given.
    pub(crate) notes: Vec<String>,
}

impl<'a> Table<'a> {
    /// The numbers of the columns, the most important first.
    pub(crate) fn by_importance(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        order.sort_by_key(|&index| self.columns[index].importance);
        order
    }

    /// Lays out columns over the values of transports. Latencies that differ by less than
    /// `noise_ns` do not differ.
    pub(crate) fn lay_out<T>(columns: &'static [Column<T>], subjects: Vec<Subject<'a, '_, T>>, noise_ns: f64) -> Self {
        let columns: Vec<&'static Column<T>> = columns.iter().filter(|column| column.is_measured(&subjects)).collect();
        let marks: Vec<Vec<Mark>> = columns.iter().map(|column| column.marks(&subjects, noise_ns)).collect();
        let cells: Vec<_> = subjects.iter().map(|subject| (subject.transport, subject.validity)).collect();
        let rows = subjects.into_iter().enumerate().map(|(index, subject)| Row {
            entries: columns.iter().zip(&marks).map(|(column, marks)| column.entry(&subject, marks[index])).collect(),
            transport: subject.transport,
            server: None,
            standing: subject.standing,
            validity: subject.validity,
            void: subject.void,
            is_choice: subject.is_choice,
        });
        let rows = rows.collect();
        Self { rows, columns: columns.iter().map(|column| column.shown).collect(), notes: vec![validity::note(&cells)] }
    }

    /// Lays out a comparison.
    pub(crate) fn of(comparison: &'a Comparison<'_>) -> Self {
        let subjects = comparison.candidates.iter().zip(&comparison.group.cells).map(|(candidate, cell)| {
            let void = match &candidate.standing {
                Standing::Void { reason } => Some(reason.clone()),
                Standing::Meets | Standing::Fails { .. } | Standing::Undecided { .. } | Standing::Unranked => None,
            };
            Subject {
                transport: candidate.transport,
                standing: Some(&candidate.standing),
                validity: Validity::of(cell),
                void,
                is_at_least: false,
                is_choice: comparison.verdict.choice == Some(candidate.transport),
                trials: candidate.figures.as_ref().map_or(0, |figures| figures.trials),
                values: candidate.figures.as_ref(),
            }
        });
        let mut table = Self::lay_out(&COLUMNS, subjects.collect(), comparison.noise_ns);
        table.notes.extend(notes(comparison));
        table.notes.extend(noise(comparison.noise_ns));
        table
    }
}

/// What is below the noise of the machine, where that was measured.
pub(crate) fn noise(noise_ns: f64) -> Option<String> {
    let words = Quantity::Time.write(noise_ns);
    (noise_ns > 0.0).then(|| {
        format!("Latencies that differ by less than {words}, what this machine differs from itself by, are not called different.")
    })
}

fn notes(comparison: &Comparison<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    for candidate in &comparison.candidates {
        let name = crate::sentence::capitalised(candidate.transport.label());
        match &candidate.standing {
            Standing::Fails { reason } => notes.push(format!("{name} fails: {reason}.")),
            Standing::Undecided { reason } => notes.push(format!("{name} is undecided: {reason}.")),
            Standing::Void { reason } => notes.push(format!("{name} is void: {reason}.")),
            Standing::Meets | Standing::Unranked => {}
        }
        notes.extend(candidate.faults.notes(&name));
    }
    let too_few: Vec<Transport> = comparison
        .candidates
        .iter()
        .filter(|it| it.figures.as_ref().is_some_and(|figures| figures.samples > 0 && figures.p999_ns.is_none()))
        .map(|it| it.transport)
        .collect();
    if !too_few.is_empty() {
        notes.push(format!(
            "p99.9 is not given for {}: it needs at least 1,000 deliveries, below which it is the maximum.",
            crate::sentence::list(&too_few)
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::study::Study;

    #[test]
    fn a_best_figure_has_no_other_near_it_and_the_floor_is_never_marked() {
        let run = fixture::run();
        let study = Study::of(&run);
        for comparison in &study.comparisons {
            let table = Table::of(comparison);
            for (index, _) in table.columns.iter().enumerate() {
                let marks: Vec<Mark> = table.rows.iter().map(|row| row.entries[index].mark).collect();
                let best = marks.iter().filter(|mark| **mark == Mark::Best).count();
                let tied = marks.iter().filter(|mark| **mark == Mark::Tied).count();
                assert!(best <= 1 && tied != 1 && (best == 0 || tied == 0), "{marks:?}");
                assert_eq!(marks.last(), Some(&Mark::None));
            }
        }
    }

    #[test]
    fn a_column_that_nothing_measured_is_left_out() {
        let run = fixture::run();
        let study = Study::of(&run);
        let heads = |name: &str| -> Vec<&str> {
            let comparison = study.comparisons.iter().find(|it| it.group.label == name).unwrap();
            Table::of(comparison).columns.iter().map(|column| column.head).collect()
        };
        assert!(heads("chat").contains(&"round trip p50"));
        assert!(!heads("ticker").contains(&"round trip p50"));
    }
}
