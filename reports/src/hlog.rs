//! `latency.hlog`: delivery latency as an `HdrHistogram` log, readable by its tools.
//!
//! One interval line a measured trial, tagged with its whole cell, so that whoever merges the lines of a
//! tag merges trials of the same and of nothing else. Latencies are in nanoseconds, the maximum column in
//! milliseconds.
//! Format: the interval log of `HdrHistogram`'s `HistogramLogWriter`, version 1.3.

use std::collections::HashMap;
use std::time::Duration;

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use pushoff_model::record::Measurement;

use crate::ReportError;
use crate::cells::Group;
use crate::findings::study::Study;

/// Nanoseconds a millisecond: the unit of the log's maximum column, as its tools expect.
const MAX_VALUE_DIVISOR: f64 = 1e6;

/// Writes the log. Time runs through the trials one after another, as if each had waited for the
/// one before.
pub(crate) fn log(study: &Study<'_>) -> Result<Vec<u8>, ReportError> {
    let failed = |error: &dyn std::fmt::Display| ReportError::Log(error.to_string());
    let mut bytes = Vec::new();
    let mut encoder = V2DeflateSerializer::new();
    let mut builder = IntervalLogWriterBuilder::new();
    builder.add_comment("[Histogram log format version 1.3]");
    builder.add_comment("[delivery latency in nanoseconds, one interval a trial, a tag a cell]");
    builder.add_comment("[a tag is workload/subscribers/transport/client/server]");
    builder.with_max_value_divisor(MAX_VALUE_DIVISOR);
    let started = study.run.environments.first().map(|environment| humantime::parse_rfc3339_weak(&environment.started));
    if let Some(Ok(started)) = started {
        builder.with_start_time(started);
        builder.with_base_time(started);
    }
    let mut writer = builder.begin_log_with(&mut bytes, &mut encoder).map_err(|error| failed(&error))?;
    let mut start = Duration::ZERO;
    for (tag, measurement) in tagged(study) {
        let length = Duration::from_nanos(measurement.measured_ns);
        writer
            .write_histogram(measurement.delivery_latency.hdr(), start, length, Tag::new(&tag))
            .map_err(|error| failed(&error))?;
        start += length;
    }
    Ok(bytes)
}

/// Every measured trial with the tag of its cell.
fn tagged<'a>(study: &'a Study<'_>) -> Vec<(String, &'a Measurement)> {
    let mut namesakes: HashMap<_, u32> = HashMap::new();
    let mut all = Vec::new();
    for Group { workload, conditions, cells, .. } in study.comparisons.iter().map(|it| &it.group) {
        let (name, size) = (word(&workload.name), workload.subscribers);
        let conditions = conditions.factors().map(|(_, value)| word(value)).collect::<Vec<_>>().join("/");
        // Of workloads that share all of this and differ in something else, the second has a number.
        let same = namesakes.entry((name.clone(), size, conditions.clone())).or_default();
        *same += 1;
        let number = if *same > 1 { format!("/{same}") } else { String::new() };
        for cell in cells {
            let tag = format!("{name}/{size}/{}/{conditions}{number}", cell.transport());
            all.extend(cell.measured().into_iter().map(|measurement| (tag.clone(), measurement)));
        }
    }
    all
}

/// A name without what ends a tag or a line, or parts a tag: such bytes are percent-encoded.
fn word(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use base64::Engine as _;
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::{Run, fixture};

    /// Each interval of a log: its tag, when it began, how long it was, and what it holds.
    fn intervals(log: &[u8]) -> Vec<(String, Duration, Duration, Histogram<u64>)> {
        let mut all = Vec::new();
        for entry in IntervalLogIterator::new(log) {
            let LogEntry::Interval(interval) = entry.unwrap() else { continue };
            let encoded = base64::engine::general_purpose::STANDARD.decode(interval.encoded_histogram()).unwrap();
            let histogram = Deserializer::new().deserialize(&mut encoded.as_slice()).unwrap();
            let tag = interval.tag().unwrap().as_str().to_owned();
            all.push((tag, interval.start_timestamp(), interval.duration(), histogram));
        }
        all
    }

    /// The cell of every measured trial, and what it measured, as the records have it.
    fn cells(study: &Study<'_>) -> Vec<(String, Histogram<u64>)> {
        let mut all = Vec::new();
        for group in study.comparisons.iter().map(|it| &it.group) {
            for cell in &group.cells {
                let whole = format!("{:?} {} {} {}", group.workload, group.client(), group.server(), cell.transport());
                all.extend(cell.measured().iter().map(|it| (whole.clone(), it.delivery_latency.hdr().clone())));
            }
        }
        all
    }

    /// Holds a log to the records that it was written of; returns its tags.
    fn hold_to_records(run: &Run) -> Vec<String> {
        let study = Study::of(run);
        let (read, cells) = (intervals(&log(&study).unwrap()), cells(&study));
        assert_eq!(read.len(), cells.len());
        let mut end = Duration::ZERO;
        let (mut cell_of, mut tag_of) = (HashMap::new(), HashMap::new());
        for ((tag, start, length, histogram), (cell, measured)) in read.iter().zip(&cells) {
            assert_eq!((*start, histogram), (end, measured));
            end += *length;
            assert_eq!(*cell_of.entry(tag).or_insert(cell), cell, "two cells share {tag}");
            assert_eq!(*tag_of.entry(cell).or_insert(tag), tag, "a cell has two tags");
        }
        let mut seen = HashSet::new();
        read.into_iter().map(|interval| interval.0).filter(|tag| seen.insert(tag.clone())).collect()
    }

    #[test]
    fn every_measured_trial_reads_back_under_the_tag_of_its_cell() {
        let tags = hold_to_records(&fixture::run());
        assert!(tags.contains(&"ticker/300/sse/library/pushoff".to_owned()), "{tags:?}");
        let tags = hold_to_records(&fixture::servers());
        assert!(tags.iter().any(|tag| tag.ends_with("/websocket/lean/node-ws")), "{tags:?}");
    }

    #[test]
    fn no_two_cells_share_a_tag_whatever_they_are_called() {
        let mut run = fixture::run();
        run.records.retain(|it| it.workload.name == "ticker" && it.transport == pushoff_model::Transport::Sse);
        run.records.truncate(1);
        let one = run.records.remove(0);
        for (name, server) in [("a", "b,c\nTag=x"), ("a/1", "b c"), ("a%2F1", "b c"), ("a", "ü"), ("a", "")] {
            let mut record = one.clone();
            record.workload.name = name.into();
            record.server = server.into();
            run.records.push(record.clone());
            record.workload.completes ^= true;
            run.records.push(record);
        }
        let tags = hold_to_records(&run);
        assert_eq!(tags.len(), 10, "{tags:?}");
        assert!(tags.iter().all(|tag| !tag.contains([',', ' ', '\r', '\n'])), "{tags:?}");
        assert!(tags.iter().any(|tag| tag == "a/300/sse/library/b%2Cc%0ATag%3Dx/2"), "{tags:?}");
    }
}
