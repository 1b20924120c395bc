//! A network's TOML: every key is checked where it stands, and a wrong one is named by its line.

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::{Bursts, Direction, Network};
use crate::file::{self, FileError, Source, Typed};
use crate::foreign::quoted;
use crate::units::Share;

const LONGEST_NAME: usize = 32;
const LONGEST_DELAY: Duration = Duration::from_secs(10);
const RATES: RangeInclusive<f64> = 1e3..=1e10;
const QUEUES: RangeInclusive<f64> = 1_500.0..=1e9;
/// A queue that no file names holds one product of rate and round trip, and this at the least: ten whole packets.
const LEAST_QUEUE: f64 = 15_000.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Spanned<String>,
    says: String,
    down: DirectionTable,
    up: DirectionTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DirectionTable {
    delay: Spanned<Typed>,
    jitter: Option<Spanned<Typed>>,
    rate: Option<Spanned<Typed>>,
    queue: Option<Spanned<Typed>>,
    codel: Option<Spanned<bool>>,
    loss: Option<Spanned<Typed>>,
    bursts: Option<BurstsTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BurstsTable {
    begin: Spanned<Typed>,
    end: Spanned<Typed>,
    loss: Spanned<Typed>,
}

/// Reads and parses a network file.
///
/// # Errors
/// When it cannot be read or is wrong.
pub fn read(path: &Path) -> Result<Network, FileError> {
    parse(&file::read_text(path)?, path)
}

/// Parses a network's TOML; `path` is for a name in messages.
///
/// # Errors
/// When it is wrong, with the line.
pub fn parse(text: &str, path: &Path) -> Result<Network, FileError> {
    let source = Source { text, path };
    let file: File = source.parsed()?;
    let name = file.name.get_ref();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(allowed) {
        let problem = format!("`name` is {}: 1 to {LONGEST_NAME} of the characters A-Z a-z 0-9 - _", quoted(name));
        return Err(source.wrong(file.name.span(), problem));
    }
    let round_trip = source.delay(&file.down.delay)? + source.delay(&file.up.delay)?;
    Ok(Network {
        down: source.direction(&file.down, round_trip)?,
        up: source.direction(&file.up, round_trip)?,
        name: name.clone(),
        says: file.says,
    })
}

impl Source<'_> {
    fn direction(self, table: &DirectionTable, round_trip: Duration) -> Result<Direction, FileError> {
        let delay = self.delay(&table.delay)?;
        let jitter = match &table.jitter {
            None => Duration::ZERO,
            Some(value) => self.read("jitter", value, "a time up to the delay is needed, e.g. \"5ms\"", |it| {
                time(it).filter(|jitter| *jitter <= delay)
            })?,
        };
        let rate = |value| self.read("rate", value, "1kbit/s to 10Gbit/s is needed, e.g. \"1.6Mbit/s\"", rate);
        let bits_per_second = table.rate.as_ref().map(rate).transpose()?;
        let queue_bytes = match (&table.queue, bits_per_second) {
            (Some(value), None) => {
                let problem = "`queue` is where packets wait for a `rate`: name one, or remove this line";
                return Err(self.wrong(value.span(), problem.into()));
            }
            (Some(value), Some(_)) => {
                Some(self.read("queue", value, "1500B to 1GB is needed, e.g. \"64kB\"", bytes)?)
            }
            (None, rate) => rate.map(|rate| (rate / 8.0 * round_trip.as_secs_f64()).max(LEAST_QUEUE)),
        };
        let codel = match (&table.codel, bits_per_second) {
            (Some(value), None) => {
                let problem = "`codel` is for packets that wait for a `rate`: name one, or remove this line";
                return Err(self.wrong(value.span(), problem.into()));
            }
            (value, _) => value.as_ref().is_some_and(|value| *value.get_ref()),
        };
        let bursts = table.bursts.as_ref().map(|bursts| {
            Ok(Bursts {
                begin: self.share("begin", &bursts.begin)?,
                end: self.share("end", &bursts.end)?,
                loss: self.share("loss", &bursts.loss)?,
            })
        });
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1,500 to 10¹⁰ bytes")]
        let whole = |bytes: f64| bytes as u64;
        Ok(Direction {
            delay,
            jitter,
            bits_per_second,
            queue_bytes: queue_bytes.map(whole),
            codel,
            loss: table.loss.as_ref().map_or(Ok(Share::NONE), |value| self.share("loss", value))?,
            bursts: bursts.transpose()?,
        })
    }

    fn delay(self, value: &Spanned<Typed>) -> Result<Duration, FileError> {
        self.read("delay", value, "0s to 10s is needed, e.g. \"30ms\"", time)
    }

    fn share(self, key: &str, value: &Spanned<Typed>) -> Result<Share, FileError> {
        let number = value.get_ref().number().and_then(Share::new);
        number.ok_or_else(|| {
            let problem = format!("`{key}` is {}: a share from 0 to 1 is needed, e.g. 0.01", value.get_ref());
            self.wrong(value.span(), problem)
        })
    }

    /// A text that means something.
    fn read<T>(
        self,
        key: &str,
        value: &Spanned<Typed>,
        needed: &str,
        meaning: impl Fn(&str) -> Option<T>,
    ) -> Result<T, FileError> {
        value.get_ref().text().and_then(meaning).ok_or_else(|| {
            let problem = format!("`{key}` is {}: {needed}", value.get_ref());
            self.wrong(value.span(), problem)
        })
    }
}

