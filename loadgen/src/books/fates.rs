//! The fate of each of a publisher's messages: accepted, refused, or unknown.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pushoff_model::record::{FaultKind, Faults, OTHERS};
use serde::{Deserialize, Serialize};

use super::ranges::RangeSet;

/// The most distinct causes of one publisher; later causes are counted under the last one. Chosen here: a publisher
/// has one server.
const MOST_CAUSES: usize = 8;
/// The cause of messages that were being sent when the trial ended.
pub(crate) const GIVEN_UP: &str = "the server had not answered when the trial was over";

/// The fates of one publisher's messages. The publisher shares them with the subscriber whose connection it sends on,
/// where there is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Publication(Arc<Mutex<Fates>>);

/// The fates of one publisher's messages, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fates {
    /// Indices below this were handed over for sending.
    pub(crate) taken: u64,
    /// Indices below this were sent, and their outcome is known.
    pub(crate) sent: u64,
    /// Messages that the server refused, or that did not reach it.
    pub(crate) refused: RangeSet,
    /// Messages whose fate is unknown: the connection broke, or the trial ended, before the server answered.
    pub(crate) unknown: RangeSet,
    /// Indices below this came back to their speaker, so the server has them.
    echoed: u64,
    /// Why messages were refused or their fate is unknown. Each message has one cause.
    causes: Vec<Cause>,
}

/// Why some messages were not published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cause {
    kind: FaultKind,
    reason: String,
    indices: RangeSet,
}

/// The server's answer to messages that were sent together.
#[derive(Debug)]
pub(crate) enum PublishOutcome {
    Accepted,
    Refused(String),
    Unknown(String),
}

impl Publication {
    /// Records that the next `count` messages are about to be sent.
    pub(crate) fn take(&self, count: u64) {
        self.lock().taken += count;
    }

    /// Records that the trial is over: the fate of messages that are still being sent is unknown.
    pub(crate) fn close(&self) {
        let mut fates = self.lock();
        let range = fates.sent..fates.taken.max(fates.sent);
        fates.sent = range.end;
        fates.lose_track(range, GIVEN_UP);
    }

    /// Records the answer to the next `count` messages.
    pub(crate) fn enter(&self, count: u64, outcome: PublishOutcome) {
        let mut fates = self.lock();
        let range = fates.sent..fates.sent + count;
        fates.sent = range.end;
        match outcome {
            PublishOutcome::Accepted => {}
            PublishOutcome::Refused(reason) => {
                fates.blame(FaultKind::Refused, range.clone(), &reason);
                fates.refused.insert(range);
            }
            PublishOutcome::Unknown(reason) => fates.lose_track(range, &reason),
        }
    }

    /// Records that a speaker received its own message. A connection is ordered, so the server also has every earlier
    /// message.
    pub(crate) fn echoed(&self, index: u64) {
        let mut fates = self.lock();
        fates.echoed = fates.echoed.max(index.saturating_add(1));
    }

    /// Records that the connection of sent messages broke. The fate of messages that did not come back is unknown.
    pub(crate) fn broke(&self, reason: &str) {
        let mut fates = self.lock();
        let range = fates.echoed..fates.sent;
        fates.lose_track(range, reason);
    }

