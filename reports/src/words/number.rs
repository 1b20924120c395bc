//! Numbers as people read them: three significant digits, with the unit that keeps them between
//! 1 and 999.
//!
//! Every document writes its figures through this file, so that the page, the Markdown and the
//! terminal never disagree on a rounding.

use serde::Serialize;

use pushoff_stats::Figure;

/// What stands where nothing was measured.
pub(crate) const ABSENT: &str = "–";

/// What a number counts, and so how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Quantity {
    /// Nanoseconds: `742 µs`, `1.24 ms`.
    Time,
    /// Things: `17`, `12.3 k`.
    Count,
    /// Things a second: `238 k/s`.
    Rate,
    /// A part of one: `99.9 %`. What falls short of the whole is never written as the whole.
    Share,
    /// How many times another: `1.31×`.
    Ratio,
    /// Bytes: `1.24 kB`, thousands of them as networks count.
    Bytes,
    /// Bytes a second: `1.24 MB/s`.
    ByteRate,
    /// Money by the price table that comes with pushoff: `25.3 USD`.
    Money,
    /// How far from what was expected, as a part of that: `+0.3 %`.
    Deviation,
}

/// A unit: what a number is divided by, and what is written after it.
type Unit = (f64, &'static str);

const TIME: [Unit; 6] = [(1.0, " ns"), (1e3, " µs"), (1e6, " ms"), (1e9, " s"), (6e10, " min"), (3.6e12, " h")];
const COUNT: [Unit; 4] = [(1.0, ""), (1e3, " k"), (1e6, " M"), (1e9, " G")];
const RATE: [Unit; 4] = [(1.0, " /s"), (1e3, " k/s"), (1e6, " M/s"), (1e9, " G/s")];
const RATIO: [Unit; 1] = [(1.0, "×")];
const BYTES: [Unit; 5] = [(1.0, " B"), (1e3, " kB"), (1e6, " MB"), (1e9, " GB"), (1e12, " TB")];
const BYTE_RATE: [Unit; 5] = [(1.0, " B/s"), (1e3, " kB/s"), (1e6, " MB/s"), (1e9, " GB/s"), (1e12, " TB/s")];
const MONEY: [Unit; 3] = [(1.0, " USD"), (1e3, " k USD"), (1e6, " M USD")];
const DEVIATION: [Unit; 1] = [(0.01, " %")];

/// An interval that reaches to so many times its point says nothing that a reader could use. Chosen here.
const SAYS_NOTHING: f64 = 10.0;

impl Quantity {
    /// Its name for machines.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Count => "count",
            Self::Rate => "rate",
            Self::Share => "share",
            Self::Ratio => "ratio",
            Self::Bytes => "bytes",
            Self::ByteRate => "byte-rate",
            Self::Money => "money",
            Self::Deviation => "deviation",
        }
    }

    /// The number with its unit.
    pub(crate) fn write(self, value: f64) -> String {
        if self == Self::Share {
            let least = if value > 0.0 && value < LEAST { "under 0.0001".to_owned() } else { percent(value) };
            return format!("{least} %");
        }
        if is_tiny(self, value) {
            return format!("under {TINY}×");
        }
        let (factor, suffix) = self.unit(value);
        let is_whole = matches!(self, Self::Count | Self::Bytes) && value < 999.5 && value.fract().abs() < 1e-9;
        let digits = if is_whole { signed(value, |size| format!("{size:.0}")) } else { self.digits(value / factor) };
        let digits = if digits == "0.0000" { "under 0.0001".to_owned() } else { digits };
        let sign = if self == Self::Deviation && digits != "0" && value > 0.0 { "+" } else { "" };
        format!("{sign}{digits}{suffix}")
    }

    fn digits(self, value: f64) -> String {
        match self {
            // What comes out of two figures, and lies around zero, has digits behind the point alone.
            Self::Deviation => signed(value, |size| {
                let text = format!("{size:.1}");
                if text == "0.0" { "0".into() } else { text }
            }),
            Self::Time
            | Self::Count
            | Self::Rate
            | Self::Share
            | Self::Ratio
            | Self::Bytes
            | Self::ByteRate
            | Self::Money => signed(value, three_digits),
        }
    }

    /// The number with its unit and its interval, `1.24 ms (1.19–1.31)`.
    pub(crate) fn write_figure(self, figure: &Figure) -> String {
        let point = self.write(figure.point);
        self.write_interval(figure).map_or_else(|| point.clone(), |interval| format!("{point} {interval}"))
    }

    /// The interval alone, in the unit of the point: `(1.19–1.31)`, or `(?)` where it reaches beyond
    /// ten times the point and so says nothing but that. None where three digits cannot tell its ends
    /// from the point.
    pub(crate) fn write_interval(self, figure: &Figure) -> Option<String> {
        let interval = figure.interval.filter(|_| !is_tiny(self, figure.point))?;
        if is_vague(figure) {
            return Some("(?)".into());
        }
        let (factor, _) = self.unit(figure.point);
        let digits = |value: f64| if self == Self::Share { percent(value) } else { self.digits(value / factor) };
        let (low, high) = (digits(interval.low), digits(interval.high));
        let between = if low.starts_with(MINUS) { " to " } else { "–" };
        (low != high || low != digits(figure.point)).then(|| format!("({low}{between}{high})"))
    }

    /// The upper end of its interval, in the unit of its point: as the interval has it.
    pub(crate) fn write_high(self, figure: &Figure) -> String {
        let (factor, suffix) = self.unit(figure.point);
        format!("{}{suffix}", self.digits(figure.high() / factor))
    }

    fn unit(self, value: f64) -> Unit {
        let units: &[Unit] = match self {
            Self::Time => &TIME,
            Self::Count => &COUNT,
            Self::Rate => &RATE,
            Self::Share | Self::Ratio => &RATIO,
            Self::Bytes => &BYTES,
            Self::ByteRate => &BYTE_RATE,
            Self::Money => &MONEY,
            Self::Deviation => &DEVIATION,
        };
        let last = units[units.len() - 1];
        units.iter().copied().find(|(factor, _)| value.abs() / factor < 999.5).unwrap_or(last)
    }
}