fn time(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok().filter(|time| *time <= LONGEST_DELAY)
}

fn rate(text: &str) -> Option<f64> {
    quantity(text, &[("kbit/s", 1e3), ("Mbit/s", 1e6), ("Gbit/s", 1e9)]).filter(|rate| RATES.contains(rate))
}

fn bytes(text: &str) -> Option<f64> {
    quantity(text, &[("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("B", 1.0)]).filter(|bytes| QUEUES.contains(bytes))
}

/// A number with one of these units.
fn quantity(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let (number, unit) = units.iter().find_map(|(unit, times)| Some((text.strip_suffix(unit)?, times)))?;
    number.trim_end().parse::<f64>().ok().map(|number| number * unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{BUILT_IN, built_in};

    const MINE: &str =
        "name = \"mine\"\nsays = \"mine\"\n[down]\ndelay = \"50ms\"\nrate = \"8Mbit/s\"\n[up]\ndelay = \"50ms\"\n";

    #[test]
    fn every_network_that_comes_with_pushoff_is_right_and_named_as_its_file() {
        for (name, _) in BUILT_IN {
            let network = built_in(name).unwrap().unwrap();
            assert_eq!(network.name, name);
            assert!(!network.says.is_empty() && !network.round_trip().is_zero());
        }
    }

    #[test]
    fn a_queue_that_nobody_names_holds_what_is_on_the_way_there_and_back() {
        let mine = parse(MINE, Path::new("mine.toml")).unwrap();
        assert_eq!((mine.down.queue_bytes, mine.up.queue_bytes), (Some(100_000), None));
        assert!(!mine.down.codel && !mine.up.codel, "the end of the queue is dropped where nobody asks for CoDel");
        let slow = MINE.replace("8Mbit/s", "80kbit/s");
        assert_eq!(parse(&slow, Path::new("mine.toml")).unwrap().down.queue_bytes, Some(15_000), "ten packets");
    }

    #[test]
    fn a_wrong_value_is_named_by_line_and_key_with_what_is_allowed() {
        for (wrong, wanted) in [
            ("delay = 50", "line 4: `delay` is 50: 0s to 10s is needed, e.g. \"30ms\""),
            ("delay = \"1min\"", "line 4: `delay` is \"1min\""),
            ("delay = \"5ms\"\njitter = \"6ms\"", "line 5: `jitter` is \"6ms\": a time up to the delay"),
            ("delay = \"5ms\"\nrate = \"9Mbps\"", "line 5: `rate` is \"9Mbps\": 1kbit/s to 10Gbit/s"),
            ("delay = \"5ms\"\nqueue = \"9kB\"", "line 5: `queue` is where packets wait for a `rate`"),
            ("delay = \"5ms\"\nrate = \"1Mbit/s\"\nqueue = \"9B\"", "line 6: `queue` is \"9B\": 1500B to 1GB"),
            ("delay = \"5ms\"\ncodel = true", "line 5: `codel` is for packets that wait for a `rate`"),
            (
                "delay = \"5ms\"\nrate = \"1Mbit/s\"\ncodel = 5",
                "line 6: `codel`: invalid type: integer `5`, true or false",
            ),
            ("delay = \"5ms\"\nloss = 2", "line 5: `loss` is 2: a share from 0 to 1"),
            ("delay = \"5ms\"\nlatency = 2", "line 5: unknown field `latency`"),
            ("", "line 3: missing field `delay`"),
        ] {
            let text = MINE.replacen("delay = \"50ms\"\nrate = \"8Mbit/s\"", wrong, 1);
            let error = parse(&text, Path::new("mine.toml")).unwrap_err().to_string();
            assert!(error.starts_with("mine.toml ") && error.contains(wanted), "{error}");
        }
        let error = parse(&MINE.replacen("\"mine\"", "\"my network\"", 1), Path::new("mine.toml")).unwrap_err();
        assert!(error.to_string().contains("line 1: `name` is"), "{error}");
    }
}
