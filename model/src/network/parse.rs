//! A network's TOML: every key is checked where it stands, and a wrong one is named by its line.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::{Bursts, Direction, Network, Rate, Trace};
use crate::file::{self, FileError, Source, Typed};
use crate::foreign::quoted;
use crate::units::Share;

const LONGEST_NAME: usize = 32;
const LONGEST_DELAY: Duration = Duration::from_secs(10);
const RATES: RangeInclusive<f64> = 1e3..=1e10;
const QUEUES: RangeInclusive<f64> = 1_500.0..=1e9;
/// The least size of a queue that no file names, in bytes: ten whole packets. Usually it is the product of rate and round trip.
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
    trace: Option<Spanned<PathBuf>>,
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

/// Parses a network's TOML; `path` is for a name in messages, and traces are read from the folder that it names.
///
/// # Errors
/// When it is wrong, with the line, or a trace that it names cannot be read.
pub fn parse(text: &str, path: &Path) -> Result<Network, FileError> {
    with_traces(text, path, |trace| Ok(file::read_text(trace)?.into()))
}

/// Parses a network's TOML; `lines_of` reads a trace.
pub(super) fn with_traces(
    text: &str,
    path: &Path,
    lines_of: impl Fn(&Path) -> Result<Cow<'static, str>, FileError>,
) -> Result<Network, FileError> {
    let source = Source { text, path };
    let file: File = source.parsed()?;
    let name = file.name.get_ref();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(allowed) {
        let problem = format!("`name` is {}: 1 to {LONGEST_NAME} of the characters A-Z a-z 0-9 - _", quoted(name));
        return Err(source.wrong(file.name.span(), problem));
    }
    let round_trip = source.delay(&file.down.delay)? + source.delay(&file.up.delay)?;
    let direction = |table: &DirectionTable| source.direction(table, round_trip, source.rate(table, &lines_of)?);
    Ok(Network { down: direction(&file.down)?, up: direction(&file.up)?, name: name.clone(), says: file.says })
}

