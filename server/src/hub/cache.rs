//! The newest messages of one topic, bounded in number and in bytes: all readers read from here.
//!
//! The cache has no wake-up, no framing and no lock. With the store in memory, the cache is the topic's log.

use std::collections::VecDeque;

use pushoff_model::{Cursor, Epoch, Start};

use super::payload::Payload;
use crate::limits;
use crate::memory::{self, Lease};

/// The bounds of a topic's log.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Messages, at least 1.
    pub messages: usize,
    /// Bytes of payload. The newest message is kept whatever its size.
    pub bytes: usize,
}

/// The bounds of one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Messages, at least 1.
    pub messages: usize,
    /// Bytes of payload after which a read takes no further message: a read exceeds the bound by less than
    /// its last message.
    pub bytes: usize,
}

impl Bounds {
    /// One write of a stream.
    pub(crate) const STREAM: Self = Self { messages: usize::MAX, bytes: limits::STREAM_BYTES };

    /// One poll's response.
    pub(crate) const fn poll(messages: usize) -> Self {
        Self { messages, bytes: limits::POLL_BYTES }
    }
}

/// The place of a reader in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// All messages up to this sequence number were read or reported missed.
    pub(crate) sequence: u64,
    /// The reader came with a cursor of another log, and must get a missed notice.
    pub(crate) is_foreign: bool,
}

/// The newest payloads of an append-only sequence that is numbered from 1.
#[derive(Debug)]
pub(crate) struct Cache {
    epoch: Epoch,
    retention: Retention,
    kept: VecDeque<Payload>,
    kept_bytes: usize,
    /// The memory of the kept messages; `None` before the first.
    held: Option<Lease>,
    head: u64,
    complete: bool,
}

/// Consecutive messages of one publish: no other publisher's message comes between.
#[derive(Debug)]
pub(crate) struct Run {
    /// How many messages come before `newest`, and are too old to be kept.
    pub(crate) skipped: u64,
    /// The newest messages, in order.
    pub(crate) newest: Vec<Payload>,
}

impl Run {
    /// How many messages the run has.
    pub(crate) fn count(&self) -> u64 {
        self.skipped + self.newest.len() as u64
    }

    /// The memory that a log counts for the run, in bytes.
    pub(crate) fn weight(&self) -> usize {
        self.newest.iter().map(weight).sum()
    }
}

fn weight(payload: &Payload) -> usize {
    payload.as_bytes().len() + memory::MESSAGE
}

/// Nothing can be appended to a complete log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the topic is complete: nothing more can be published to it")]
pub struct Complete;

impl Cache {
    /// An empty cache. `epoch` tells the log from every other log of the same topic.
    pub(crate) const fn new(epoch: Epoch, retention: Retention) -> Self {
        Self { epoch, retention, kept: VecDeque::new(), kept_bytes: 0, held: None, head: 0, complete: false }
    }

    /// Appends a run and drops the oldest messages beyond the retention. `lease` holds the weight of the run.
    /// Gives the cursor of the last message.
    pub(crate) fn append(&mut self, run: Run, lease: Lease) -> Result<Cursor, Complete> {
        if self.complete {
            return Err(Complete);
        }
        match &mut self.held {
            Some(held) => held.absorb(lease),
            None => self.held = Some(lease),
        }
        if run.skipped > 0 {
            while self.drop_oldest().is_some() {}
        }
        self.head += run.skipped;
        for payload in run.newest {
            self.head += 1;
            self.kept_bytes += payload.as_bytes().len();
            self.kept.push_back(payload);
            while self.kept.len() > 1
                && (self.kept.len() > self.retention.messages || self.kept_bytes > self.retention.bytes)
            {
                self.drop_oldest();
            }
        }
        Ok(self.cursor(self.head))
    }

    /// Drops the oldest messages until about `bytes` are free, but never the newest message. Gives the bytes
    /// freed.
    pub(crate) fn trim(&mut self, bytes: usize) -> usize {
        let mut freed = 0;
        while freed < bytes && self.kept.len() > 1 {
            freed += self.drop_oldest().unwrap_or(0);
        }
        if self.kept.len() <= self.kept.capacity() / 4 {
            self.kept.shrink_to_fit();
        }
        freed
    }

    /// How many messages are kept.
    pub(crate) fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Drops the oldest kept message and frees its memory; gives the bytes freed.
    fn drop_oldest(&mut self) -> Option<usize> {
        let dropped = self.kept.pop_front()?;
        self.kept_bytes -= dropped.as_bytes().len();
        let weight = weight(&dropped);
        if let Some(held) = &mut self.held {
            held.shrink(weight);
        }
        Some(weight)
    }