/// A share between nothing and this, 0.0001 %, is not written as nothing. Chosen here.
const LEAST: f64 = 0.000_001;

/// A ratio below this is not written out: `0.0005×` tells a reader no more than that it is small. Chosen here.
const TINY: f64 = 0.1;

fn is_tiny(quantity: Quantity, value: f64) -> bool {
    quantity == Quantity::Ratio && (f64::MIN_POSITIVE..TINY).contains(&value)
}

/// Whether an interval reaches so far beyond its point that it says nothing.
pub(crate) fn is_vague(figure: &Figure) -> bool {
    let reach = (figure.high() - figure.point).max(figure.point - figure.low());
    reach > (SAYS_NOTHING - 1.0) * figure.point.abs() && figure.point.abs() > 0.0
}

/// The sign of a number below zero, as print sets it.
const MINUS: char = '−';

fn signed(value: f64, write: impl Fn(f64) -> String) -> String {
    let size = write(value.abs());
    if value < 0.0 && size != "0" { format!("{MINUS}{size}") } else { size }
}

/// Three significant digits, without an exponent; thousands are set apart.
fn three_digits(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    if value >= 999.5 {
        return thousands(&format!("{value:.0}"));
    }
    let decimals = if value >= 99.95 {
        0
    } else if value >= 9.995 {
        1
    } else if value >= 0.9995 {
        2
    } else if value >= 0.099_95 {
        3
    } else {
        4
    };
    format!("{value:.decimals$}")
}

