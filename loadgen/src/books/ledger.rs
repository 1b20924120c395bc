//! One subscriber's account of every message: delivered, missed, lost, duplicated, reordered.
//!
//! Two counts are kept apart so that a mistake in one shows against the other: the publishers' indices and the
//! cursors of pushoff's own server.

use pushoff_model::Cursor;
use pushoff_model::record::Counts;

use super::ranges::RangeSet;

/// The messages that a subscriber received from each publisher of its topic, and those that it was told it had missed.
#[derive(Clone, Debug)]
pub struct Ledger {
    publishers: Vec<Stream>,
    /// The sum over all publishers.
    delivered: u64,
    told: u64,
    told_unknown: bool,
    foreign: u64,
    altered: u64,
    /// Set by the first cursor; `None` where the server has no cursors.
    cursors: Option<CursorTally>,
}

/// The messages that a subscriber received from one publisher.
#[derive(Clone, Debug, Default)]
struct Stream {
    next: u64,
    gaps: RangeSet,
    delivered: u64,
    duplicated: u64,
    reordered: u64,
}

/// The kind of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The first delivery of a message.
    First,
    /// A repeated delivery.
    Duplicate,
    /// A message of a publisher that does not publish to this topic.
    Foreign,
}

impl Ledger {
    /// An empty ledger for a topic with that many publishers.
    #[must_use]
    pub fn new(publishers: usize) -> Self {
        let publishers = vec![Stream::default(); publishers];
        Self { publishers, delivered: 0, told: 0, told_unknown: false, foreign: 0, altered: 0, cursors: None }
    }

    /// Records message `index` of the topic's publisher number `publisher`, from 0.
    pub fn deliver(&mut self, publisher: usize, index: u64) -> Delivery {
        let Some(stream) = self.publishers.get_mut(publisher) else {
            self.foreign += 1;
            return Delivery::Foreign;
        };
        if index >= stream.next {
            stream.gaps.insert(stream.next..index);
            stream.next = index.saturating_add(1);
        } else if stream.gaps.remove(index) {
            stream.reordered += 1;
        } else {
            stream.duplicated += 1;
            return Delivery::Duplicate;
        }
        stream.delivered += 1;
        self.delivered += 1;
        Delivery::First
    }

    /// Records something that is no message of this load.
    pub(crate) const fn foreign(&mut self) {
        self.foreign += 1;
    }

    /// Records a message of this load whose content was altered. It does not count as a delivery.
    pub(crate) const fn altered(&mut self) {
        self.altered += 1;
    }

    /// Records a missed notice; `None` where the server could not tell how many.
    pub(crate) const fn told(&mut self, missed: Option<u64>) {
        match missed {
            Some(count) => self.told = self.told.saturating_add(count),
            None => self.told_unknown = true,
        }
    }

    /// Records the cursor of a message.
    pub fn cursor(&mut self, cursor: Cursor) {
        match &mut self.cursors {
            Some(cursors) => cursors.enter(cursor),
            none @ None => *none = Some(CursorTally::new(cursor)),
        }
    }

    /// How many messages are settled: delivered at least once, reported missed, or altered.
    pub(crate) fn accounted(&self) -> u64 {
        self.delivered.saturating_add(self.told).saturating_add(self.altered)
    }

    /// Whether a message was delivered.
    pub(crate) fn has(&self, publisher: usize, index: u64) -> bool {
        self.publishers.get(publisher).is_some_and(|stream| index < stream.next && !stream.gaps.contains(index))
    }

    /// The first index of a publisher beyond all that were delivered.
    pub(crate) fn reached(&self, publisher: usize) -> u64 {
        self.publishers.get(publisher).map_or(0, |stream| stream.next)
    }

