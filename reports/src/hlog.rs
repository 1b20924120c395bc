//! `latency.hlog`: delivery latency as an `HdrHistogram` log, readable by its tools.
//!
//! One interval line a measured trial, tagged with its transport; a comment names the workload of
//! the lines below it. Latencies are in nanoseconds, the maximum column in milliseconds.
//! Format: the interval log of `HdrHistogram`'s `HistogramLogWriter`, version 1.3.

use std::time::Duration;

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use crate::ReportError;
use crate::study::Study;

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
    builder.add_comment("[delivery latency in nanoseconds, one interval a trial, a tag a transport]");
    builder.with_max_value_divisor(MAX_VALUE_DIVISOR);
    let started = study.run.environments.first().map(|environment| humantime::parse_rfc3339_weak(&environment.started));
    if let Some(Ok(started)) = started {
        builder.with_start_time(started);
        builder.with_base_time(started);
    }
    let mut writer = builder.begin_log_with(&mut bytes, &mut encoder).map_err(|error| failed(&error))?;
    let mut start = Duration::ZERO;
    for comparison in &study.comparisons {
        writer.write_comment(&format!("[workload {}]", comparison.group.label)).map_err(|error| failed(&error))?;
        for cell in &comparison.group.cells {
            for measurement in cell.measured() {
                let length = Duration::from_nanos(measurement.measured_ns);
                let tag = Tag::new(cell.transport.name());
                writer
                    .write_histogram(measurement.delivery_latency.hdr(), start, length, tag)
                    .map_err(|error| failed(&error))?;
                start += length;
            }
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
    use pushoff_model::Transport;

    use super::*;
    use crate::fixture;

    #[test]
    fn every_measured_trial_reads_back_under_its_transports_name() {
        let run = fixture::run();
        let study = Study::of(&run);
        let bytes = log(&study).unwrap();
        let mut measured: Vec<_> = study
            .comparisons
            .iter()
            .flat_map(|comparison| &comparison.group.cells)
            .flat_map(|cell| cell.measured().into_iter().map(|measurement| (cell.transport, measurement)))
            .collect();
        measured.reverse();
        let mut end = Duration::ZERO;
        for entry in IntervalLogIterator::new(&bytes) {
            let LogEntry::Interval(interval) = entry.unwrap() else { continue };
            let (transport, measurement) = measured.pop().unwrap();
            let tag: Transport = interval.tag().unwrap().as_str().parse().unwrap();
            assert_eq!(tag, transport);
            assert_eq!(interval.start_timestamp(), end);
            end += interval.duration();
            let encoded = base64::engine::general_purpose::STANDARD.decode(interval.encoded_histogram()).unwrap();
            let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut encoded.as_slice()).unwrap();
            assert_eq!(histogram, *measurement.delivery_latency.hdr());
        }
        assert!(measured.is_empty());
    }
}
