//! Parsers for values of the command line; an error names the unit and the range.
//!
//! Each is a `value_parser` of clap, which puts the flag and the value before the sentence.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use pushoff_model::ByteCount;

/// Units of size in bytes, the largest first. IEC 80000-13 and SI.
const SIZES: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

/// Parses one of these values by a name; clap lists the names, and suggests the nearest to a wrong one.
pub(crate) fn one_of<T: Copy + Send + Sync + 'static>(
    values: Vec<(T, PossibleValue)>,
) -> impl TypedValueParser<Value = T> {
    let names: Vec<PossibleValue> = values.iter().map(|(_, name)| name.clone()).collect();
    PossibleValuesParser::new(names).try_map(move |typed| {
        let meant = values.iter().find(|(_, name)| name.matches(&typed, true));
        meant.map(|(value, _)| *value).ok_or("no value has this name")
    })
}

/// Parses a time with its unit, such as `250ms`, `5s` or `1m 30s`, that lies in `range`.
pub(crate) fn duration_in(
    range: RangeInclusive<Duration>,
) -> impl Fn(&str) -> Result<Duration, String> + Clone + Send + Sync + 'static {
    move |text| {
        humantime::parse_duration(text).ok().filter(|duration| range.contains(duration)).ok_or_else(|| {
            let [least, most] = [range.start(), range.end()].map(|&bound| humantime::format_duration(bound));
            format!("give a time with its unit (250ms, 5s, 2min), from {least} to {most}")
        })
    }
}

/// Parses a size such as `65536`, `64KiB`, `1MiB` or `512MB` that lies in `range`, in bytes.
pub(crate) fn size_in(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<ByteCount, String> + Clone + Send + Sync + 'static {
    move |text| {
        bytes(text).filter(|bytes| range.contains(bytes)).map(ByteCount).ok_or_else(|| {
            let [least, most] = [range.start(), range.end()].map(|&bound| written(bound));
            format!("give a size in bytes or with its unit (65536, 64KiB, 512MB), from {least} to {most}")
        })
    }
}

/// Parses a whole number that lies in `range`.
pub(crate) fn whole_in<T>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text| {
        let number = text.trim().parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a whole number from {} to {}", range.start(), range.end()))
    }
}

/// Parses the number of a processor.
pub(crate) fn processor(text: &str) -> Result<u32, &'static str> {
    text.trim().parse().or(Err("give processor numbers, e.g. 0,1"))
}

/// Parses a port that a server can have.
pub(crate) fn port(text: &str) -> Result<u16, &'static str> {
    text.trim().parse::<u16>().ok().filter(|port| *port > 0).ok_or("give a port from 1 to 65535")
}

/// A size in bytes; `None` if the text is not a size, or above 2⁶⁴.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start();
    let factor = if unit.is_empty() {
        1
    } else {
        SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, factor)| *factor)?
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// A size in the largest unit that divides it.
fn written(bytes: u64) -> String {
    let whole = |(_, factor): &&(&str, u64)| bytes >= *factor && bytes.is_multiple_of(*factor);
    SIZES.iter().find(whole).map_or_else(|| format!("{bytes} B"), |(name, factor)| format!("{} {name}", bytes / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_and_lies_in_its_range() {
        let parse = duration_in(Duration::from_millis(100)..=Duration::from_hours(24));
        for (text, milliseconds) in [("100ms", 100), ("5s", 5_000), ("1m 30s", 90_000), ("1day", 86_400_000)] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for wrong in
            ["", "0s", "99ms", "25h", "5", "-1s", "NaN", "inf", "500000000000years", "99999999999999999999s", "s"]
        {
            let sentence = parse(wrong).unwrap_err();
            assert!(sentence.contains("from 100ms to 1day"), "{wrong}: {sentence}");
        }
    }

    #[test]
    fn a_size_is_bytes_or_has_a_unit_and_lies_in_its_range() {
        let parse = size_in(1..=1 << 30);
        for (text, size) in [
            ("1", 1),
            ("65536", 65_536),
            ("64KiB", 65_536),
            ("64 kib", 65_536),
            ("1MiB", 1 << 20),
            ("512MB", 512_000_000),
            ("1GiB", 1 << 30),
            (" 7B ", 7),
        ] {
            assert_eq!(parse(text), Ok(ByteCount(size)), "{text}");
        }
        for wrong in
            ["", "0", "-1", "2GiB", "1.5MiB", "KiB", "64K", "64 KiB B", "99999999999999999999", "NaN", "1e9", "²KiB"]
        {
            let sentence = parse(wrong).unwrap_err();
            assert!(sentence.contains("from 1 B to 1 GiB"), "{wrong}: {sentence}");
        }
        assert!(size_in(0..=u64::MAX)("99999999999999999GiB").is_err(), "more than 2⁶⁴");
    }

    #[test]
    fn a_bound_is_written_in_the_largest_unit_that_it_is_a_whole_number_of() {
        for (size, text) in [(0, "0 B"), (1, "1 B"), (1_500, "1500 B"), (64 << 10, "64 KiB"), (512_000_000, "512 MB")] {
            assert_eq!(written(size), text);
        }
    }

    #[test]
    fn processors_and_ports_are_numbers() {
        assert_eq!((processor("3"), port("65535")), (Ok(3), Ok(65_535)));
        for wrong in ["a", "-1", "", "0-1", "4294967296"] {
            assert_eq!(processor(wrong).unwrap_err(), "give processor numbers, e.g. 0,1", "{wrong}");
            assert_eq!(port(wrong).unwrap_err(), "give a port from 1 to 65535", "{wrong}");
        }
        assert!(port("0").is_err());
    }

    #[test]
    fn a_number_is_whole_and_lies_in_its_range() {
        let parse = whole_in(1_u32..=1_000);
        assert_eq!(parse("1000"), Ok(1_000));
        for wrong in ["0", "-1", "1001", "99999999999", "1.0", "", "many", "١"] {
            assert_eq!(parse(wrong).unwrap_err(), "give a whole number from 1 to 1000", "{wrong}");
        }
    }
}