    /// Balances the ledger against what each publisher has published.
    pub(crate) fn balance(&self, published: &[Published<'_>]) -> Result<Counts, String> {
        let mut balance = Counts { altered: self.altered, ..Counts::default() };
        let mut absent = 0;
        for (stream, published) in self.publishers.iter().zip(published) {
            if stream.next > published.sent {
                return Err(format!("message {} was never sent and yet delivered", stream.next - 1));
            }
            let mut gaps = stream.gaps.clone();
            gaps.insert(stream.next..published.sent);
            let excused = gaps.overlap(published.unpublished);
            if excused != published.unpublished.count() {
                return Err("a message that the server refused was delivered".into());
            }
            let expected = published.sent - published.unpublished.count();
            absent += gaps.count() - excused;
            balance.expected += expected;
            balance.delivered += stream.delivered;
            balance.duplicated += stream.duplicated;
            balance.reordered += stream.reordered;
        }
        balance.missed = if self.told_unknown { absent } else { self.told.min(absent) };
        balance.lost = absent - balance.missed;
        let doubtful: u64 = published.iter().map(|published| published.unpublished.count()).sum();
        self.check(&balance, absent, doubtful)?;
        Ok(balance)
    }

    fn check(&self, balance: &Counts, absent: u64, doubtful: u64) -> Result<(), String> {
        let Counts { expected, delivered, duplicated, .. } = *balance;
        if self.foreign > 0 {
            return Err(format!("{} messages are not of this load", self.foreign));
        }
        if expected != delivered + absent {
            return Err(format!("{expected} were expected, but {delivered} were delivered and {absent} were not"));
        }
        // A message of unknown fate may be in the log, and be among those reported missed.
        if self.told > absent + doubtful {
            return Err(format!("{} were told missed, but only {absent} are absent", self.told));
        }
        let Some(cursors) = &self.cursors else { return Ok(()) };
        let skipped = cursors.skipped.count();
        if skipped > absent + doubtful {
            return Err(format!("the cursors skip {skipped} messages, but only {absent} are absent"));
        }
        if cursors.repeated > duplicated {
            let repeated = cursors.repeated;
            return Err(format!("{repeated} cursors come twice, but only {duplicated} messages do"));
        }
        Ok(())
    }
}

/// The messages that the server accepted from one publisher.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Published<'a> {
    /// How many messages were sent: indices below this.
    pub(crate) sent: u64,
    /// Those of them that no log holds: refused, or of unknown fate and received by nobody.
    pub(crate) unpublished: &'a RangeSet,
}

/// Whether the server's cursors, within one epoch, grow by exactly one.
#[derive(Clone, Debug)]
struct CursorTally {
    /// The lowest number of this epoch.
    first: u64,
    last: Cursor,
    /// Numbers that were skipped and have not come since.
    skipped: RangeSet,
    /// How many numbers came again.
    repeated: u64,
}

impl CursorTally {
    fn new(cursor: Cursor) -> Self {
        Self { first: cursor.sequence, last: cursor, skipped: RangeSet::default(), repeated: 0 }
    }

