//! Progress reports of a job: percent, stage and counts, up to 100 %.

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

use crate::message::text::append;

const STAGES: [&str; 4] = ["preparing", "uploading", "processing", "verifying"];

/// A job that reports its progress.
#[derive(Debug)]
pub(crate) struct Job {
    reports: u64,
    sent: u64,
    items: u64,
    name: u32,
}

impl Job {
    pub(super) fn new(mut chance: Xoshiro256PlusPlus, reports: u64) -> Self {
        Self { reports: reports.max(1), sent: 0, items: chance.random_range(1_000..=9_999), name: chance.random() }
    }

    pub(super) fn write_next(&mut self, out: &mut String) {
        self.sent = (self.sent + 1).min(self.reports);
        let tenths = self.sent * 1_000 / self.reports;
        let done = self.items * self.sent / self.reports;
        let stage = STAGES[usize::try_from(tenths * 4 / 1_001).unwrap_or(0).min(3)];
        append(
            out,
            format_args!(
                "{{\"job\":\"{:08x}\",\"percent\":{}.{},\"stage\":\"{stage}\",\"itemsDone\":{done},\"itemsTotal\":{},\
             \"errors\":0,\"state\":\"running\"}}",
                self.name,
                tenths / 10,
                tenths % 10,
                self.items
            ),
        );
    }
}
