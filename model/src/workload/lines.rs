//! Files that a workload names: a JSON value a line.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::TraceEvent;
use crate::file::{FileError, in_plain_words, read_text, wrong_line};
use crate::foreign::quoted;
use crate::message::Topic;

/// Reads a trace: one object a line, `{"offset_ms": 12.5, "topic": "orders", "payload": …}`.
pub(super) fn read_trace(path: &Path) -> Result<Vec<TraceEvent>, FileError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        offset_ms: f64,
        topic: String,
        payload: Box<RawValue>,
    }
    let mut numbers = HashMap::new();
    let mut events = Vec::new();
    let form = r#"an object such as {"offset_ms":12.5,"topic":"orders","payload":{"id":1}}"#;
    for (line, Line { offset_ms, topic, payload }) in read_json_lines(path, form)? {
        let topic: Topic =
            topic.parse().map_err(|error| wrong_line(path, line, format!("`topic` is {}: {error}", quoted(&topic))))?;
        let offset = Duration::try_from_secs_f64(offset_ms / 1e3)
            .ok()
            .filter(|offset| *offset <= Duration::from_hours(24))
            .ok_or_else(|| {
                wrong_line(path, line, format!("`offset_ms` is {offset_ms}: milliseconds, 0 to 86400000"))
            })?;
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        let topic = *numbers.entry(topic).or_insert(next);
        events.push(TraceEvent { offset, topic, payload: payload.into() });
    }
    events.sort_by_key(|event| event.offset);
    Ok(events)
}

/// Reads a file with one JSON value a line, with the number of each line; blank lines are skipped.
pub(super) fn read_json_lines<T: for<'de> Deserialize<'de>>(
    path: &Path,
    form: &str,
) -> Result<Vec<(usize, T)>, FileError> {
    let mut values = Vec::new();
    for (index, line) in read_text(path)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let value = serde_json::from_str(line).map_err(|error| {
            let problem = format!("{}; wanted: {form}", in_plain_words(&error.to_string()));
            wrong_line(path, index + 1, problem)
        })?;
        values.push((index + 1, value));
    }
    if values.is_empty() {
        return Err(wrong_line(path, 1, format!("the file is empty; wanted: {form}")));
    }
    Ok(values)
}
