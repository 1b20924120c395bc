//! What a comparison table shows, once for the page, the Markdown and the terminal.
//!
//! Columns stand in the order of the page; a terminal takes them by importance and drops the rest.
//! The best of a column is marked only where no other comes near it; else all that come near the best
//! are marked as tied.

use pushoff_model::Transport;

use crate::compare::Figure;
use crate::figures::Figures;
use crate::number::{ABSENT, Quantity};
use crate::rank::{Candidate, LEAST_TRIALS, Standing};
use crate::study::Comparison;

/// What a column is about: the page sets those of one kind together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Good enough?
    Enough,
    /// Delivery latency.
    Latency,
    /// Every message accounted for.
    Ledger,
    /// What it costs.
    Cost,
    /// Beginning and answering.
    Start,
}

impl Kind {
    /// The kinds in the order of the page.
    pub(crate) const ALL: [Self; 5] = [Self::Enough, Self::Latency, Self::Ledger, Self::Cost, Self::Start];

    /// As the page heads them.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Enough => "Good enough?",
            Self::Latency => "Delivery latency",
            Self::Ledger => "Every delivery accounted for",
            Self::Cost => "Cost",
            Self::Start => "Connecting and answering",
        }
    }
}

/// What is better in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Better {
    Less,
    /// Nothing: the figure is not a contest.
    Neither,
}

/// What a column reads from a cell.
enum Reading {
    Figure(Option<Figure>),
    /// A count of what should not happen.
    Fault(u64),
}

/// A column of the table.
pub(crate) struct Column {
    /// Its head.
    pub(crate) head: &'static str,
    /// What it means, for the reader who wonders.
    pub(crate) help: &'static str,
    /// What it is about.
    pub(crate) kind: Kind,
    /// Its place where there is not room for all, from 1.
    pub(crate) importance: u8,
    quantity: Quantity,
    better: Better,
    read: fn(&Figures) -> Reading,
}

macro_rules! column {
    ($importance:literal, $head:literal, $kind:ident, $quantity:ident, $better:ident, $help:literal, $read:expr) => {
        Column {
            head: $head,
            help: $help,
            kind: Kind::$kind,
            importance: $importance,
            quantity: Quantity::$quantity,
            better: Better::$better,
            read: $read,
        }
    };
}

/// The columns beside transport and verdict, each with its importance, 1 the most.
#[rustfmt::skip]
const COLUMNS: [Column; 20] = [
    column!(1, "within SLO", Enough, Share, Neither, "share of the deliveries due that arrived in time",
        |it| Reading::Figure(it.share_within)),
    column!(3, "p50", Latency, Time, Less, "half of the deliveries took at most so long, from when they were due",
        |it| Reading::Figure(it.p50_ns)),
    column!(7, "p90", Latency, Time, Less, "9 of 10 deliveries took at most so long",
        |it| Reading::Figure(it.p90_ns)),
    column!(4, "p99", Latency, Time, Less, "99 of 100 deliveries took at most so long",
        |it| Reading::Figure(it.p99_ns)),
    column!(5, "p99.9", Latency, Time, Less, "999 of 1,000 deliveries took at most so long",
        |it| Reading::Figure(it.p999_ns)),
    column!(6, "max", Latency, Time, Less, "the longest delivery of all trials",
        |it| Reading::Figure(it.max_ns)),
    column!(10, "p50 ÷ floor", Latency, Ratio, Less, "the median over that of raw TCP in the same run",
        |it| Reading::Figure(it.p50_to_floor)),
    column!(11, "p99 ÷ floor", Latency, Ratio, Less, "the 99th percentile over that of raw TCP in the same run",
        |it| Reading::Figure(it.p99_to_floor)),
    column!(20, "p99 from send", Latency, Time, Less, "p99 counted from when a message was really sent: hides a stall",
        |it| Reading::Figure(it.from_send_p99_ns)),
    column!(12, "deliveries", Ledger, Rate, Neither, "deliveries a second: the load is offered, not sought",
        |it| Reading::Figure(it.deliveries_per_second)),
    column!(8, "lost", Ledger, Count, Neither, "deliveries that did not happen, in silence",
        |it| Reading::Fault(it.counts.lost)),
    column!(9, "missed", Ledger, Count, Neither, "deliveries that did not happen, and the reader was told",
        |it| Reading::Fault(it.counts.missed)),
    column!(14, "duplicated", Ledger, Count, Neither, "deliveries beyond the first of a message",
        |it| Reading::Fault(it.counts.duplicated)),
    column!(15, "reordered", Ledger, Count, Neither, "deliveries after a later message of the same publisher",
        |it| Reading::Fault(it.counts.reordered)),
    column!(2, "server CPU", Cost, Time, Less, "processor time of the server for one delivery",
        |it| Reading::Figure(it.server_cpu_ns)),
    column!(13, "requests", Cost, Rate, Less, "requests that all subscribers made a second, while it was measured",
        |it| Reading::Figure(it.requests_per_second)),
    column!(16, "connect", Start, Time, Less, "median time until the stream is open or the first poll is answered",
        |it| Reading::Figure(it.connect_ns)),
    column!(17, "first message", Start, Time, Less, "median time from connecting to the first message in hand",
        |it| Reading::Figure(it.first_message_ns)),
    column!(18, "round trip p50", Start, Time, Less, "half of the messages came back to their speaker within so long",
        |it| Reading::Figure(it.round_trip_p50_ns)),
    column!(19, "round trip p99", Start, Time, Less, "99 of 100 messages came back to their speaker within so long",
        |it| Reading::Figure(it.round_trip_p99_ns)),
];

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
    /// Whether it is good enough.
    pub(crate) standing: &'a Standing,
    /// Whether it is the one to take.
    pub(crate) is_choice: bool,
    /// One entry a column; all absent where nothing was measured.
    pub(crate) entries: Vec<Entry>,
}

