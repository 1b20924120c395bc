//! What became of a publisher's messages: accepted, refused, or of unknown fate.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ranges::RangeSet;

/// The fates of one publisher's messages. Shared by the publisher and, where it sends on a
/// subscriber's connection, by that subscriber.
#[derive(Clone, Debug, Default)]
pub(crate) struct Publication(Arc<Mutex<Fates>>);

/// What is known of one publisher's messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fates {
    /// Indices below this were taken up to be sent.
    pub(crate) taken: u64,
    /// Indices below this were sent, and the verdict on them is known.
    pub(crate) sent: u64,
    /// The server said no, or was not reached.
    pub(crate) refused: RangeSet,
    /// The connection broke before the server's word came, or nobody waited for it any more.
    pub(crate) doubtful: RangeSet,
    /// Those of the doubtful ones that nobody waited for any more: their time was over.
    pub(crate) given_up: RangeSet,
    /// Indices below this came back to their speaker: the server has them.
    echoed: u64,
    /// Why the last message was not published.
    pub(crate) reason: Option<String>,
}

/// The server's word on messages that were sent together.
#[derive(Debug)]
pub(crate) enum Verdict {
    Accepted,
    Refused(String),
    Doubtful(String),
}

impl Publication {
    /// Enters that the next `count` messages are about to be sent.
    pub(crate) fn take(&self, count: u64) {
        self.lock().taken += count;
    }

    /// Enters that nobody waits for a verdict any more: the messages that are still under way may
    /// or may not get to the server.
    pub(crate) fn close(&self) {
        let mut fates = self.lock();
        let range = fates.sent..fates.taken.max(fates.sent);
        fates.sent = range.end;
        fates.doubtful.insert(range.clone());
        fates.given_up.insert(range);
    }

    /// Enters the verdict on the next `count` messages.
    pub(crate) fn enter(&self, count: u64, verdict: Verdict) {
        let mut fates = self.lock();
        let range = fates.sent..fates.sent + count;
        fates.sent = range.end;
        match verdict {
            Verdict::Accepted => {}
            Verdict::Refused(reason) => {
                fates.refused.insert(range);
                fates.reason = Some(reason);
            }
            Verdict::Doubtful(reason) => {
                fates.doubtful.insert(range);
                fates.reason = Some(reason);
            }
        }
    }

    /// Enters that a speaker got its own message back. A connection is read in order, so that
    /// every message before it is with the server too.
    pub(crate) fn echoed(&self, index: u64) {
        let mut fates = self.lock();
        fates.echoed = fates.echoed.max(index.saturating_add(1));
    }

    /// Enters that the connection which messages were sent on broke: those that have not come
    /// back may never have arrived.
    pub(crate) fn broke(&self) {
        let mut fates = self.lock();
        let range = fates.echoed..fates.sent;
        fates.doubtful.insert(range);
    }

    /// What is known by now.
    pub(crate) fn fates(&self) -> Fates {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Fates> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fates {
    /// How many messages may be in the log: all but those that the server said no to.
    pub(crate) fn possible(&self) -> u64 {
        self.sent - self.refused.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_break_makes_doubtful_what_has_not_come_back() {
        let publication = Publication::default();
        publication.enter(5, Verdict::Accepted);
        publication.echoed(2);
        publication.broke();
        publication.enter(1, Verdict::Accepted);
        let fates = publication.fates();
        assert!(fates.doubtful.iter().eq(3..5));
        assert_eq!((fates.sent, fates.possible()), (6, 6));
    }

    #[test]
    fn what_nobody_waits_for_any_more_is_doubtful_and_given_up() {
        let publication = Publication::default();
        publication.take(3);
        publication.enter(3, Verdict::Accepted);
        publication.close();
        assert!(publication.fates().doubtful.is_empty());
        publication.take(2);
        publication.close();
        let fates = publication.fates();
        assert!(fates.doubtful.iter().eq(3..5) && fates.given_up == fates.doubtful);
        assert_eq!((fates.taken, fates.sent, fates.reason), (5, 5, None));
    }

    #[test]
    fn a_refusal_is_kept_with_its_reason() {
        let publication = Publication::default();
        publication.enter(1, Verdict::Accepted);
        publication.enter(2, Verdict::Refused("413".into()));
        let fates = publication.fates();
        assert_eq!((fates.possible(), fates.reason.as_deref()), (1, Some("413")));
    }
}