/// Whole digits with thousands set apart.
pub(crate) fn thousands(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share in per cent. Beyond 99.9 % it grows digits rather than round up to the whole.
fn percent(share: f64) -> String {
    let value = share * 100.0;
    if share >= 1.0 {
        return "100".into();
    }
    if value <= 99.9 {
        return three_digits(value);
    }
    for (decimals, ten) in [(1, 1e1), (2, 1e2), (3, 1e3)] {
        let cut = (value * ten + 1e-6).floor() / ten;
        if value - cut < (100.0 - value) || decimals == 3 {
            return format!("{cut:.decimals$}");
        }
    }
    three_digits(value)
}

/// A tick of an axis of time: a power of ten with its unit, `1 ms`.
pub(crate) fn tick(nanoseconds: f64) -> String {
    Quantity::Time.tick(nanoseconds)
}

impl Quantity {
    /// A tick of an axis: without the zeros of a measurement.
    pub(crate) fn tick(self, value: f64) -> String {
        let (factor, suffix) = self.unit(value);
        let value = value / factor;
        let decimals = if (value - value.round()).abs() < 1e-6 {
            0
        } else if value.abs() >= 0.1 {
            1
        } else {
            2
        };
        format!("{value:.decimals$}{suffix}")
    }
}

/// A limit as it was asked for: `100 ms`, `1 s`, `99 %`, without the zeros of a measurement.
pub(crate) fn asked_share(share: f64) -> String {
    if share > 0.0 && share < LEAST {
        return Quantity::Share.write(share);
    }
    let text = format!("{:.4}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Prose in which no line breaks between a number and its unit.
pub(crate) fn unbroken(prose: &str) -> String {
    let units = [TIME.as_slice(), &COUNT, &RATE, &BYTES, &BYTE_RATE].concat();
    let is_unit = |word: &str| {
        let word = word.trim_end_matches(|end: char| end.is_ascii_punctuation() && end != '%');
        word == "%" || units.iter().any(|(_, unit)| !unit.is_empty() && unit.trim_start() == word)
    };
    let mut text = String::with_capacity(prose.len());
    for (index, word) in prose.split(' ').enumerate() {
        if index > 0 {
            let is_number = text.ends_with(|end: char| end.is_ascii_digit());
            text.push(if is_number && is_unit(word) { '\u{a0}' } else { ' ' });
        }
        text.push_str(word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use pushoff_stats::Interval;

    #[test]
    fn bytes_and_deviations_have_a_sign_where_they_need_one() {
        let figure = |point: f64, low: f64, high: f64| Figure { point, interval: Some(Interval { low, high }) };
        assert_eq!(Quantity::Bytes.write(182.0), "182 B");
        assert_eq!(Quantity::Bytes.write(-0.25), "−0.250 B");
        assert_eq!(Quantity::ByteRate.write(5.68e9), "5.68 GB/s");
        assert_eq!(Quantity::Deviation.write(0.003), "+0.3 %");
        assert_eq!(Quantity::Deviation.write(-0.000_1), "0 %");
        assert_eq!(Quantity::Bytes.write_figure(&figure(2.0, -11.0, 15.0)), "2 B (−11.0 to 15.0)");
        assert_eq!(Quantity::Bytes.tick(20_000.0), "20 kB");
        assert_eq!((Quantity::Count.tick(0.1), Quantity::Count.tick(0.01)), ("0.1".into(), "0.01".into()));
    }

    #[test]
    fn three_digits_and_the_unit_that_keeps_them_between_1_and_999() {
        let cases = [
            (0.0, "0 ns"),
            (7.0, "7.00 ns"),
            (742_000.0, "742 µs"),
            (999_400.0, "999 µs"),
            (999_700.0, "1.00 ms"),
            (1_243_000.0, "1.24 ms"),
            (9_996_000.0, "10.0 ms"),
            (99_960_000.0, "100 ms"),
            (12.34e9, "12.3 s"),
            (1_200e9, "20.0 min"),
            (7.2e12, "120 min"),
        ];
        for (nanoseconds, written) in cases {
            assert_eq!(Quantity::Time.write(nanoseconds), written);
        }
        assert_eq!(Quantity::Rate.write(238_400.0), "238 k/s");
        assert_eq!(Quantity::Rate.write(742.0), "742 /s");
        assert_eq!(Quantity::Count.write(17.0), "17");
        assert_eq!(Quantity::Count.write(12_345.0), "12.3 k");
        assert_eq!([0.25, 0.000_02, 0.0].map(|it| Quantity::Count.write(it)), ["0.250", "under 0.0001", "0"]);
        assert_eq!(Quantity::Ratio.write(1.306), "1.31×");
        assert_eq!(
            (Quantity::Ratio.write(0.1), Quantity::Ratio.write(0.000_5)),
            ("0.100×".into(), "under 0.1×".into())
        );
    }

    #[test]
    fn a_share_short_of_the_whole_is_never_written_as_the_whole() {
        let cases = [
            (1.0, "100 %"),
            (0.9, "90.0 %"),
            (0.984_2, "98.4 %"),
            (0.999, "99.9 %"),
            (0.999_7, "99.97 %"),
            (0.999_96, "99.996 %"),
            (0.999_999_9, "99.999 %"),
            (0.0, "0 %"),
            (0.000_000_3, "under 0.0001 %"),
            (0.071_2, "7.12 %"),
        ];
        for (share, written) in cases {
            assert_eq!(Quantity::Share.write(share), written);
        }
    }

    #[test]
    fn an_interval_is_written_in_the_unit_of_its_point() {
        let figure = |point, low, high| Figure { point, interval: Some(Interval { low, high }) };
        assert_eq!(Quantity::Time.write_figure(&figure(1.24e6, 1.19e6, 1.31e6)), "1.24 ms (1.19–1.31)");
        assert_eq!(Quantity::Time.write_figure(&figure(742e3, 650e3, 1_310e3)), "742 µs (650–1,310)");
        assert_eq!(Quantity::Time.write_high(&figure(742e3, 650e3, 1_310e3)), "1,310 µs");
        assert_eq!(Quantity::Time.write_figure(&figure(1.02e6, 0.913e6, 1.1e6)), "1.02 ms (0.913–1.10)");
        assert_eq!(Quantity::Time.write_figure(&Figure { point: 5e3, interval: None }), "5.00 µs");
        assert_eq!(Quantity::Share.write_figure(&figure(1.0, 1.0, 1.0)), "100 %");
    }

    #[test]
    fn an_interval_that_reaches_beyond_ten_times_its_point_says_nothing() {
        let figure = |point, low, high| Figure { point, interval: Some(Interval { low, high }) };
        assert_eq!(Quantity::Time.write_figure(&figure(20.9e6, 200.0, 2.4e12)), "20.9 ms (?)");
        assert_eq!(Quantity::Bytes.write_figure(&figure(-131.0, -980.0, 718.0)), "−131 B (−980 to 718)");
        assert_eq!(Quantity::Bytes.write_figure(&figure(-19.5, -1_800.0, 1_500.0)), "−19.5 B (?)");
    }

    #[test]
    fn no_line_breaks_between_a_number_and_its_unit() {
        assert_eq!(unbroken("in 100 ms; 99 % of 3 short"), "in 100\u{a0}ms; 99\u{a0}% of 3 short");
        assert_eq!(unbroken(" within 1 s "), " within 1\u{a0}s ");
    }

    #[test]
    fn limits_are_written_as_they_were_asked_for() {
        assert_eq!(asked_share(0.99), "99 %");
        assert_eq!(asked_share(0.995), "99.5 %");
        assert_eq!([0.0, 0.000_000_2].map(asked_share), ["0 %", "under 0.0001 %"]);
        assert_eq!(tick(1e8), "100 ms");
        assert_eq!(tick(2.5e8), "250 ms");
        assert_eq!(tick(1e9), "1 s");
    }
}
