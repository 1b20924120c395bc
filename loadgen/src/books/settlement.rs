//! Balances every ledger against what was published, and sums the result.

use pushoff_model::RunInstant;
use pushoff_model::record::{Counts, Failure, FailureKind, FaultKind, Faults, WindowCounts};

use super::fates::Fates;
use super::ledger::Published;
use super::ranges::RangeSet;
use super::subscriber::Subscriber;
use super::window::Window;
use crate::failure::Failed;

/// What a trial counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

/// Balances every subscriber's ledger against what each publisher had `due`. A message of unknown fate counts as
/// published if anybody received it.
pub(crate) fn settle<Due: Iterator<Item = RunInstant>>(
    subscribers: &[Subscriber],
    fates: &[Fates],
    due: impl Fn(u32) -> Due,
    window: Window,
) -> Result<Account, Failed> {
    let unpublished = unpublished(subscribers, fates);
    let mut account = Account::default();
    let mut measured = Vec::with_capacity(fates.len());
    for ((publisher, fates), unpublished) in (0..).zip(fates).zip(&unpublished) {
        let Counts { published, unpublished: failed, unsent, .. } = &mut account.counts;
        *published += fates.sent - unpublished.count();
        *failed += unpublished.count();
        let mut mine = Measured::default();
        for (index, due) in (0..).zip(due(publisher)) {
            let in_window = u64::from(window.contains(due));
            *unsent += u64::from(index >= fates.sent);
            let accepted = index < fates.sent && !unpublished.contains(index);
            mine.accepted += in_window * u64::from(accepted);
            mine.due += in_window;
        }
        fates.explain(unpublished, &mut account.faults);
        account.window.published += mine.accepted;
        measured.push(mine);
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

/// The indices of each publisher that no log holds.
fn unpublished(subscribers: &[Subscriber], fates: &[Fates]) -> Vec<RangeSet> {
    let mut unpublished: Vec<_> = fates
        .iter()
        .map(|fates| {
            let mut set = fates.refused.clone();
            fates.unknown.iter().for_each(|index| set.insert(index..index + 1));
            set
        })
        .collect();
    if fates.iter().all(|fates| fates.unknown.is_empty()) {
        return unpublished;
    }
    for subscriber in subscribers {
        for (place, publisher) in publishers_of(subscriber).enumerate() {
            let (Some(set), Some(fates)) = (unpublished.get_mut(publisher), fates.get(publisher)) else { continue };
            for index in fates.unknown.iter().filter(|&index| subscriber.ledger.has(place, index)) {
                set.remove(index);
            }
        }
    }
    unpublished
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use pushoff_model::target::Others;

    use super::*;
    use crate::books::fates::{Publication, PublishOutcome};
    use crate::books::subscriber::{Arrivals, Presence, Reads};

    fn subscriber(number: u32) -> Subscriber {
        let (others, presence) = (Others::Refuse, Presence::Greeted);
        let reads = Reads { number, topic: 0, topics: 1, publishers: 1, others, presence, own: None };
        Subscriber::new(reads, Arc::default(), Arc::default(), Arc::new(Arrivals::new(1)))
    }

    fn settled(subscribers: &[Subscriber], publication: &Publication) -> Result<Account, Failed> {
        let at = |milliseconds| RunInstant::default() + Duration::from_millis(milliseconds);
        let due = |_| [0, 50, 100, 150].map(at).into_iter();
        settle(subscribers, &[publication.fates()], due, Window::new(at(100), Duration::from_millis(100)))
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
