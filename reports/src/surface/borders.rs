//! Where the answer changes: the crossovers between transports, as the rate grows.

use pushoff_model::Transport;

use super::{COLUMNS, Map, Point, WALKED, float, rate_at, users_at};
use crate::number::{Quantity, tick};

/// How often the gap between two points is halved: to a thousandth of it.
const HALVINGS: u32 = 10;

/// A rate from which on the answer is another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crossing {
    pub(crate) from: Point,
    pub(crate) to: Point,
    /// Updates a second to each user.
    pub(crate) rate: f64,
}

/// Those of a row, the lowest rate first: between two points with different answers the place is looked
/// for by asking on.
pub(super) fn crossings(map: &Map, row: usize, at: impl Fn(f64, f64) -> Point) -> Vec<Crossing> {
    let between = |column: usize| {
        let (from, to) = (map.at(column, row), map.at(column + 1, row));
        if is_same(from, to) {
            return None;
        }
        let (mut low, mut high) = (float(column), float(column + 1));
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if is_same(at(middle, float(row)), from) { low = middle } else { high = middle }
        }
        Some(Crossing { from, to, rate: rate_at(high) })
    };
    (0..COLUMNS - 1).filter_map(between).collect()
}

fn is_same(one: Point, other: Point) -> bool {
    (one.choice, one.is_close) == (other.choice, other.is_close)
}

/// A border between two answers.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Border {
    /// What is to be taken below; none where nothing is.
    from: Option<Transport>,
    /// What is to be taken above.
    to: Option<Transport>,
    /// The lowest rate of it, whatever the number of users.
    low: f64,
    /// The highest.
    high: f64,
}

/// The borders of a map that are crossed as the rate grows, each once.
fn borders(map: &Map) -> Vec<Border> {
    let mut borders: Vec<Border> = Vec::new();
    for it in map.crossings.iter().flatten().filter(|it| it.from.choice != it.to.choice) {
        let (from, to) = (it.from.choice, it.to.choice);
        match borders.iter_mut().find(|border| (border.from, border.to) == (from, to)) {
            Some(border) => (border.low, border.high) = (border.low.min(it.rate), border.high.max(it.rate)),
            None => borders.push(Border { from, to, low: it.rate, high: it.rate }),
        }
    }
    borders
}

impl Border {
    /// `from SSE to short polling at 2.89 /s to 3.57 /s`.
    fn words(&self) -> String {
        let name = |transport: Option<Transport>| transport.map_or("none", Transport::label);
        let rates = match (Quantity::Rate.write(self.low), Quantity::Rate.write(self.high)) {
            (low, high) if low == high => low,
            (low, high) => format!("{low} to {high}"),
        };
        format!("from {} to {} at {rates}", name(self.from), name(self.to))
    }
}

/// The borders of a map in a sentence, the lowest rate first; none where none is crossed.
pub(crate) fn sentence(map: &Map) -> Option<String> {
    let mut borders = borders(map);
    borders.sort_by(|one, other| one.low.total_cmp(&other.low));
    let words: Vec<String> = borders.iter().map(Border::words).collect();
    let within = tick(map.needs.staleness * 1e9);
    (!words.is_empty()).then(|| format!("Within {within}, as updates become more frequent: {}.", words.join("; ")))
}

/// The rows of [`WALKED`] in words: how many users, what is to be taken at the lowest rate and what from
/// which rate on, and at which rates that is measured. Rows that read alike are one.
pub(crate) fn rows_words(map: &Map) -> Vec<[String; 3]> {
    let mut rows: Vec<(usize, usize, [String; 2])> = Vec::new();
    for (walked, row) in WALKED.into_iter().enumerate() {
        let words = [row_words(map, walked), measured_words(map, row)];
        match rows.last_mut() {
            Some((_, last, same)) if *same == words => *last = row,
            Some(_) | None => rows.push((row, row, words)),
        }
    }
    let users = |row: usize| Quantity::Count.tick(users_at(float(row)));
    let labelled = rows.into_iter().map(|(first, last, [answers, measured])| {
        let label = if first == last { users(first) } else { format!("{} to {}", users(first), users(last)) };
        [label, answers, measured]
    });
    labelled.collect()
}

fn row_words(map: &Map, walked: usize) -> String {
    let mut words = answer_words(map.at(0, WALKED[walked]));
    for it in &map.crossings[walked] {
        let rate = Quantity::Rate.write(it.rate);
        words.push_str(&format!("; from {rate} on {}", answer_words(it.to)));
    }
    words
}

/// The least and the greatest rate of a row that is not beyond what was measured.
fn measured_words(map: &Map, row: usize) -> String {
    let measured: Vec<usize> = (0..COLUMNS).filter(|&column| !map.at(column, row).is_beyond).collect();
    let rate = |column: usize| Quantity::Rate.write(rate_at(float(column)));
    match measured.as_slice() {
        [] => "none".to_owned(),
        [one] => rate(*one),
        [first, .., last] => format!("{} to {}", rate(*first), rate(*last)),
    }
}

fn answer_words(point: Point) -> String {
    match point.choice {
        None => point.sureness.label().to_owned(),
        Some(choice) if point.is_close => format!("{} (too close to call)", choice.label()),
        Some(choice) => choice.label().to_owned(),
    }
}