    /// Gives an empty log the epoch of the stream that it follows.
    pub(crate) const fn begin(&mut self, epoch: Epoch) {
        if self.head == 0 {
            self.epoch = epoch;
        }
    }

    /// Ends the log: no message can follow.
    pub(crate) const fn complete(&mut self) {
        self.complete = true;
    }

    /// Whether the log has ended.
    pub(crate) const fn is_complete(&self) -> bool {
        self.complete
    }

    /// The sequence number of the newest message; 0 before the first.
    pub(crate) const fn head(&self) -> u64 {
        self.head
    }

    /// The cursor after message number `sequence`.
    pub(crate) const fn cursor(&self, sequence: u64) -> Cursor {
        Cursor { epoch: self.epoch, sequence }
    }

    /// How many messages after `sequence` are no longer kept.
    pub(crate) fn missed_since(&self, sequence: u64) -> u64 {
        self.before_kept().saturating_sub(sequence)
    }

    /// The place of a reader that starts at `start`.
    ///
    /// A cursor of another epoch, or one ahead of the head, is not of this log: its reader begins at the start
    /// of the log, with a notice that an unknown number of messages was missed.
    pub(crate) fn position(&self, start: Start) -> Position {
        match start {
            Start::Now => Position { sequence: self.head, is_foreign: false },
            Start::Oldest => Position { sequence: self.before_kept(), is_foreign: false },
            Start::After(cursor) if cursor.epoch == self.epoch && cursor.sequence <= self.head => {
                Position { sequence: cursor.sequence, is_foreign: false }
            }
            Start::After(_) => Position { sequence: 0, is_foreign: true },
        }
    }

    /// The kept messages after `sequence`, oldest first, as many as `bounds` allow.
    pub(crate) fn read(&self, sequence: u64, bounds: Bounds) -> impl Iterator<Item = (Cursor, &Payload)> {
        let start = sequence.max(self.before_kept());
        let skip = usize::try_from(start - self.before_kept()).unwrap_or(usize::MAX);
        let mut bytes = 0_usize;
        self.kept
            .iter()
            .skip(skip)
            .zip(start + 1..)
            .take(bounds.messages)
            .take_while(move |(payload, _)| {
                let begun_within = bytes < bounds.bytes || bytes == 0;
                bytes += payload.as_bytes().len();
                begun_within
            })
            .map(|(payload, sequence)| (self.cursor(sequence), payload))
    }