    pub(crate) fn fates(&self) -> Fates {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Fates> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fates {
    /// The fates of a publisher whose agent was lost: of the first so many messages, those that anybody received were
    /// published, and of the others nothing is known.
    pub(crate) fn lost(reached: u64) -> Self {
        let mut fates = Self { taken: reached, sent: reached, ..Self::default() };
        fates.unknown.insert(0..reached);
        fates
    }

    fn lose_track(&mut self, range: Range<u64>, reason: &str) {
        self.blame(FaultKind::Unanswered, range.clone(), reason);
        self.unknown.insert(range);
    }

    /// Records the cause of those messages that have none yet.
    fn blame(&mut self, kind: FaultKind, range: Range<u64>, reason: &str) {
        let known = self.unknown.gaps(range);
        let fresh: Vec<_> = known.into_iter().flat_map(|range| self.refused.gaps(range)).collect();
        if fresh.is_empty() {
            return;
        }
        let place = self.causes.iter().position(|cause| cause.kind == kind && cause.reason == reason);
        let last = self.causes.iter().rposition(|cause| cause.kind == kind);
        let at = match (place, last) {
            (Some(at), _) => at,
            (None, Some(last)) if self.causes.len() >= MOST_CAUSES => {
                OTHERS.clone_into(&mut self.causes[last].reason);
                last
            }
            (None, _) => {
                self.causes.push(Cause { kind, reason: reason.to_owned(), indices: RangeSet::default() });
                self.causes.len() - 1
            }
        };
        fresh.into_iter().for_each(|range| self.causes[at].indices.insert(range));
    }

    /// Adds to `faults` why these messages were not published.
    pub(crate) fn explain(&self, unpublished: &RangeSet, faults: &mut Faults) {
        for Cause { kind, reason, indices } in &self.causes {
            faults.add(*kind, reason, indices.overlap(unpublished));
        }
    }

    /// How many messages may be in the log: all that were sent, without the refused ones.
    pub(crate) fn possible(&self) -> u64 {
        self.sent - self.refused.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Why messages were not published, if all of unknown fate were not.
    fn causes(fates: &Fates) -> Vec<(FaultKind, String, u64)> {
        let (mut unpublished, mut faults) = (fates.refused.clone(), Faults::default());
        fates.unknown.iter().for_each(|index| unpublished.insert(index..index + 1));
        fates.explain(&unpublished, &mut faults);
        let of = |kind| faults.of(kind).map(|it| (it.kind, it.cause.clone(), it.count)).collect::<Vec<_>>();
        FaultKind::ALL.into_iter().flat_map(of).collect()
    }

    #[test]
    fn a_break_makes_doubtful_what_has_not_come_back() {
        let publication = Publication::default();
        publication.enter(5, PublishOutcome::Accepted);
        publication.echoed(2);
        publication.broke("reset");
        publication.enter(1, PublishOutcome::Accepted);
        let fates = publication.fates();
        assert!(fates.unknown.iter().eq(3..5));
        assert_eq!((fates.sent, fates.possible()), (6, 6));
    }

    #[test]
    fn messages_under_way_at_the_end_are_of_unknown_fate() {
        let publication = Publication::default();
        publication.take(3);
        publication.enter(3, PublishOutcome::Accepted);
        publication.close();
        assert!(publication.fates().unknown.is_empty());
        publication.take(2);
        publication.close();
        let fates = publication.fates();
        assert!(fates.unknown.iter().eq(3..5));
        assert_eq!((fates.taken, fates.sent), (5, 5));
        assert_eq!(causes(&fates), [(FaultKind::Unanswered, GIVEN_UP.into(), 2)]);
    }

    #[test]
    fn every_refusal_is_kept_with_its_cause() {
        let publication = Publication::default();
        publication.enter(1, PublishOutcome::Accepted);
        publication.enter(2, PublishOutcome::Refused("413".into()));
        publication.enter(3, PublishOutcome::Refused("503".into()));
        publication.enter(4, PublishOutcome::Refused("413".into()));
        let fates = publication.fates();
        assert_eq!(fates.possible(), 1);
        assert_eq!(causes(&fates), [(FaultKind::Refused, "413".into(), 6), (FaultKind::Refused, "503".into(), 3)]);
    }

    #[test]
    fn a_message_stands_under_one_cause_and_causes_are_bounded() {
        let publication = Publication::default();
        publication.enter(4, PublishOutcome::Accepted);
        publication.enter(2, PublishOutcome::Unknown("the WebSocket broke".into()));
        publication.broke("reset");
        assert_eq!(
            causes(&publication.fates()),
            [(FaultKind::Unanswered, "reset".into(), 4), (FaultKind::Unanswered, "the WebSocket broke".into(), 2)]
        );
        for number in 0..100 {
            publication.enter(1, PublishOutcome::Refused(number.to_string()));
        }
        let fates = publication.fates();
        assert_eq!(fates.causes.len(), MOST_CAUSES);
        assert_eq!(causes(&fates).iter().map(|it| it.2).sum::<u64>(), 106);
    }
}
