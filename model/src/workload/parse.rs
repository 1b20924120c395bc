//! A workload's TOML: every key is checked where it stands, and a wrong one is named by its line.

mod tables;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use toml::Spanned;

use super::lines::{read_json_lines, read_trace};
use tables::{
    DecideTable, File, Idle, PayloadKind, PayloadTable, PhasesTable, PollingTable, Publish, SearchTable, SloTable,
    WindowsTable,
};

use super::{
    Advice, Arrival, Decide, Direction, Growth, Load, MOST_TABS, Payload, Phases, Polling, Search, Slo, Windows,
    Workload,
};
use crate::file::{self, FileError, Source, Typed};
use crate::foreign::{self, quoted};
use crate::units::{ByteCount, OfferedRate, Share};

/// The largest published payload, in bytes: the server's default `--max-payload`.
const MAX_PAYLOAD_BYTES: u64 = 64 * 1024;
/// The smallest, in bytes: what the generator's envelope of stamps needs.
const MIN_PAYLOAD_BYTES: u64 = 100;
/// The most subscribers and topics.
const MAX_COUNT: i64 = Search::MOST_SUBSCRIBERS as i64;
/// The least difference in cost that a workload can call one. Chosen here: no run of minutes shows less.
const LEAST_MARGIN: f64 = 0.01;
/// The latencies that a workload can bound.
const LATENCIES: RangeInclusive<Duration> = Duration::from_micros(1)..=Duration::from_hours(24);
/// The longest name: it leaves room for trial and number in a topic of 64 bytes.
const MAX_NAME_BYTES: usize = 32;

/// Reads and parses a workload file.
///
/// # Errors
/// When it, or a payload or trace file that it names, cannot be read or is wrong.
pub fn read(path: &Path) -> Result<Workload, FileError> {
    parse(&file::read_text(path)?, path)
}

/// Parses a workload's TOML; files that it names are looked for beside `path`.
///
/// # Errors
/// When it, or a payload or trace file that it names, cannot be read or is wrong.
pub fn parse(text: &str, path: &Path) -> Result<Workload, FileError> {
    let source = Source { text, path };
    source.workload(source.parsed()?)
}

