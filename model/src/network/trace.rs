//! A rate that changes, in the format of mahimahi's traces: each line is a millisecond at which 1,500 bytes may leave, and
//! the last line's is the period after which the trace repeats. Source: `mm-link` of <https://github.com/ravinet/mahimahi>
//! (Netravali et al., USENIX ATC 2015).

use std::path::Path;
use std::time::Duration;

use crate::file::{FileError, wrong_line};
use crate::foreign::quoted;

/// The opportunities to send, for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Of one period: at least one, none before the one before it, the last above 0.
    milliseconds: Vec<u32>,
    period: u32,
}

impl Trace {
    /// Bytes that may leave at each opportunity.
    pub const BYTES: u64 = 1_500;

    /// Parses the lines of a trace; `path` is for a name in messages.
    ///
    /// # Errors
    /// When a line is wrong, or none is there.
    pub fn parse(text: &str, path: &Path) -> Result<Self, FileError> {
        let mut milliseconds = Vec::new();
        let mut last = 0;
        for (line, text) in (1..).zip(text.lines()) {
            let wrong = |problem| wrong_line(path, line, problem);
            let at = text.trim().parse::<u32>().ok().ok_or_else(|| {
                let wanted = "the millisecond at which 1500 bytes may leave is needed, e.g. 40";
                wrong(format!("this is {}: {wanted}", quoted(text.trim())))
            })?;
            if at < last {
                return Err(wrong(format!("{at} ms comes after {last} ms: times must not go back")));
            }
            last = at;
            milliseconds.push(at);
        }
        match milliseconds.len() {
            0 => Err(wrong_line(path, 1, "a trace has at least one line".into())),
            lines if last == 0 => {
                let problem = "the last line is the period after which the trace repeats: more than 0 is needed";
                Err(wrong_line(path, lines, problem.into()))
            }
            _ => Ok(Self { milliseconds, period: last }),
        }
    }

    /// Bits a second over a period.
    #[must_use]
    pub fn mean_bits_per_second(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2⁵³ bytes are in a trace")]
        let bits = (self.milliseconds.len() as u64 * Self::BYTES * 8) as f64;
        bits / Duration::from_millis(self.period.into()).as_secs_f64()
    }

    /// When the opportunity of this number is, from 0 on through all repetitions.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a remainder is below the length")]
    pub fn opportunity(&self, number: u64) -> Duration {
        let length = self.milliseconds.len() as u64;
        let at = u64::from(self.milliseconds[(number % length) as usize]);
        Duration::from_millis((number / length).saturating_mul(self.period.into()).saturating_add(at))
    }

    /// The number of the first opportunity after a time.
    #[must_use]
    pub fn first_after(&self, time: Duration) -> u64 {
        // Opportunities are at whole milliseconds.
        let (whole, period) = (time.as_millis(), u128::from(self.period));
        let rest = whole % period;
        let before = self.milliseconds.partition_point(|at| u128::from(*at) <= rest) as u64;
        let periods = u64::try_from(whole / period).unwrap_or(u64::MAX);
        periods.saturating_mul(self.milliseconds.len() as u64).saturating_add(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trace(text: &str) -> Trace {
        Trace::parse(text, Path::new("a.trace")).unwrap()
    }

    #[test]
    fn it_repeats_after_its_last_line() {
        let trace = trace("0\n3\r\n3\n10\n");
        let at: Vec<_> = (0..10).map(|number| trace.opportunity(number).as_millis()).collect();
        assert_eq!(at, [0, 3, 3, 10, 10, 13, 13, 20, 20, 23]);
        // Four packets of 12,000 bits in 10 ms.
        assert!((trace.mean_bits_per_second() - 4.8e6).abs() < 1e-6);
    }

    #[test]
    fn an_opportunity_at_the_very_time_is_over() {
        let trace = trace("0\n3\n3\n10\n");
        let first = |micros| trace.first_after(Duration::from_micros(micros));
        assert_eq!([0, 2_999, 3_000, 3_001, 9_999, 10_000, 13_000].map(first), [1, 1, 3, 3, 3, 5, 7]);
    }

    #[test]
    fn what_is_wrong_is_one_sentence_with_its_line() {
        for (text, wanted) in [
            ("", "a.trace line 1: a trace has at least one line"),
            (
                "1\n\n2\n",
                "a.trace line 2: this is \"\": the millisecond at which 1500 bytes may leave is needed, e.g. 40",
            ),
            ("1\n2.5\n", "a.trace line 2: this is \"2.5\": the millisecond"),
            ("-1\n", "a.trace line 1: this is \"-1\": the millisecond"),
            ("4294967296\n", "a.trace line 1: this is \"4294967296\": the millisecond"),
            ("1\n7\n6\n", "a.trace line 3: 6 ms comes after 7 ms: times must not go back"),
            (
                "0\n0\n",
                "a.trace line 2: the last line is the period after which the trace repeats: more than 0 is needed",
            ),
        ] {
            let error = Trace::parse(text, Path::new("a.trace")).unwrap_err().to_string();
            assert!(error.starts_with(wanted), "{error}");
        }
    }

    proptest! {
        #[test]
        fn the_first_opportunity_after_a_time_is_after_it_and_the_one_before_is_not(
            mut stamps in proptest::collection::vec(0_u32..50, 1..20), time in 0_u64..400_000
        ) {
            stamps.push(50);
            stamps.sort_unstable();
            let trace = trace(&stamps.iter().map(|stamp| format!("{stamp}\n")).collect::<String>());
            let time = Duration::from_micros(time);
            let first = trace.first_after(time);
            prop_assert!(trace.opportunity(first) > time);
            prop_assert!(first == 0 || trace.opportunity(first - 1) <= time);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9 \\n\\-a]{0,40}") {
            if let Ok(trace) = Trace::parse(&text, Path::new("a.trace")) {
                prop_assert!(trace.opportunity(trace.first_after(Duration::MAX)) > Duration::ZERO);
            }
        }
    }
}
