//! A load past the knee: batches, each published as soon as the one before it was taken.

use pushoff_model::{RunClock, RunInstant};

use super::TOPIC;
use crate::server::{DEADLINE, Publisher, Server};

pub(super) const PAYLOAD_BYTES: usize = 4 << 10;
/// Messages in one request.
const BATCH: u64 = 15;
/// Batches between two looks at whether it is enough.
const BATCHES: u64 = 20;

/// 6 MiB: a socket's buffers take at most 4.
const ENOUGH: u64 = 1500;

pub(super) struct Load<'a> {
    server: &'a Server,
    publisher: Publisher,
    batch: Vec<String>,
    /// How many messages there are.
    pub(super) published: u64,
}

impl<'a> Load<'a> {
    pub(super) fn on(server: &'a Server) -> Self {
        let payload = format!("\"{}\"", "x".repeat(PAYLOAD_BYTES - 2));
        let batch = (0..BATCH).map(|_| payload.clone()).collect();
        Self { server, publisher: server.publisher(TOPIC), batch, published: 0 }
    }

    /// Publishes more than a megabyte.
    pub(super) fn publish(&mut self) {
        for _ in 0..BATCHES {
            let last = self.publisher.publish_batch(self.batch.iter().cloned());
            self.published += BATCH;
            assert_eq!(last.sequence, self.published);
        }
    }

    /// Goes on until `is_enough`, and there is more than the log keeps and the kernel takes in.
    pub(super) fn publish_until(&mut self, is_enough: impl Fn() -> bool) {
        let clock = RunClock::start();
        while self.published < ENOUGH || !is_enough() {
            self.publish();
            let waited = clock.now().since(RunInstant::default());
            assert!(waited < 6 * DEADLINE, "{} published, {} cut off", self.published, self.server.cut_off());
        }
    }
}
