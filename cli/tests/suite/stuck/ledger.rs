//! One reader's account, from the start of the log to its end, across broken connections.

use std::ops::ControlFlow;

use pushoff_loadgen::clients::{ConnectionError, Incoming, Sink};
use pushoff_model::RunInstant;

/// What was delivered and what the reader was told that it missed. Panics where a message was lost
/// in silence, came twice or changed places.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) delivered: u64,
    pub(super) missed: u64,
    /// Told since the last message. A connection that breaks before the next message takes this
    /// back: the reader resumes after its last message, and is told again.
    told: u64,
    pub(super) breaks: u64,
}

impl Sink for Ledger {
    fn connecting(&mut self, _: RunInstant) {}
    fn opened(&mut self, _: RunInstant) {}
    fn requested(&mut self, _: RunInstant) {}

    fn message(&mut self, message: Incoming<'_>) {
        let sequence = message.cursor.unwrap().sequence;
        self.missed += std::mem::take(&mut self.told);
        if self.delivered == 0 {
            // It began with the oldest message that was kept then, and asked for none before.
            self.missed = sequence - 1;
        }
        self.delivered += 1;
        assert_eq!(sequence, self.delivered + self.missed, "{self:?}");
    }

    fn missed(&mut self, count: Option<u64>) {
        self.told += count.unwrap_or_else(|| panic!("the log is the same all along"));
    }

    fn polled_empty(&mut self) {}

    fn broke(&mut self, _: &ConnectionError) -> ControlFlow<()> {
        self.told = 0;
        self.breaks += 1;
        ControlFlow::Continue(())
    }

    fn completed(&mut self) {}
}
