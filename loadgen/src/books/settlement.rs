//! Balances every ledger against what was published, and sums the result.

use std::collections::BTreeMap;

use pushoff_model::RunInstant;
use pushoff_model::record::{Counts, Failure, FailureKind, FaultKind, Faults, WindowCounts};
use serde::{Deserialize, Serialize};

use super::fates::Fates;
use super::ledger::Published;
use super::ranges::RangeSet;
use super::subscriber::Subscriber;
use super::window::Window;
use crate::failure::Failed;

/// The counts of a trial.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) counts: Counts,
    /// The recorder adds the deliveries.
    pub(crate) window: WindowCounts,
    /// Why messages were not published.
    pub(crate) faults: Faults,
}

/// How many messages of one publisher are due in the measure phase.
#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    accepted: u64,
    /// Also those that the server refused or did not take.
    due: u64,
}

/// The load that is settled: each publisher's due messages and their fates, and which publishers are this generator's.
pub(crate) struct Settled<'a, Due, Owns> {
    /// The fates of each publisher's messages, by number.
    pub(crate) fates: &'a [Fates],
    /// The messages of each publisher that no log holds, by number.
    pub(crate) unpublished: &'a [RangeSet],
    pub(crate) due: Due,
    /// Messages are counted by the generator that publishes them, deliveries by the one that receives them.
    pub(crate) owns: Owns,
    pub(crate) window: Window,
}

/// Balances every subscriber's ledger against what each publisher had due.
pub(crate) fn settle<Due: Iterator<Item = RunInstant>>(
    subscribers: &[Subscriber],
    settled: &Settled<'_, impl Fn(u32) -> Due, impl Fn(u32) -> bool>,
) -> Result<Account, Failed> {
    let Settled { fates, unpublished, due, owns, window } = settled;
    let mut account = Account::default();
    let mut measured = Vec::with_capacity(fates.len());
    for ((publisher, fates), unpublished) in (0..).zip(*fates).zip(*unpublished) {
        let (mut mine, mut unsent) = (Measured::default(), 0);
        for (index, due) in (0..).zip(due(publisher)) {
            let in_window = u64::from(window.contains(due));
            unsent += u64::from(index >= fates.sent);
            let accepted = index < fates.sent && !unpublished.contains(index);
            mine.accepted += in_window * u64::from(accepted);
            mine.due += in_window;
        }
        measured.push(mine);
        if owns(publisher) {
            account.counts.published += fates.sent - unpublished.count();
            account.counts.unpublished += unpublished.count();
            account.counts.unsent += unsent;
            account.window.published += mine.accepted;
            fates.explain(unpublished, &mut account.faults);
        }
    }
    account.faults.add(FaultKind::Unsent, NOT_TAKEN, account.counts.unsent);
    let mut wrong = None;
    for subscriber in subscribers {
        let mine: Vec<_> = publishers_of(subscriber)
            .filter_map(|publisher| {
                let measured = measured.get(publisher)?;
                account.window.expected += measured.accepted;
                account.window.due += measured.due;
                Some(Published { sent: fates.get(publisher)?.sent, unpublished: &unpublished[publisher] })
            })
            .collect();
        match subscriber.ledger.balance(&mine) {
            Ok(balance) => add(&mut account.counts, &balance),
            Err(reason) => {
                wrong.get_or_insert_with(|| format!("subscriber {}: {reason}", subscriber.reads.number));
            }
        }
        account.counts.subscribers += 1;
        account.window.requests += subscriber.requests_measured;
        add(&mut account.counts, &subscriber.counts);
    }
    match wrong.or_else(|| altered(&account.counts)) {
        None => Ok(account),
        Some(reason) => Err(account.failed(FailureKind::Unbalanced, reason)),
    }
}

/// Why a message was never sent.
const NOT_TAKEN: &str = "the server had not accepted the messages before it when the trial was over";

impl Account {
    /// Adds the account of another agent's part.
    pub(crate) fn merge(&mut self, other: &Self) {
        add(&mut self.counts, &other.counts);
        let (mine, its) = (&mut self.counts, &other.counts);
        mine.subscribers += its.subscribers;
        mine.published += its.published;
        mine.unpublished += its.unpublished;
        mine.unsent += its.unsent;
        let (mine, its) = (&mut self.window, &other.window);
        mine.published += its.published;
        mine.due += its.due;
        mine.expected += its.expected;
        mine.delivered += its.delivered;
        mine.received += its.received;
        mine.requests += its.requests;
        self.faults.merge(&other.faults);
    }