    fn enter(&mut self, cursor: Cursor) {
        if cursor.epoch != self.last.epoch {
            (self.first, self.last) = (cursor.sequence, cursor);
        } else if cursor.sequence > self.last.sequence {
            self.skipped.insert(self.last.sequence + 1..cursor.sequence);
            self.last = cursor;
        } else if cursor.sequence < self.first {
            self.skipped.insert(cursor.sequence + 1..self.first);
            self.first = cursor.sequence;
        } else if !self.skipped.remove(cursor.sequence) {
            self.repeated += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use pushoff_model::Epoch;

    use super::*;

    fn cursor(sequence: u64) -> Cursor {
        Cursor { epoch: Epoch(1), sequence }
    }

    fn balanced(ledger: &Ledger, sent: &[u64]) -> Result<Counts, String> {
        let none = RangeSet::default();
        let published: Vec<_> = sent.iter().map(|&sent| Published { sent, unpublished: &none }).collect();
        ledger.balance(&published)
    }

    #[derive(Clone, Copy, Debug)]
    enum Fate {
        Arrives,
        Twice,
        Vanishes,
        Told,
        SwapsWithNext,
    }

    fn fate() -> impl Strategy<Value = Fate> {
        prop_oneof![
            4 => Just(Fate::Arrives),
            1 => Just(Fate::Twice),
            1 => Just(Fate::Vanishes),
            1 => Just(Fate::Told),
            1 => Just(Fate::SwapsWithNext),
        ]
    }

    proptest! {
        #[test]
        fn any_stream_of_fates_balances_as_a_naive_model_says(
            fates in proptest::collection::vec((0_usize..3, fate()), 0..120)
        ) {
            let mut log = Vec::new();
            let mut sent = [0_u64; 3];
            for (sequence, (publisher, fate)) in (1..).zip(&fates) {
                log.push((sequence, *publisher, sent[*publisher], *fate));
                sent[*publisher] += 1;
            }
            let mut at = 0;
            while at + 1 < log.len() {
                if matches!(log[at].3, Fate::SwapsWithNext) {
                    log.swap(at, at + 1);
                    at += 1;
                }
                at += 1;
            }
            let (mut ledger, mut model) = (Ledger::new(3), Counts::default());
            let mut seen: BTreeMap<(usize, u64), u64> = BTreeMap::new();
            let mut latest: BTreeMap<usize, u64> = BTreeMap::new();
            for (sequence, publisher, index, fate) in log {
                model.expected += 1;
                let times = match fate {
                    Fate::Arrives | Fate::SwapsWithNext => 1,
                    Fate::Twice => 2,
                    Fate::Vanishes => { model.lost += 1; 0 }
                    Fate::Told => { ledger.told(Some(1)); model.missed += 1; 0 }
                };
                for _ in 0..times {
                    ledger.deliver(publisher, index);
                    ledger.cursor(cursor(sequence));
                    let before = seen.entry((publisher, index)).or_default();
                    *before += 1;
                    if *before > 1 {
                        model.duplicated += 1;
                    } else {
                        model.delivered += 1;
                        let latest = latest.entry(publisher).or_insert(index);
                        if *latest > index { model.reordered += 1; } else { *latest = index; }
                    }
                }
            }
            prop_assert_eq!(balanced(&ledger, &sent), Ok(model));
        }
    }

    #[test]
    fn a_clean_stream_with_a_notice_balances() {
        let mut ledger = Ledger::new(1);
        ledger.cursor(cursor(1));
        for (sequence, index) in [(2, 0), (3, 1)] {
            ledger.cursor(cursor(sequence));
            assert_eq!(ledger.deliver(0, index), Delivery::First);
        }
        ledger.told(Some(2));
        ledger.cursor(cursor(6));
        ledger.deliver(0, 4);
        let balance = balanced(&ledger, &[5]).unwrap();
        assert_eq!(balance, Counts { expected: 5, delivered: 3, missed: 2, ..Counts::default() });
        assert_eq!(ledger.accounted(), 5);
    }

    #[test]
    fn a_missing_message_without_a_notice_is_lost_even_at_the_end() {
        let mut ledger = Ledger::new(1);
        ledger.deliver(0, 1);
        assert_eq!(balanced(&ledger, &[4]).unwrap().lost, 3);
    }

    #[test]
    fn a_notice_of_more_than_is_absent_does_not_balance() {
        let mut ledger = Ledger::new(1);
        ledger.deliver(0, 0);
        ledger.told(Some(2));
        assert!(balanced(&ledger, &[2]).unwrap_err().contains("told missed"));
    }

    #[test]
    fn an_altered_message_is_not_delivered_and_is_counted() {
        let mut ledger = Ledger::new(1);
        ledger.deliver(0, 0);
        ledger.altered();
        assert_eq!(ledger.accounted(), 2, "nobody waits for it any more");
        let balance = balanced(&ledger, &[2]).unwrap();
        assert_eq!(balance, Counts { expected: 2, delivered: 1, lost: 1, altered: 1, ..Counts::default() });
    }

    #[test]
    fn a_message_that_was_never_sent_does_not_balance() {
        let mut ledger = Ledger::new(1);
        ledger.deliver(0, 7);
        assert!(balanced(&ledger, &[7]).unwrap_err().contains("never sent"));
        let mut foreign = Ledger::new(1);
        assert_eq!(foreign.deliver(1, 0), Delivery::Foreign);
        assert!(balanced(&foreign, &[0]).unwrap_err().contains("not of this load"));
    }

    #[test]
    fn a_refused_message_that_comes_does_not_balance_and_one_that_does_not_is_not_due() {
        let mut refused = RangeSet::default();
        refused.insert(1..2);
        let published = [Published { sent: 3, unpublished: &refused }];
        let mut ledger = Ledger::new(1);
        ledger.deliver(0, 0);
        ledger.deliver(0, 2);
        assert_eq!(ledger.balance(&published).unwrap().expected, 2);
        ledger.deliver(0, 1);
        assert!(ledger.balance(&published).unwrap_err().contains("refused"));
    }

    #[test]
    fn a_message_published_twice_under_two_cursors_is_a_duplicate() {
        let mut ledger = Ledger::new(1);
        for sequence in [1, 2] {
            ledger.cursor(cursor(sequence));
            ledger.deliver(0, 0);
        }
        assert_eq!(balanced(&ledger, &[1]).unwrap().duplicated, 1);
    }

    #[test]
    fn the_servers_numbers_must_agree_with_the_publishers() {
        let mut skips = Ledger::new(1);
        let mut repeats = Ledger::new(1);
        for (ledger, second) in [(&mut skips, 4), (&mut repeats, 1)] {
            for (sequence, index) in [(1, 0), (second, 1)] {
                ledger.cursor(cursor(sequence));
                ledger.deliver(0, index);
            }
        }
        assert!(balanced(&skips, &[2]).unwrap_err().contains("skip 2"));
        assert!(balanced(&repeats, &[2]).unwrap_err().contains("twice"));
    }

    #[test]
    fn an_unknown_number_missed_covers_what_is_absent() {
        let mut ledger = Ledger::new(1);
        ledger.told(None);
        ledger.deliver(0, 5);
        let balance = balanced(&ledger, &[6]).unwrap();
        assert_eq!((balance.missed, balance.lost), (5, 0));
    }
}