impl Source<'_> {
    fn direction(
        self,
        table: &DirectionTable,
        round_trip: Duration,
        rate: Option<Rate>,
    ) -> Result<Direction, FileError> {
        let delay = self.delay(&table.delay)?;
        let jitter = match &table.jitter {
            None => Duration::ZERO,
            Some(value) => self.read("jitter", value, "a time up to the delay is needed, e.g. \"5ms\"", |it| {
                time(it).filter(|jitter| *jitter <= delay)
            })?,
        };
        let without_rate =
            [("queue", table.queue.as_ref().map(Spanned::span)), ("codel", table.codel.as_ref().map(Spanned::span))];
        if rate.is_none()
            && let Some((key, at)) = without_rate.into_iter().find_map(|(key, at)| Some((key, at?)))
        {
            let problem =
                format!("`{key}` is for packets that wait for a `rate` or a `trace`: name one, or remove this line");
            return Err(self.wrong(at, problem));
        }
        let bursts = table.bursts.as_ref().map(|bursts| {
            Ok(Bursts {
                begin: self.share("begin", &bursts.begin)?,
                end: self.share("end", &bursts.end)?,
                loss: self.share("loss", &bursts.loss)?,
            })
        });
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1,500 to 10⁹ bytes")]
        let whole = |bytes: f64| bytes as u64;
        let mut direction = Direction {
            delay,
            jitter,
            rate,
            queue_bytes: None,
            codel: table.codel.as_ref().is_some_and(|value| *value.get_ref()),
            loss: table.loss.as_ref().map_or(Ok(Share::NONE), |value| self.share("loss", value))?,
            bursts: bursts.transpose()?,
        };
        let queue_bytes = match &table.queue {
            Some(value) => Some(self.read("queue", value, "1500B to 1GB is needed, e.g. \"64kB\"", bytes)?),
            None => {
                let product = |rate: f64| (rate / 8.0 * round_trip.as_secs_f64()).clamp(LEAST_QUEUE, *QUEUES.end());
                direction.mean_bits_per_second().map(product)
            }
        };
        direction.queue_bytes = queue_bytes.map(whole);
        Ok(direction)
    }

    fn rate(
        self,
        table: &DirectionTable,
        lines_of: impl Fn(&Path) -> Result<Cow<'static, str>, FileError>,
    ) -> Result<Option<Rate>, FileError> {
        match (&table.rate, &table.trace) {
            (None, None) => Ok(None),
            (Some(value), None) => {
                let needed = "1kbit/s to 10Gbit/s is needed, e.g. \"1.6Mbit/s\"";
                Ok(Some(Rate::Constant { bits_per_second: self.read("rate", value, needed, rate)? }))
            }
            (None, Some(named)) => {
                let path = self.beside(named.get_ref());
                Ok(Some(Rate::Trace(Arc::new(Trace::parse(&lines_of(&path)?, &path)?))))
            }
            (Some(_), Some(named)) => {
                Err(self.wrong(named.span(), "`trace` takes the place of `rate`: remove one of them".into()))
            }
        }
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
        let vast = MINE.replace("8Mbit/s", "10Gbit/s").replace("50ms", "10s");
        let most = parse(&vast, Path::new("mine.toml")).unwrap().down.queue_bytes;
        assert_eq!(most, Some(1_000_000_000), "no more than a file may name");
    }

    #[test]
    fn packets_may_be_late_by_a_fiftieth_of_delay_and_jitter_and_by_two_tenths_of_a_millisecond_at_the_least() {
        use crate::network::lateness_allowed as allowed;
        let ms = Duration::from_millis;
        let pairs = [(0, 0), (10, 0), (10, 5), (75, 15)];
        let all = pairs.map(|(delay, jitter)| allowed(ms(delay), ms(jitter)).as_micros());
        assert_eq!(all, [200, 200, 300, 1_800]);
        let mine = parse(MINE, Path::new("mine.toml")).unwrap();
        assert!(!mine.down.needs_awake() && built_in("lan").unwrap().unwrap().down.needs_awake());
    }

    #[test]
    fn a_trace_lies_beside_the_file_that_names_it_and_is_checked_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let (file, trace) = (folder.path().join("mine.toml"), folder.path().join("mine.trace"));
        let text = MINE.replace("rate = \"8Mbit/s\"", "trace = \"mine.trace\"");
        let absent = parse(&text, &file).unwrap_err();
        assert!(matches!(&absent, FileError::Unreadable { path, .. } if *path == trace), "{absent}");
        std::fs::write(&trace, "1\n0\n").unwrap();
        let wrong = parse(&text, &file).unwrap_err().to_string();
        assert!(wrong.ends_with("mine.trace line 2: 0 ms comes after 1 ms: times must not go back"), "{wrong}");
        std::fs::write(&trace, "1\n2\n3\n").unwrap();
        let mine = parse(&text, &file).unwrap().down;
        // 12 Mbit/s for 100 ms there and back.
        assert_eq!((mine.mean_bits_per_second(), mine.queue_bytes), (Some(12e6), Some(150_000)));
    }

    #[test]
    fn the_traces_that_come_with_pushoff_have_the_rates_that_their_network_says() {
        let drive = built_in("lte-drive").unwrap().unwrap();
        assert_eq!((drive.down.mean_bits_per_second(), drive.up.mean_bits_per_second()), (Some(3.6e6), Some(1.2e6)));
        let all = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../networks")).unwrap();
        let bytes = all.map(|file| file.unwrap()).filter(|file| file.path().extension() == Some("trace".as_ref()));
        assert!(bytes.map(|file| file.metadata().unwrap().len()).sum::<u64>() < 100_000);
    }

    #[test]
    fn a_wrong_value_is_named_by_line_and_key_with_what_is_allowed() {
        for (wrong, wanted) in [
            ("delay = 50", "line 4: `delay` is 50: 0s to 10s is needed, e.g. \"30ms\""),
            ("delay = \"1min\"", "line 4: `delay` is \"1min\""),
            ("delay = \"5ms\"\njitter = \"6ms\"", "line 5: `jitter` is \"6ms\": a time up to the delay"),
            ("delay = \"5ms\"\nrate = \"9Mbps\"", "line 5: `rate` is \"9Mbps\": 1kbit/s to 10Gbit/s"),
            ("delay = \"5ms\"\nqueue = \"9kB\"", "line 5: `queue` is for packets that wait for a `rate` or a `trace`"),
            ("delay = \"5ms\"\nrate = \"1Mbit/s\"\nqueue = \"9B\"", "line 6: `queue` is \"9B\": 1500B to 1GB"),
            ("delay = \"5ms\"\ncodel = true", "line 5: `codel` is for packets that wait for a `rate` or a `trace`"),
            (
                "delay = \"5ms\"\nrate = \"1Mbit/s\"\ncodel = 5",
                "line 6: `codel`: invalid type: integer `5`, true or false",
            ),
            (
                "delay = \"5ms\"\nrate = \"1Mbit/s\"\ntrace = \"a\"",
                "line 6: `trace` takes the place of `rate`: remove one",
            ),
            ("delay = \"5ms\"\ntrace = 5", "line 5: `trace`: invalid type: integer `5`, the name of a file"),
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