    /// A failure that keeps the counts.
    pub(crate) fn failed(&self, kind: FailureKind, reason: String) -> Failed {
        Box::new(Failure { kind, reason, counts: Some(self.counts), faults: self.faults.clone() })
    }
}

/// Reports altered messages, where there are any.
fn altered(counts: &Counts) -> Option<String> {
    let Counts { altered, expected, .. } = *counts;
    (altered > 0).then(|| {
        format!("{altered} of {expected} deliveries were altered: body or stamp was not what was published (checksum)")
    })
}

fn add(sum: &mut Counts, counts: &Counts) {
    sum.expected += counts.expected;
    sum.delivered += counts.delivered;
    sum.missed += counts.missed;
    sum.lost += counts.lost;
    sum.altered += counts.altered;
    sum.duplicated += counts.duplicated;
    sum.reordered += counts.reordered;
    sum.requests += counts.requests;
    sum.empty_polls += counts.empty_polls;
    sum.reconnects += counts.reconnects;
}

/// The numbers of the publishers of a subscriber's topic, in the order of its ledger.
fn publishers_of(subscriber: &Subscriber) -> impl Iterator<Item = usize> {
    let reads = &subscriber.reads;
    (reads.topic as usize..).step_by(reads.topics as usize).take(reads.publishers)
}

/// The first index of each publisher beyond all that these subscribers received, by its number.
pub(crate) fn reached(subscribers: &[Subscriber], publishers: usize) -> Vec<u64> {
    let mut reached = vec![0; publishers];
    for subscriber in subscribers {
        for (place, publisher) in publishers_of(subscriber).enumerate() {
            if let Some(reached) = reached.get_mut(publisher) {
                *reached = subscriber.ledger.reached(place).max(*reached);
            }
        }
    }
    reached
}

/// The messages of unknown fate that one of these subscribers received, of each publisher that has some.
pub(crate) fn heard(subscribers: &[Subscriber], fates: &[Fates]) -> BTreeMap<usize, RangeSet> {
    let mut heard = BTreeMap::<usize, RangeSet>::new();
    if fates.iter().all(|fates| fates.unknown.is_empty()) {
        return heard;
    }
    for subscriber in subscribers {
        for (place, publisher) in publishers_of(subscriber).enumerate() {
            let Some(fates) = fates.get(publisher).filter(|fates| !fates.unknown.is_empty()) else { continue };
            let heard = heard.entry(publisher).or_default();
            let received = fates.unknown.iter().filter(|&index| subscriber.ledger.has(place, index));
            received.for_each(|index| heard.insert(index..index + 1));
        }
    }
    heard
}