/// The table of one workload.
pub(crate) struct Table<'a> {
    /// The columns that at least one transport has a figure for.
    pub(crate) columns: Vec<&'static Column>,
    /// The transports, the floor last.
    pub(crate) rows: Vec<Row<'a>>,
    /// What needs saying below: void cells and figures that could not be given.
    pub(crate) notes: Vec<String>,
}

impl<'a> Table<'a> {
    /// The numbers of the columns, the most important first.
    pub(crate) fn by_importance(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        order.sort_by_key(|&index| self.columns[index].importance);
        order
    }

    /// Lays out a comparison.
    pub(crate) fn of(comparison: &'a Comparison<'_>) -> Self {
        let columns: Vec<&'static Column> = COLUMNS.iter().filter(|column| column.is_measured(comparison)).collect();
        let marks: Vec<Vec<Mark>> = columns.iter().map(|column| column.marks(comparison)).collect();
        let rows = comparison.candidates.iter().enumerate().map(|(index, candidate)| Row {
            transport: candidate.transport,
            standing: &candidate.standing,
            is_choice: comparison.verdict.choice == Some(candidate.transport),
            entries: columns.iter().zip(&marks).map(|(column, marks)| column.entry(candidate, marks[index])).collect(),
        });
        Self { rows: rows.collect(), notes: notes(comparison), columns }
    }
}

impl Column {
    fn figure(&self, figures: &Figures) -> Option<Figure> {
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        match (self.read)(figures) {
            Reading::Figure(figure) => figure,
            Reading::Fault(count) => Some(Figure { point: count as f64, interval: None }),
        }
    }

    fn is_measured(&self, comparison: &Comparison<'_>) -> bool {
        comparison.candidates.iter().filter_map(|it| it.figures.as_ref()).any(|it| self.figure(it).is_some())
    }

    fn entry(&self, candidate: &Candidate, mark: Mark) -> Entry {
        if self.quantity == Quantity::Ratio && !candidate.transport.is_ranked() {
            return Entry { point: String::new(), interval: None, mark: Mark::None };
        }
        let figures = candidate.figures.as_ref();
        let Some((figures, figure)) = figures.and_then(|it| Some((it, self.figure(it)?))) else {
            return Entry { point: ABSENT.into(), interval: None, mark: Mark::None };
        };
        let mark = if matches!((self.read)(figures), Reading::Fault(1..)) { Mark::Fault } else { mark };
        Entry { point: self.quantity.write(figure.point), interval: self.quantity.write_interval(&figure), mark }
    }

    /// One mark a candidate. Only ranked transports with enough valid trials take part.
    fn marks(&self, comparison: &Comparison<'_>) -> Vec<Mark> {
        let in_contest = |index: &usize| {
            let candidate = &comparison.candidates[*index];
            let is_void = matches!(candidate.standing, Standing::Void { .. });
            let has_spread = candidate.figures.as_ref().is_some_and(|figures| figures.trials >= LEAST_TRIALS);
            candidate.transport.is_ranked() && !is_void && has_spread
        };
        let figures: Vec<Option<Figure>> =
            comparison.candidates.iter().map(|it| it.figures.as_ref().and_then(|it| self.figure(it))).collect();
        let contest: Vec<(usize, Figure)> =
            (0..figures.len()).filter(in_contest).filter_map(|index| Some((index, figures[index]?))).collect();
        let mut marks = vec![Mark::None; figures.len()];
        let by_point = |one: &&(usize, Figure), other: &&(usize, Figure)| one.1.point.total_cmp(&other.1.point);
        let best = match self.better {
            Better::Less => contest.iter().min_by(by_point),
            Better::Neither => None,
        };
        let Some((_, best)) = best.filter(|_| contest.len() > 1) else { return marks };
        let near: Vec<usize> =
            contest.iter().filter(|(_, figure)| figure.is_near(best)).map(|(index, _)| *index).collect();
        let mark = if near.len() == 1 { Mark::Best } else { Mark::Tied };
        for index in near {
            marks[index] = mark;
        }
        marks
    }
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
