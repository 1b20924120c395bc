//! What messages carry: one file a kind of body.
//!
//! Bodies follow from the trial's seed, the publisher and the index alone, so that every transport
//! of a trial carries the same bytes, stamps aside.

mod chat_line;
mod filler;
mod progress;
mod quote;

use std::sync::Arc;

use pushoff_model::Workload;
use pushoff_model::workload::{Load, Payload, TraceEvent};
use serde_json::value::RawValue;

use crate::seeding::{Purpose, stream};

/// Makes the bodies of every publisher of one trial.
#[derive(Clone, Debug)]
pub(crate) struct BodySource {
    seed: u64,
    kind: SourceKind,
}

#[derive(Clone, Debug)]
enum SourceKind {
    Filler(Arc<str>),
    Lines(Arc<[Arc<RawValue>]>),
    Trace(Arc<[TraceEvent]>),
    Quote,
    Progress,
    ChatLine,
}

impl BodySource {
    /// The bodies that a workload asks for.
    pub(crate) fn new(workload: &Workload, seed: u64) -> Self {
        let kind = match (&workload.load, &workload.payload) {
            (Load::Trace { events, .. }, _) => SourceKind::Trace(events.clone()),
            (Load::Rate { .. } | Load::Silence { .. }, Payload::Bytes { bytes }) => {
                SourceKind::Filler(filler::body(*bytes, seed))
            }
            (Load::Rate { .. } | Load::Silence { .. }, Payload::File { lines, .. }) => SourceKind::Lines(lines.clone()),
            (Load::Rate { .. } | Load::Silence { .. }, Payload::Quote) => SourceKind::Quote,
            (Load::Rate { .. } | Load::Silence { .. }, Payload::Progress) => SourceKind::Progress,
            (Load::Rate { .. } | Load::Silence { .. }, Payload::ChatLine) => SourceKind::ChatLine,
        };
        Self { seed, kind }
    }

    /// The bodies of one publisher, which will send `total` messages.
    pub(crate) fn of(&self, publisher: u32, total: u64) -> Bodies {
        let chance = || stream(self.seed, Purpose::Bodies, publisher.into());
        Bodies(match &self.kind {
            SourceKind::Filler(text) => BodyKind::Filler(text.clone()),
            SourceKind::Lines(lines) => BodyKind::Lines { lines: lines.clone(), next: publisher as usize },
            SourceKind::Trace(events) => BodyKind::Trace { events: events.clone(), topic: publisher, next: 0 },
            SourceKind::Quote => BodyKind::Quote(quote::Walk::new(chance())),
            SourceKind::Progress => BodyKind::Progress(progress::Job::new(chance(), total)),
            SourceKind::ChatLine => BodyKind::ChatLine(chat_line::Speaker::new(chance(), publisher)),
        })
    }
}

/// The bodies of one publisher's messages, in the order of their index.
#[derive(Debug)]
pub(crate) struct Bodies(BodyKind);

#[derive(Debug)]
enum BodyKind {
    Filler(Arc<str>),
    Lines { lines: Arc<[Arc<RawValue>]>, next: usize },
    Trace { events: Arc<[TraceEvent]>, topic: u32, next: usize },
    Quote(quote::Walk),
    Progress(progress::Job),
    ChatLine(chat_line::Speaker),
}

impl Bodies {
    /// Appends the body of the next message, a JSON text without line breaks.
    pub(crate) fn write_next(&mut self, out: &mut String) {
        match &mut self.0 {
            BodyKind::Filler(text) => out.push_str(text),
            BodyKind::Lines { lines, next } => {
                out.push_str(lines.get(*next % lines.len().max(1)).map_or("null", |line| line.get()));
                *next = next.wrapping_add(1);
            }
            BodyKind::Trace { events, topic, next } => {
                let mine = (*next..events.len()).find(|&at| events[at].topic == *topic);
                out.push_str(mine.map_or("null", |at| events[at].payload.get()));
                *next = mine.map_or(events.len(), |at| at + 1);
            }
            BodyKind::Quote(walk) => walk.write_next(out),
            BodyKind::Progress(job) => job.write_next(out),
            BodyKind::ChatLine(speaker) => speaker.write_next(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::ByteCount;
    use pushoff_model::workload::built_in;

    use super::*;
    use crate::message::stamp;

    fn bodies(payload: Payload, publisher: u32, seed: u64) -> Vec<String> {
        let mut workload = built_in("ticker").unwrap().unwrap();
        workload.payload = payload;
        let mut bodies = BodySource::new(&workload, seed).of(publisher, 100);
        (0..100)
            .map(|_| {
                let mut body = String::new();
                bodies.write_next(&mut body);
                body
            })
            .collect()
    }

    #[test]
    fn every_kind_is_json_on_one_line_and_follows_the_seed() {
        for payload in [Payload::Bytes { bytes: ByteCount(200) }, Payload::Quote, Payload::Progress, Payload::ChatLine]
        {
            let made = bodies(payload.clone(), 3, 1);
            for body in &made {
                assert!(serde_json::from_str::<serde_json::Value>(body).is_ok() && !body.contains('\n'), "{body}");
            }
            assert_eq!(made, bodies(payload.clone(), 3, 1));
            assert_ne!(made, bodies(payload, 3, 2));
        }
    }

    #[test]
    fn bytes_is_the_exact_size_of_the_published_text() {
        for size in [100, 128, 65_536] {
            let body = &bodies(Payload::Bytes { bytes: ByteCount(size) }, 0, 1)[0];
            assert_eq!((body.len() + stamp::ENVELOPE_BYTES) as u64, size);
        }
    }

    #[test]
    fn bodies_have_the_size_that_the_workload_promises() {
        let mean = |payload| bodies(payload, 0, 1).iter().map(String::len).sum::<usize>() / 100;
        assert!((140..=160).contains(&mean(Payload::Quote)), "{}", mean(Payload::Quote));
        assert!((100..=120).contains(&mean(Payload::Progress)), "{}", mean(Payload::Progress));
        for body in bodies(Payload::ChatLine, 0, 1) {
            let line: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert!((20..=200).contains(&line["text"].as_str().unwrap().len()), "{body}");
        }
    }

    #[test]
    fn a_job_reaches_a_hundred_percent_with_its_last_report() {
        let made = bodies(Payload::Progress, 0, 1);
        let percent =
            |body: &str| serde_json::from_str::<serde_json::Value>(body).unwrap()["percent"].as_f64().unwrap();
        assert!(made.windows(2).all(|pair| percent(&pair[0]) <= percent(&pair[1])));
        assert!((percent(&made[99]) - 100.0).abs() < f64::EPSILON);
    }

    #[test]
    fn lines_of_a_file_come_in_turn() {
        let lines = ["1", "2", "3"].map(|line| Arc::from(RawValue::from_string(line.into()).unwrap()));
        let made = bodies(Payload::File { path: "p.jsonl".into(), lines: lines.into() }, 1, 1);
        assert_eq!(made[..4], ["2", "3", "1", "2"]);
    }
}
