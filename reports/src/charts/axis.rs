//! Axes with ticks that a person would choose.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::words::number::{Quantity, tick};

/// A range of values, how it is spread over the drawing, and its ticks.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    /// What is measured along it, with the unit where the ticks do not carry it.
    pub(crate) name: &'static str,
    low: f64,
    high: f64,
    is_log: bool,
    /// Where ticks stand and what they say.
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Latency on a log scale, in nanoseconds: ticks at powers of ten, or at 1, 2 and 5 where the
    /// range is short.
    pub(crate) fn latency(name: &'static str, (low, high): (f64, f64)) -> Self {
        let decades: Vec<f64> = steps(low, high).filter(|(_, step)| *step == 1).map(|(value, _)| value).collect();
        let values = if decades.len() >= 2 { decades } else { steps(low, high).map(|(value, _)| value).collect() };
        let ticks = values.into_iter().map(|value| (value, tick(value))).collect();
        Self { name, low, high, is_log: true, ticks }
    }

    /// What is above zero on a log scale: ticks at powers of ten, or at 1, 2 and 5 where the range is
    /// short.
    pub(crate) fn log(name: &'static str, (low, high): (f64, f64), quantity: Quantity) -> Self {
        let mut axis = Self::latency(name, (low, high));
        for (value, words) in &mut axis.ticks {
            *words = quantity.tick(*value);
        }
        axis
    }

    /// Shares on the axis 1 ÷ (1 − share), which gives each nine the same room. Source:
    /// `HdrHistogram`'s percentile plots.
    pub(crate) fn nines(name: &'static str, most: f64) -> Self {
        let shown = [
            (0.5, "50 %"),
            (0.9, "90 %"),
            (0.99, "99 %"),
            (0.999, "99.9 %"),
            (0.9999, "99.99 %"),
            (0.99999, "99.999 %"),
        ];
        let ticks = shown
            .into_iter()
            .map(|(share, words)| (1.0 / (1.0 - share), words.to_owned()))
            .filter(|(value, _)| *value <= most * 1.000_1)
            .collect();
        Self { name, low: 1.0, high: most.max(10.0), is_log: true, ticks }
    }

    /// A count from zero, evenly.
    pub(crate) fn even(name: &'static str, most: f64, quantity: Quantity) -> Self {
        let high = if most > 0.0 { most } else { 1.0 };
        let step = even_step(high / 3.0);
        let ticks = (0..=10)
            .map(|index| f64::from(index) * step)
            .take_while(|value| *value <= high * 1.001)
            .map(|value| {
                let words = match quantity {
                    Quantity::Time => tick(value),
                    Quantity::Bytes | Quantity::ByteRate => quantity.tick(value),
                    Quantity::Count
                    | Quantity::Rate
                    | Quantity::Share
                    | Quantity::Ratio
                    | Quantity::Money
                    | Quantity::Deviation => quantity.write(value),
                };
                (value, if value > 0.0 { words } else { "0".into() })
            })
            .collect();
        Self { name, low: 0.0, high, is_log: false, ticks }
    }

    /// Rows: places without values.
    pub(crate) const fn rows() -> Self {
        Self { name: "", low: 0.0, high: 1.0, is_log: false, ticks: Vec::new() }
    }

    /// Places by name, numbered from 0.
    pub(crate) fn places(name: &'static str, names: impl Iterator<Item = String>) -> Self {
        let ticks: Vec<(f64, String)> = (0..).map(f64::from).zip(names).collect();
        let last = ticks.last().map_or(0.0, |(place, _)| *place);
        Self { name, low: -ROOM, high: last + ROOM, is_log: false, ticks }
    }

    /// Where a value lies, 0 at the low end to 1; what lies beyond is put at the end.
    fn place(&self, value: f64) -> f64 {
        let scale = |value: f64| if self.is_log { value.max(f64::MIN_POSITIVE).log10() } else { value };
        let (low, high) = (scale(self.low), scale(self.high));
        if high > low { ((scale(value) - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 }
    }
}

/// What is left of a place's width at both ends of an axis. Chosen here.
const ROOM: f64 = 0.4;

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    #[expect(clippy::cast_possible_truncation, reason = "a place on the drawing")]
    fn map(&self, value: &f64, (start, end): (i32, i32)) -> i32 {
        (f64::from(start) + f64::from(end - start) * self.place(*value)).round() as i32
    }

    /// The ticks; plotters also asks for fine lines between them, which no chart has.
    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            Vec::new()
        } else {
            self.ticks.iter().map(|(value, _)| *value).collect()
        }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        self.ticks
            .iter()
            .find(|(tick, _)| tick.total_cmp(value).is_eq())
            .map(|(_, words)| words.clone())
            .unwrap_or_default()
    }
}

/// The values 1, 2 and 5 times a power of ten in a range, each with its 1, 2 or 5.
fn steps(low: f64, high: f64) -> impl Iterator<Item = (f64, u8)> {
    (-3..16)
        .flat_map(|power| [1_u8, 2, 5].map(|step| (f64::from(step) * 10_f64.powi(power), step)))
        .filter(move |(value, _)| (low * 0.999..=high * 1.001).contains(value))
}

/// The step of 1, 2 or 5 times a power of ten that is nearest above.
fn even_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= least * 0.999).unwrap_or(power)
}

/// Widens a range of positive values to the nearest 1, 2 or 5 times a power of ten on both sides, and to three ticks.
pub(crate) fn snug((low, high): (f64, f64)) -> (f64, f64) {
    let all = || steps(0.1, 1e15).map(|(value, _)| value);
    let below = |limit: f64| all().take_while(|value| *value <= limit).last().unwrap_or(limit);
    let (down, up) = (below(low), all().find(|value| *value >= high).unwrap_or(high));
    // Three ticks at least: where two would do, one more below.
    if up < down * 3.9 { (below(down * 0.7), up.max(down * 2.0)) } else { (down, up) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, words)| words.as_str()).collect()
    }

    #[test]
    fn ticks_are_those_that_a_person_would_choose() {
        assert_eq!(words(&Axis::latency("", (2e5, 2e9))), ["1 ms", "10 ms", "100 ms", "1 s"]);
        assert_eq!(words(&Axis::latency("", (2e6, 2e7))), ["2 ms", "5 ms", "10 ms", "20 ms"]);
        assert_eq!(words(&Axis::nines("", 1_800.0)), ["50 %", "90 %", "99 %", "99.9 %"]);
        assert_eq!(words(&Axis::even("", 1.5e9, Quantity::Time)), ["0", "500 ms", "1 s", "1.5 s"]);
        assert_eq!(words(&Axis::even("", 41_000.0, Quantity::Time)), ["0", "20 µs", "40 µs"]);
    }

    #[test]
    fn a_nine_has_the_same_room_wherever_it_stands() {
        let axis = Axis::nines("", 1_000.0);
        let room = |one: f64, other: f64| axis.place(1.0 / (1.0 - other)) - axis.place(1.0 / (1.0 - one));
        assert!((room(0.9, 0.99) - room(0.99, 0.999)).abs() < 1e-9);
    }

    #[test]
    fn a_range_is_widened_to_round_values() {
        assert_eq!(snug((230e3, 1.3e9)), (200e3, 2e9));
        assert_eq!(snug((230.0, 240.0)), (100.0, 500.0));
    }
}