    /// The sequence number just before the oldest kept message.
    fn before_kept(&self) -> u64 {
        self.head - self.kept.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::memory::Memory;

    const EPOCH: Epoch = Epoch(0x5f3a_9c21);
    const ALL: Bounds = Bounds { messages: usize::MAX, bytes: usize::MAX };

    fn payload(length: usize) -> Payload {
        Payload::parse("1".repeat(length).as_bytes(), usize::MAX).unwrap()
    }

    fn cache(messages: usize, bytes: usize) -> Cache {
        Cache::new(EPOCH, Retention { messages, bytes })
    }

    fn append_in(log: &mut Cache, memory: &Memory, run: Run) -> Result<Cursor, Complete> {
        let lease = memory.logs.lease(run.weight()).unwrap();
        log.append(run, lease)
    }

    fn append(log: &mut Cache, payload: Payload) -> Result<Cursor, Complete> {
        static PLENTY: LazyLock<Memory> = LazyLock::new(|| Memory::new(1 << 40));
        append_in(log, &PLENTY, Run { skipped: 0, newest: vec![payload] })
    }

    fn sequences(log: &Cache, after: u64, bounds: Bounds) -> Vec<u64> {
        log.read(after, bounds).map(|(cursor, _)| cursor.sequence).collect()
    }

    #[test]
    fn the_newest_message_is_kept_whatever_its_size() {
        let mut log = cache(10, 5);
        append(&mut log, payload(3)).unwrap();
        append(&mut log, payload(50)).unwrap();
        assert_eq!(sequences(&log, 0, ALL), [2]);
        assert_eq!(log.missed_since(0), 1);
    }

    #[test]
    fn a_cursor_of_another_log_is_recognised() {
        let mut log = cache(10, 1000);
        append(&mut log, payload(1)).unwrap();
        let strange = Position { sequence: 0, is_foreign: true };
        assert_eq!(log.position(Start::After(Cursor { epoch: Epoch(1), sequence: 1 })), strange);
        assert_eq!(log.position(Start::After(log.cursor(2))), strange);
        assert_eq!(log.position(Start::After(log.cursor(1))), Position { sequence: 1, is_foreign: false });
        assert_eq!(log.position(Start::Now), Position { sequence: 1, is_foreign: false });
        assert_eq!(log.position(Start::Oldest), Position { sequence: 0, is_foreign: false });
    }

    #[test]
    fn a_complete_log_keeps_what_it_has_and_takes_no_more() {
        let mut log = cache(10, 1000);
        append(&mut log, payload(1)).unwrap();
        log.complete();
        assert_eq!(append(&mut log, payload(1)), Err(Complete));
        assert_eq!(sequences(&log, 0, ALL), [1]);
    }

    #[test]
    fn a_read_stops_at_its_bounds_but_gives_at_least_one() {
        let mut log = cache(10, 1000);
        for _ in 1..=5 {
            append(&mut log, payload(10)).unwrap();
        }
        assert_eq!(sequences(&log, 0, Bounds { messages: 2, ..ALL }), [1, 2]);
        assert_eq!(sequences(&log, 0, Bounds { bytes: 1, ..ALL }), [1]);
        assert_eq!(sequences(&log, 3, Bounds { bytes: 11, ..ALL }), [4, 5]);
        assert_eq!(sequences(&log, 5, ALL), [] as [u64; 0]);
    }

    #[test]
    fn the_lease_is_the_weight_of_the_kept_messages() {
        let memory = Memory::new(1 << 20);
        let mut log = cache(3, 1000);
        let run = |newest: &[usize], skipped| Run { skipped, newest: newest.iter().map(|&it| payload(it)).collect() };
        let weight = |newest: &[usize]| newest.iter().map(|&it| it + memory::MESSAGE).sum::<usize>();
        append_in(&mut log, &memory, run(&[1, 2, 3, 4], 0)).unwrap();
        assert_eq!(memory.held(), weight(&[2, 3, 4]));
        assert_eq!(log.trim(1), weight(&[2]));
        assert_eq!(log.trim(usize::MAX), weight(&[3]));
        assert_eq!((sequences(&log, 0, ALL), memory.held()), (vec![4], weight(&[4])));
        assert_eq!(append_in(&mut log, &memory, run(&[7, 8], 500)).unwrap(), log.cursor(506));
        assert_eq!((sequences(&log, 0, ALL), log.missed_since(4)), (vec![505, 506], 500));
        assert_eq!(memory.held(), weight(&[7, 8]));
        drop(log);
        assert_eq!(memory.held(), 0);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Append(usize),
        Read(Bounds),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (1_usize..40).prop_map(Step::Append),
            1 => (1_usize..20, 1_usize..200).prop_map(|(messages, bytes)| Step::Read(Bounds { messages, bytes })),
        ]
    }

    proptest! {
        #[test]
        fn a_reader_gets_each_message_once_in_order_or_is_told(
            steps in proptest::collection::vec(step(), 1..200),
            retention in (1_usize..20, 1_usize..300),
        ) {
            let mut log = cache(retention.0, retention.1);
            let mut lengths = Vec::new();
            let (mut at, mut received, mut missed) = (0, 0, 0);
            for step in steps.into_iter().chain(std::iter::repeat_n(Step::Read(ALL), 1)) {
                match step {
                    Step::Append(length) => {
                        lengths.push(length);
                        let cursor = append(&mut log, payload(length)).unwrap();
                        prop_assert_eq!(cursor, log.cursor(lengths.len() as u64));
                    }
                    Step::Read(bounds) => {
                        let gap = log.missed_since(at);
                        missed += gap;
                        at += gap;
                        let batch: Vec<_> = log.read(at, bounds).collect();
                        prop_assert!(batch.len() <= bounds.messages);
                        prop_assert_eq!(batch.is_empty(), at == log.head());
                        for (cursor, payload) in batch {
                            prop_assert_eq!(cursor, log.cursor(at + 1));
                            prop_assert_eq!(payload.as_bytes().len(), lengths[usize::try_from(at).unwrap()]);
                            at += 1;
                            received += 1;
                        }
                    }
                }
                let kept: Vec<_> = log.read(0, ALL).map(|(_, payload)| payload.as_bytes().len()).collect();
                prop_assert!(kept.len() <= retention.0);
                prop_assert!(kept.len() <= 1 || kept.iter().sum::<usize>() <= retention.1);
            }
            prop_assert_eq!(received + missed, log.head());
        }
    }
}
