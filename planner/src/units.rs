//! Quantities as people type them: `1M`, `0.2/s`, `4KiB`, `2s`.
//!
//! What is written is read back as the same number.

use std::time::Duration;

use serde::Serialize;

/// In what something is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// People: `1000`, `20k`, `1M`, `1e6`.
    Users,
    /// Times a second: `0.2/s`, `12/min`, `3/h`, `1/d`.
    Rate,
    /// Bytes: `300B`, `2kB`, `4KiB`.
    Bytes,
    /// Seconds: `200ms`, `1m 30s`.
    Time,
}

/// A suffix, and how many of the base unit one of it is; the first that fits is written.
type Suffix = (&'static str, f64);

const USERS: [Suffix; 4] = [("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1.0)];
const RATE: [Suffix; 4] = [("/s", 1.0), ("/min", 1.0 / 60.0), ("/h", 1.0 / 3_600.0), ("/d", 1.0 / 86_400.0)];
/// More than is allowed, so that a terabyte is too much and not unknown.
const BYTES: [Suffix; 8] = [
    ("KiB", 1_024.0),
    ("kB", 1e3),
    ("MiB", 1_048_576.0),
    ("MB", 1e6),
    ("GiB", 1_073_741_824.0),
    ("GB", 1e9),
    ("TB", 1e12),
    ("B", 1.0),
];

/// What is written with a suffix has no more characters before it.
const SHORT: usize = 5;

impl Unit {
    /// The number that was typed, in users, a second, bytes or seconds; none where it is none.
    pub fn parse(self, typed: &str) -> Option<f64> {
        let typed = typed.trim();
        if self == Self::Time {
            return humantime::parse_duration(typed).ok().map(|time| time.as_secs_f64());
        }
        let is_digit = |end: char| end.is_ascii_digit() || end == '.';
        let end = typed.rfind(is_digit)? + 1;
        let (number, unit) = typed.split_at(end);
        let (_, factor) = self.suffixes().iter().find(|(suffix, _)| *suffix == unit.trim_start())?;
        // A number in digits: what the standard library reads besides is `inf` and `nan`.
        let number: f64 = number.parse().ok()?;
        // Dividing by a whole number errs less than multiplying by its inverse.
        let value = if *factor < 1.0 { number / (1.0 / factor).round() } else { number * factor };
        value.is_finite().then_some(value)
    }

    /// The number in the unit in which it is shortest, to be parsed again.
    pub fn write(self, value: f64) -> String {
        if self == Self::Time {
            return humantime::format_duration(Duration::try_from_secs_f64(value).unwrap_or_default()).to_string();
        }
        let in_unit = |(suffix, factor): &Suffix| {
            let number = if *factor < 1.0 { value * (1.0 / factor).round() } else { value / factor };
            format!("{number}{suffix}")
        };
        let is_short = |text: &String| text.trim_end_matches(|end: char| !end.is_ascii_digit()).len() <= SHORT;
        let suits = |(suffix, factor): &&Suffix| match self {
            Self::Time => true,
            // `3/h` rather than `0.05/min`.
            Self::Rate => value >= *factor / 10.0,
            Self::Users => value >= *factor,
            // Of powers of two only whole ones are shorter than what they stand for.
            Self::Bytes => value >= *factor && (!suffix.ends_with("iB") || is_whole(value / *factor)),
        };
        let short = self.suffixes().iter().filter(suits).map(in_unit);
        let is_same = |text: &String| self.parse(text).is_some_and(|parsed| parsed.total_cmp(&value).is_eq());
        short.into_iter().find(|text| is_short(text) && is_same(text)).unwrap_or_else(|| match self {
            Self::Users | Self::Time => format!("{value}"),
            Self::Rate => format!("{value}/s"),
            Self::Bytes => format!("{value}B"),
        })
    }

    /// The number with two digits: a border that is known to a tenth of a decade.
    pub fn about(self, value: f64) -> String {
        let suits = |(suffix, factor): &&Suffix| value >= *factor && !suffix.ends_with("iB");
        match self.suffixes().iter().find(suits) {
            Some((suffix, factor)) => format!("{}{suffix}", two_digits(value / factor)),
            None => self.write(two_digits(value)),
        }
    }

    const fn suffixes(self) -> &'static [Suffix] {
        match self {
            Self::Users => &USERS,
            Self::Rate => &RATE,
            Self::Bytes => &BYTES,
            Self::Time => &[],
        }
    }
}

fn two_digits(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}

/// Whether a number of things is one of whole things.
pub(crate) fn is_whole(value: f64) -> bool {
    value.fract().abs() < 1e-9
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_unit_means_what_it_says() {
        let cases = [
            (Unit::Users, "1M", 1e6),
            (Unit::Users, "20k", 2e4),
            (Unit::Users, "1000", 1e3),
            (Unit::Users, "1e6", 1e6),
            (Unit::Users, "1.5k", 1_500.0),
            (Unit::Rate, "0.2/s", 0.2),
            (Unit::Rate, "12/min", 0.2),
            (Unit::Rate, "36 /h", 0.01),
            (Unit::Rate, "1/d", 1.0 / 86_400.0),
            (Unit::Bytes, "300B", 300.0),
            (Unit::Bytes, "2kB", 2_000.0),
            (Unit::Bytes, "4 KiB", 4_096.0),
            (Unit::Bytes, "1TB", 1e12),
            (Unit::Time, "1m 30s", 90.0),
        ];
        for (unit, typed, value) in cases {
            assert!((unit.parse(typed).unwrap() / value - 1.0).abs() < 1e-12, "{typed}");
        }
        for (unit, typed) in [
            (Unit::Users, ""),
            (Unit::Users, "k"),
            (Unit::Users, "1m"),
            (Unit::Users, "inf"),
            (Unit::Users, "1e999"),
            (Unit::Users, "1,000"),
            (Unit::Rate, "1"),
            (Unit::Rate, "1/y"),
            (Unit::Bytes, "300"),
            (Unit::Bytes, "300X"),
            (Unit::Time, "2"),
        ] {
            assert_eq!(unit.parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn the_shortest_unit_is_written() {
        let cases = [
            (Unit::Users, 1e6, "1M"),
            (Unit::Users, 12_345.0, "12345"),
            (Unit::Users, 999.0, "999"),
            (Unit::Users, 2_500.0, "2.5k"),
            (Unit::Rate, 0.2, "0.2/s"),
            (Unit::Rate, 1.0 / 60.0, "1/min"),
            (Unit::Rate, 1_000.0, "1000/s"),
            (Unit::Rate, 3.0 / 3_600.0, "3/h"),
            (Unit::Bytes, 300.0, "300B"),
            (Unit::Bytes, 4_096.0, "4KiB"),
            (Unit::Bytes, 65_536.0, "64KiB"),
            (Unit::Bytes, 3_200.0, "3.2kB"),
            (Unit::Time, 0.04, "40ms"),
        ];
        for (unit, value, written) in cases {
            assert_eq!(unit.write(value), written);
        }
    }

    #[test]
    fn a_border_has_two_digits_in_the_unit_that_suits_it() {
        let cases = [
            (Unit::Rate, 3.98, "4/s"),
            (Unit::Rate, 0.012_6, "45/h"),
            (Unit::Users, 1_258_925.0, "1.3M"),
            (Unit::Bytes, 3_200.0, "3.2kB"),
            (Unit::Bytes, 47.8, "48B"),
            (Unit::Time, 0.063_1, "63ms"),
        ];
        for (unit, value, written) in cases {
            assert_eq!(unit.about(value), written);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(users in 1_u32..1_000_000_000, rate in 1e-5..1e3_f64, bytes in 1_u32..65_536, millis in 1_u32..3_600_000) {
            for (unit, value) in [
                (Unit::Users, f64::from(users)),
                (Unit::Rate, rate),
                (Unit::Bytes, f64::from(bytes)),
                (Unit::Time, f64::from(millis) / 1e3),
            ] {
                let written = unit.write(value);
                prop_assert!((unit.parse(&written).unwrap() / value - 1.0).abs() < 1e-9, "{written} for {value}");
            }
        }

        #[test]
        fn whatever_is_typed_is_a_finite_number_or_none(typed in "\\PC*") {
            for unit in [Unit::Users, Unit::Rate, Unit::Bytes, Unit::Time] {
                prop_assert!(unit.parse(&typed).is_none_or(f64::is_finite));
            }
        }
    }
}