impl Source<'_> {
    fn workload(self, file: File) -> Result<Workload, FileError> {
        let load = match (&file.publish, &file.idle) {
            (Some(publish), None) => self.load(publish)?,
            (None, Some(idle)) => self.silence(idle)?,
            (Some(_), Some(idle)) => {
                return Err(self.wrong(idle.span(), "`[publish]` and `[idle]` exclude each other: keep one".into()));
            }
            (None, None) => {
                let problem = "a workload needs `[publish]`, or `[idle]` where nothing is published";
                return Err(self.wrong(0..0, problem.into()));
            }
        };
        let subscribers = self.count("subscribers", &file.subscribers)?;
        let topics = match (&load, &file.topics) {
            (Load::Trace { .. }, Some(topics)) => {
                return Err(self.wrong(topics.span(), "`topics` come from the trace: remove this line".into()));
            }
            (Load::Trace { events, .. }, None) => events.iter().map(|event| event.topic + 1).max().unwrap_or(1),
            (Load::Rate { .. } | Load::Silence { .. }, None) => 1,
            (Load::Rate { .. } | Load::Silence { .. }, Some(topics)) => self.count("topics", topics)?,
        };
        if topics > subscribers {
            let problem = format!("{subscribers} subscribers cannot cover {topics} topics: a topic needs at least one");
            return Err(self.wrong(file.subscribers.span(), problem));
        }
        let direction = *file.direction.get_ref();
        if matches!((&load, direction), (Load::Trace { .. }, Direction::Both)) {
            let problem = "a trace is replayed by the server's side: `direction` must be \"down\"".into();
            return Err(self.wrong(file.direction.span(), problem));
        }
        Ok(Workload {
            name: self.name(&file.name)?,
            question: file.question,
            advice: Advice { transports: file.advice.transports, says: file.advice.says },
            topics,
            subscribers,
            tabs: self.tabs(file.tabs.as_ref())?,
            windows: self.windows(&file.windows)?,
            direction,
            completes: file.publish.as_ref().is_some_and(|publish| publish.completes),
            payload: self.payload(file.publish.and_then(|publish| publish.payload), &load)?,
            client: file.client,
            compared: file.compared,
            transports: file.transports,
            polling: self.polling(&file.polling)?,
            slo: self.slo(file.slo, &load)?,
            decide: self.decide(&file.decide, &load)?,
            search: self.search(file.search, &load)?,
            held_out: file.held_out,
            load,
            phases: self.phases(&file.phases)?,
        })
    }

    fn name(self, name: &Spanned<String>) -> Result<String, FileError> {
        let text = name.get_ref();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if text.is_empty() || text.len() > MAX_NAME_BYTES || !text.bytes().all(allowed) {
            let problem =
                format!("`name` is {}: 1 to {MAX_NAME_BYTES} of the characters A-Z a-z 0-9 - _", quoted(text));
            return Err(self.wrong(name.span(), problem));
        }
        Ok(text.clone())
    }

    fn tabs(self, value: Option<&Spanned<Typed>>) -> Result<u32, FileError> {
        let Some(value) = value else { return Ok(1) };
        let number = value.get_ref().whole().and_then(|number| u32::try_from(number).ok());
        number
            .filter(|number| (1..=MOST_TABS).contains(number))
            .ok_or_else(|| self.not("tabs", value, &format!("a whole number from 1 to {MOST_TABS}")))
    }

    fn windows(self, table: &WindowsTable) -> Result<Windows, FileError> {
        let window = |key, value: &Option<Spanned<Typed>>, usual| {
            let Some(value) = value else { return Ok(usual) };
            let bytes = value.get_ref().whole().and_then(|bytes| u32::try_from(bytes).ok());
            let needed = || self.not(key, value, &format!("bytes, from {} to {}", Windows::LEAST, Windows::MOST));
            bytes.filter(|bytes| (Windows::LEAST..=Windows::MOST).contains(bytes)).ok_or_else(needed)
        };
        let Windows { stream, connection } = Windows::default();
        Ok(Windows {
            stream: window("stream", &table.stream, stream)?,
            connection: window("connection", &table.connection, connection)?,
        })
    }

    fn count(self, key: &str, value: &Spanned<Typed>) -> Result<u32, FileError> {
        let number = value.get_ref().whole().filter(|number| (1..=MAX_COUNT).contains(number));
        number
            .and_then(|number| u32::try_from(number).ok())
            .ok_or_else(|| self.not(key, value, &format!("a whole number from 1 to {MAX_COUNT}")))
    }

    /// The error that says what a value is and what is needed in its place.
    fn not(self, key: &str, value: &Spanned<Typed>, needed: &str) -> FileError {
        self.wrong(value.span(), format!("`{key}` is {}: {needed}", value.get_ref()))
    }

    /// A file that a value names, read; what is wrong with its name is said where it stands.
    fn named<T>(
        self,
        key: &str,
        name: &Spanned<PathBuf>,
        read: impl FnOnce(&Path) -> Result<T, FileError>,
    ) -> Result<(PathBuf, T), FileError> {
        let path = self.beside(name.get_ref());
        match read(&path) {
            Ok(read) => Ok((path, read)),
            Err(FileError::Unreadable { path, source }) => {
                let problem = format!("`{key}` names {}, which cannot be read: {source}", foreign::path(&path));
                Err(self.wrong(name.span(), problem))
            }
            Err(error @ FileError::Wrong { .. }) => Err(error),
        }
    }

    fn load(self, publish: &Publish) -> Result<Load, FileError> {
        match (&publish.rate, &publish.trace) {
            (Some(rate), Some(_)) => {
                Err(self.wrong(rate.span(), "`rate` and `trace` exclude each other: keep one".into()))
            }
            (None, None) => {
                let at = self.text.find("[publish]").unwrap_or(0);
                Err(self.wrong(at..at, "`[publish]` needs a `rate` (messages a second) or a `trace` (a file)".into()))
            }
            (Some(rate), None) => {
                let per_second = rate.get_ref().number().and_then(OfferedRate::per_second).ok_or_else(|| {
                    let needed = format!("messages a second, from {} to {}", OfferedRate::MIN, OfferedRate::MAX);
                    self.not("rate", rate, &needed)
                })?;
                let arrival = publish.arrival.as_ref().map_or(Arrival::Constant, |arrival| *arrival.get_ref());
                Ok(Load::Rate { per_second, arrival })
            }
            (None, Some(trace)) => {
                if let Some(arrival) = &publish.arrival {
                    return Err(self.wrong(arrival.span(), "a trace has its own arrivals: remove `arrival`".into()));
                }
                let (path, events) = self.named("trace", trace, read_trace)?;
                Ok(Load::Trace { path, messages: events.len() as u64, events: events.into() })
            }
        }
    }

    fn silence(self, idle: &Spanned<Idle>) -> Result<Load, FileError> {
        let second = Duration::from_secs(1);
        let heartbeat = idle.get_ref().heartbeat.as_ref();
        Ok(Load::Silence { heartbeat: self.duration("heartbeat", heartbeat, second * 15, second..=second * 3600)? })
    }

    fn search(self, table: Option<Spanned<SearchTable>>, load: &Load) -> Result<Option<Search>, FileError> {
        let Some(table) = table else { return Ok(None) };
        if !matches!(load, Load::Rate { .. }) {
            let problem = "a search grows a `rate`: remove `[search]`, or give `[publish]` a rate".into();
            return Err(self.wrong(table.span(), problem));
        }
        let SearchTable { grow, most } = table.into_inner();
        let bound = match grow {
            Growth::Rate => OfferedRate::MAX,
            Growth::Subscribers => f64::from(Search::MOST_SUBSCRIBERS),
        };
        let Some(most) = most else { return Ok(Some(Search { grow, most: bound })) };
        let number = most.get_ref().number().filter(|most| *most > 0.0 && *most <= bound);
        let most = number.ok_or_else(|| self.not("most", &most, &format!("above 0 and at most {bound}")))?;
        Ok(Some(Search { grow, most }))
    }

    fn payload(self, table: Option<Spanned<PayloadTable>>, load: &Load) -> Result<Payload, FileError> {
        let Some(table) = table else {
            return Ok(Payload::Bytes { bytes: ByteCount(128) });
        };
        if matches!(load, Load::Trace { .. }) {
            return Err(self.wrong(table.span(), "a trace has its own payloads: remove `payload`".into()));
        }
        match table.into_inner() {
            PayloadTable::Bytes(bytes) => bytes
                .get_ref()
                .whole()
                .and_then(|size| u64::try_from(size).ok())
                .filter(|size| (MIN_PAYLOAD_BYTES..=MAX_PAYLOAD_BYTES).contains(size))
                .map(|size| Payload::Bytes { bytes: ByteCount(size) })
                .ok_or_else(|| {
                    let needed = format!("{MIN_PAYLOAD_BYTES} (the stamps need as much) to {MAX_PAYLOAD_BYTES}");
                    self.not("bytes", &bytes, &needed)
                }),
            PayloadTable::File(file) => {
                let lines = |path: &Path| read_json_lines::<Box<RawValue>>(path, "one JSON text a line");
                let (path, lines) = self.named("file", &file, lines)?;
                let lines = lines.into_iter().map(|(_, line)| Arc::from(line)).collect();
                Ok(Payload::File { path, lines })
            }
            PayloadTable::Kind(PayloadKind::Quote) => Ok(Payload::Quote),
            PayloadTable::Kind(PayloadKind::Progress) => Ok(Payload::Progress),
            PayloadTable::Kind(PayloadKind::ChatLine) => Ok(Payload::ChatLine),
        }
    }

    fn polling(self, table: &PollingTable) -> Result<Polling, FileError> {
        let (millisecond, second) = (Duration::from_millis(1), Duration::from_secs(1));
        Ok(Polling {
            interval: self.duration("interval", table.interval.as_ref(), second, millisecond..=second * 3600)?,
            wait: self.duration("wait", table.wait.as_ref(), second * 25, second..=second * 120)?,
        })
    }

    fn slo(self, table: Option<Spanned<SloTable>>, load: &Load) -> Result<Option<Slo>, FileError> {
        let silent = matches!(load, Load::Silence { .. });
        let table = match table {
            Some(table) if silent => {
                return Err(
                    self.wrong(table.span(), "where nothing is published, nothing is late: remove `[slo]`".into())
                );
            }
            None if silent => return Ok(None),
            None => {
                let problem = "`[slo]` is missing: what is good enough, e.g. share = 0.99 and within = \"100ms\"";
                return Err(self.wrong(0..0, problem.into()));
            }
            Some(table) => table.into_inner(),
        };
        let share = table.share.get_ref().number().and_then(Share::new).filter(|share| share.as_f64() > 0.0);
        let share = share.ok_or_else(|| self.not("share", &table.share, "above 0 and at most 1, e.g. 0.99"))?;
        let within = Some(&table.within);
        let within = self.duration("within", within, Duration::ZERO, LATENCIES)?;
        Ok(Some(Slo { share, within, may_skip: table.may_skip }))
    }

    fn decide(self, table: &DecideTable, load: &Load) -> Result<Decide, FileError> {
        let margin = match &table.margin {
            None => Decide::default().margin,
            Some(margin) => {
                let number = margin.get_ref().number().filter(|margin| *margin >= LEAST_MARGIN).and_then(Share::new);
                number.ok_or_else(|| self.not("margin", margin, "0.01 to 1, e.g. 0.10"))?
            }
        };
        let Some(freshness) = &table.freshness else { return Ok(Decide { margin, freshness: None }) };
        if matches!(load, Load::Silence { .. }) {
            let problem = "where nothing is published, nothing is late: remove `freshness`";
            return Err(self.wrong(freshness.span(), problem.into()));
        }
        let freshness = self.duration("freshness", Some(freshness), Duration::ZERO, LATENCIES)?;
        Ok(Decide { margin, freshness: Some(freshness) })
    }

    fn phases(self, table: &PhasesTable) -> Result<Phases, FileError> {
        let milliseconds = Duration::from_millis;
        let day = Duration::from_hours(24);
        Ok(Phases {
            warm_up: self.duration("warm_up", table.warm_up.as_ref(), milliseconds(2_000), Duration::ZERO..=day)?,
            measure: self.duration("measure", table.measure.as_ref(), milliseconds(5_000), milliseconds(100)..=day)?,
            drain: self.duration("drain", table.drain.as_ref(), milliseconds(5_000), Duration::ZERO..=day)?,
        })
    }

    fn duration(
        self,
        key: &str,
        value: Option<&Spanned<Typed>>,
        default: Duration,
        allowed: RangeInclusive<Duration>,
    ) -> Result<Duration, FileError> {
        let Some(value) = value else { return Ok(default) };
        let duration = value.get_ref().text().and_then(|text| humantime::parse_duration(text).ok());
        duration.filter(|duration| allowed.contains(duration)).ok_or_else(|| {
            let [least, most] = [allowed.start(), allowed.end()].map(|&bound| humantime::format_duration(bound));
            self.not(key, value, &format!("a time with its unit (\"250ms\", \"5s\", \"2min\"), {least} to {most}"))
        })
    }
}

#[cfg(test)]
mod tests;