/// The messages of each publisher that no log holds. A message of unknown fate counts as published if anybody received
/// it: `heard` is what each generator's subscribers received.
pub(crate) fn unpublished(fates: &[Fates], heard: &[BTreeMap<usize, RangeSet>]) -> Vec<RangeSet> {
    let of = |(publisher, fates): (usize, &Fates)| {
        let mut set = fates.refused.clone();
        fates.unknown.iter().for_each(|index| set.insert(index..index + 1));
        let heard = heard.iter().filter_map(|heard| heard.get(&publisher)).flat_map(RangeSet::iter);
        for index in heard {
            set.remove(index);
        }
        set
    };
    fates.iter().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use pushoff_model::target::Others;

    use super::*;
    use crate::books::fates::{Publication, PublishOutcome};
    use crate::books::subscriber::{Arrivals, Own, Presence, Reads};

    fn subscriber(number: u32) -> Subscriber {
        let (others, presence) = (Others::Refuse, Presence::Greeted);
        let reads = Reads { number, topic: 0, topics: 1, publishers: 1, others, presence, own: Own::Nothing };
        Subscriber::new(reads, Arc::default(), Arc::default(), Arc::new(Arrivals::new(1)))
    }

    fn settled(subscribers: &[Subscriber], publication: &Publication) -> Result<Account, Failed> {
        let at = |milliseconds| RunInstant::default() + Duration::from_millis(milliseconds);
        let due = |_| [0, 50, 100, 150].map(at).into_iter();
        let fates = [publication.fates()];
        let unpublished = unpublished(&fates, &[heard(subscribers, &fates)]);
        let window = Window::new(at(100), Duration::from_millis(100));
        settle(subscribers, &Settled { fates: &fates, unpublished: &unpublished, due, owns: |_| true, window })
    }

    #[test]
    fn a_message_of_unknown_fate_is_due_to_all_once_anybody_got_it() {
        let publication = Publication::default();
        publication.enter(2, PublishOutcome::Accepted);
        publication.enter(2, PublishOutcome::Unknown("broke".into()));
        let (mut one, mut two) = (subscriber(0), subscriber(1));
        for index in [0, 1, 2] {
            one.ledger.deliver(0, index);
        }
        two.ledger.deliver(0, 0);
        two.ledger.deliver(0, 1);
        let account = settled(&[one, two], &publication).unwrap();
        let counts = account.counts;
        assert_eq!((counts.published, counts.unpublished), (3, 1));
        assert_eq!((counts.expected, counts.delivered, counts.lost), (6, 5, 1));
        // Due at 0, 50, 100 and 150 ms: only the third is published and measured.
        assert_eq!((account.window.published, account.window.expected), (1, 2));
        assert_eq!((account.window.due, account.counts.unsent), (4, 0));
    }

    #[test]
    fn a_refused_message_was_due_to_all_and_is_reported_with_its_cause() {
        let publication = Publication::default();
        publication.enter(2, PublishOutcome::Accepted);
        publication.enter(1, PublishOutcome::Refused("the server answered 503 to a message: overloaded".into()));
        publication.enter(1, PublishOutcome::Accepted);
        let (mut one, mut two) = (subscriber(0), subscriber(1));
        for index in [0, 1, 3] {
            one.ledger.deliver(0, index);
            two.ledger.deliver(0, index);
        }
        // Due at 0, 50, 100 and 150 ms: two are measured, and one of the two is refused.
        let account = settled(&[one, two], &publication).unwrap();
        assert_eq!((account.window.published, account.window.expected, account.window.due), (1, 2, 4));
        assert_eq!((account.counts.unpublished, account.counts.expected, account.counts.delivered), (1, 6, 6));
        let refused: Vec<_> = account.faults.of(FaultKind::Refused).collect();
        assert_eq!((refused.len(), refused[0].count), (1, 1));
        assert!(refused[0].cause.contains("503") && refused[0].cause.contains("overloaded"), "{refused:?}");
    }

    #[test]
    fn one_altered_message_fails_the_trial_and_keeps_the_counts() {
        let publication = Publication::default();
        publication.enter(4, PublishOutcome::Accepted);
        let (mut one, mut two) = (subscriber(0), subscriber(1));
        for index in 0..4 {
            one.ledger.deliver(0, index);
        }
        for index in 1..4 {
            two.ledger.deliver(0, index);
        }
        two.ledger.altered();
        let failure = settled(&[one, two], &publication).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unbalanced);
        assert!(failure.reason.starts_with("1 of 8 deliveries were altered"), "{}", failure.reason);
        assert_eq!(failure.counts.map(|it| (it.delivered, it.altered, it.lost)), Some((7, 1, 1)));
    }

    #[test]
    fn unsent_and_unanswered_messages_were_due() {
        let publication = Publication::default();
        publication.take(2);
        publication.enter(2, PublishOutcome::Accepted);
        publication.take(1);
        publication.close();
        let mut one = subscriber(0);
        one.ledger.deliver(0, 0);
        one.ledger.deliver(0, 1);
        // Due at 0, 50, 100 and 150 ms: when time is up, the third is being sent and the fourth has not begun.
        let account = settled(&[one], &publication).unwrap();
        assert_eq!((account.counts.published, account.counts.unpublished, account.counts.unsent), (2, 1, 1));
        assert_eq!((account.window.expected, account.window.due), (0, 2));
        assert_eq!(account.counts.lost, 0);
        assert_eq!([FaultKind::Unanswered, FaultKind::Unsent].map(|kind| account.faults.count(kind)), [1, 1]);
    }

    #[test]
    fn one_ledger_that_does_not_balance_fails_the_trial_and_keeps_the_counts() {
        let publication = Publication::default();
        publication.enter(1, PublishOutcome::Accepted);
        let (mut one, mut two) = (subscriber(0), subscriber(1));
        one.ledger.deliver(0, 0);
        two.ledger.deliver(0, 5);
        let unbalanced = settled(&[one, two], &publication).unwrap_err();
        assert!(unbalanced.reason.starts_with("subscriber 1: message 5"), "{}", unbalanced.reason);
        assert_eq!(unbalanced.counts.map(|counts| (counts.published, counts.delivered)), Some((1, 1)));
    }
}
