//! The bodies of messages: one file for each kind.
//!
//! A body depends only on the trial's seed, the publisher and the index, so all transports of a trial carry the same
//! bytes, apart from the stamps.

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
pub(crate) struct BodySource<'w> {
    workload: &'w Workload,
    seed: u64,
    /// Shared by all publishers.
    filler: Option<Arc<str>>,
}

impl<'w> BodySource<'w> {
    pub(crate) fn new(workload: &'w Workload, seed: u64) -> Self {
        let filler = match workload.payload {
            Payload::Bytes { bytes } => Some(filler::body(bytes, seed)),
            Payload::File { .. } | Payload::Quote | Payload::Progress | Payload::ChatLine => None,
        };
        Self { workload, seed, filler }
    }

    /// The bodies of one publisher, which sends `total` messages.
    pub(crate) fn of(&self, publisher: u32, total: u64) -> Bodies {
        if let Load::Trace { events, .. } = &self.workload.load {
            return Bodies::Trace { events: events.clone(), topic: publisher, next: 0 };
        }
        let chance = || stream(self.seed, Purpose::Bodies, publisher.into());
        match &self.workload.payload {
            Payload::Bytes { .. } => Bodies::Filler(self.filler.clone().unwrap_or_default()),
            Payload::File { lines, .. } => Bodies::Lines { lines: lines.clone(), next: publisher as usize },
            Payload::Quote => Bodies::Quote(quote::Walk::new(chance())),
            Payload::Progress => Bodies::Progress(progress::Job::new(chance(), total)),
            Payload::ChatLine => Bodies::ChatLine(chat_line::Speaker::new(chance(), publisher)),
        }
    }
}

/// The bodies of one publisher, in the order of its messages.
#[derive(Debug)]
pub(crate) enum Bodies {
    Filler(Arc<str>),
    Lines { lines: Arc<[Arc<RawValue>]>, next: usize },
    Trace { events: Arc<[TraceEvent]>, topic: u32, next: usize },
    Quote(quote::Walk),
    Progress(progress::Job),
    ChatLine(chat_line::Speaker),
}

impl Bodies {
    /// Appends the next body: JSON on one line.
    pub(crate) fn write_next(&mut self, out: &mut String) {
        match self {
            Self::Filler(text) => out.push_str(text),
            Self::Lines { lines, next } => {
                out.push_str(lines.get(*next % lines.len().max(1)).map_or("null", |line| line.get()));
                *next = next.wrapping_add(1);
            }
            Self::Trace { events, topic, next } => {
                let mine = (*next..events.len()).find(|&at| events[at].topic == *topic);
                out.push_str(mine.map_or("null", |at| events[at].payload.get()));
                *next = mine.map_or(events.len(), |at| at + 1);
            }
            Self::Quote(walk) => walk.write_next(out),
            Self::Progress(job) => job.write_next(out),
            Self::ChatLine(speaker) => speaker.write_next(out),
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
